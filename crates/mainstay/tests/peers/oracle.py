"""The official clients of the clouds, against the fake: what they take is what the clouds say.

    python3 oracle.py PROVIDER URL ACCOUNT    ACCOUNT is a JSON object, as the fake names it

Each creates a record, finds it, changes it, and is refused with a wrong secret.
"""

import json
import sys

NAME, ZONE = "home.example.com", "example.com"
FIRST, SECOND = "198.51.100.7", "198.51.100.8"


def cloudflare(url, account):
    from cloudflare import Cloudflare, PermissionDeniedError

    def client(token):
        return Cloudflare(api_token=token, base_url=f"{url}/client/v4", max_retries=0)

    api = client(account["token"])
    (zone,) = api.zones.list(name=ZONE).result
    fields = {"ttl": 60, "proxied": False, "comment": "of somebody", "tags": ["owner:somebody"]}
    made = api.dns.records.create(zone_id=zone.id, name=NAME, type="A", content=FIRST, **fields)
    (found,) = api.dns.records.list(zone_id=zone.id, type="A", name={"exact": NAME}).result
    assert (found.id, found.content, found.ttl) == (made.id, FIRST, 60), found
    changed = api.dns.records.edit(dns_record_id=made.id, zone_id=zone.id, name=NAME, type="A", content=SECOND, ttl=60)
    assert (changed.content, changed.comment, changed.tags) == (SECOND, "of somebody", ["owner:somebody"]), changed
    replaced = api.dns.records.update(
        dns_record_id=made.id, zone_id=zone.id, name=NAME, type="A", content=SECOND, ttl=60
    )
    assert (replaced.comment, replaced.tags) == (None, []), replaced
    refuses(PermissionDeniedError, lambda: client("x" * 40).zones.list(), "9109")


def alidns(url, account):
    from aliyunsdkalidns.request.v20150109 import (
        AddDomainRecordRequest,
        DescribeSubDomainRecordsRequest,
        GetMainDomainNameRequest,
        UpdateDomainRecordRequest,
    )
    from aliyunsdkcore.acs_exception.exceptions import ServerException
    from aliyunsdkcore.client import AcsClient

    def ask(module, secret=account["secret"], **fields):
        request = getattr(module, module.__name__.rpartition(".")[2])()
        request.set_endpoint(url.removeprefix("http://"))
        request.set_protocol_type("http")
        for name, value in fields.items():
            getattr(request, f"set_{name}")(value)
        client = AcsClient(account["key"], secret, "cn-hangzhou", auto_retry=False)
        return json.loads(client.do_action_with_exception(request))

    zone = ask(GetMainDomainNameRequest, InputString=NAME)
    assert (zone["DomainName"], zone["RR"]) == (ZONE, "home"), zone
    same = {"RR": "home", "Type": "A", "TTL": 600, "Line": "default"}
    made = ask(AddDomainRecordRequest, DomainName=ZONE, Value=FIRST, **same)
    found = ask(DescribeSubDomainRecordsRequest, SubDomain=NAME, Type="A")
    assert [row["RecordId"] for row in found["DomainRecords"]["Record"]] == [made["RecordId"]], found
    ask(UpdateDomainRecordRequest, RecordId=made["RecordId"], Value=SECOND, **same)
    again = lambda: ask(UpdateDomainRecordRequest, RecordId=made["RecordId"], Value=SECOND, **same)
    refuses(ServerException, again, "DomainRecordDuplicate")
    # What the client makes of `SignatureDoesNotMatch` when the server has signed the same text.
    wrong = lambda: ask(GetMainDomainNameRequest, "wrong", InputString=NAME)
    refuses(ServerException, wrong, "InvalidAccessKeySecret")


def tencent(url, account):
    from tencentcloud.common import credential
    from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException
    from tencentcloud.common.profile.client_profile import ClientProfile
    from tencentcloud.common.profile.http_profile import HttpProfile
    from tencentcloud.dnspod.v20210323 import dnspod_client, models

    def ask(action, secret=account["secret"], **fields):
        http = HttpProfile(endpoint=url.removeprefix("http://"), protocol="http")
        http.scheme = "http"
        profile = ClientProfile(httpProfile=http)
        client = dnspod_client.DnspodClient(credential.Credential(account["id"], secret), "", profile)
        request = getattr(models, f"{action}Request")()
        request.from_json_string(json.dumps(fields))
        return getattr(client, action)(request)

    line = {"RecordLine": "默认"}
    made = ask("CreateRecord", Domain=ZONE, SubDomain="home", RecordType="A", Value=FIRST, TTL=600, **line)
    (found,) = ask("DescribeRecordList", Domain=ZONE, Subdomain="home", RecordType="A").RecordList
    assert (found.RecordId, found.Value, found.Line) == (made.RecordId, FIRST, "默认"), found
    same = {"Domain": ZONE, "SubDomain": "home", "RecordId": made.RecordId, **line}
    ask("ModifyDynamicDNS", Value=SECOND, Ttl=600, **same)
    ask("ModifyRecord", Value=FIRST, TTL=600, RecordType="A", **same)
    nothing = lambda: ask("DescribeRecordList", Domain=ZONE, Subdomain="nobody")
    refuses(TencentCloudSDKException, nothing, "ResourceNotFound.NoDataOfRecord")
    wrong = lambda: ask("DescribeRecordList", "wrong", Domain=ZONE)
    refuses(TencentCloudSDKException, wrong, "AuthFailure.SignatureFailure")


def huawei(url, account):
    from huaweicloudsdkcore.auth.credentials import BasicCredentials
    from huaweicloudsdkcore.exceptions.exceptions import ClientRequestException
    from huaweicloudsdkdns import v2

    def client(secret):
        identity = BasicCredentials(account["key"], secret, "project")
        return v2.DnsClient.new_builder().with_credentials(identity).with_endpoint(url).build()

    api = client(account["secret"])
    (zone,) = api.list_public_zones(v2.ListPublicZonesRequest(name=ZONE)).zones
    fields = {"name": f"{NAME}.", "type": "A", "ttl": 300}
    body = v2.CreateRecordSetRequestBody(records=[FIRST], **fields)
    made = api.create_record_set(v2.CreateRecordSetRequest(zone_id=zone.id, body=body))
    found = api.list_record_sets(v2.ListRecordSetsRequest(name=NAME, type="A")).recordsets
    assert [(one.id, one.records) for one in found] == [(made.id, [FIRST])], found
    body = v2.UpdateRecordSetReq(records=[SECOND], **fields)
    changed = api.update_record_set(v2.UpdateRecordSetRequest(zone_id=zone.id, recordset_id=made.id, body=body))
    assert changed.records == [SECOND], changed
    other = v2.CreateRecordSetRequestBody(name=f"my{NAME}.", type="A", records=[FIRST])
    api.create_record_set(v2.CreateRecordSetRequest(zone_id=zone.id, body=other))
    found = api.list_record_sets(v2.ListRecordSetsRequest(name=NAME, type="A")).recordsets
    assert len(found) == 2, "the search is fuzzy"
    wrong = client("wrong")
    refuses(ClientRequestException, lambda: wrong.list_public_zones(v2.ListPublicZonesRequest()), "APIGW.0301")


def baidu(url, account):
    """There is no client for this service, but the signer is the official one."""
    import time

    import requests
    from baidubce.auth import bce_v1_signer
    from baidubce.auth.bce_credentials import BceCredentials

    def ask(what, secret=account["secret"], **body):
        path = f"/v1/domain/resolve/{what}"
        headers = {b"host": url.removeprefix("http://").encode()}
        pair = BceCredentials(account["key"].encode(), secret.encode())
        signed = bce_v1_signer.sign(pair, b"POST", path.encode(), headers, {}, int(time.time()), 1800, [b"host"])
        return requests.post(url + path, json=body, headers={"Authorization": signed.decode()})

    same = {"domain": "home", "rdType": "A", "ttl": 300, "zoneName": ZONE}
    assert ask("add", rdata=FIRST, **same).status_code == 200
    (found,) = ask("list", domain=ZONE, pageNo=1, pageSize=100).json()["result"]
    assert (found["domain"], found["rdtype"], found["rdata"]) == ("home", "A", FIRST), found
    assert ask("edit", recordId=found["recordId"], rdata=SECOND, **same).status_code == 200
    refused = ask("list", "wrong", domain=ZONE)
    assert (refused.status_code, refused.json()["code"]) == (403, "SignatureDoesNotMatch"), refused.text


def route53(url, account):
    """Moto is somebody else's fake; here it is seen to be as the client wants it."""
    import boto3

    keys = {"aws_access_key_id": account["key"], "aws_secret_access_key": account["secret"]}
    api = boto3.client("route53", endpoint_url=url, region_name="us-east-1", **keys)
    zone = api.list_hosted_zones_by_name(DNSName=ZONE)["HostedZones"][0]["Id"]
    for value in (FIRST, SECOND):
        rows = {"Name": f"{NAME}.", "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": value}]}
        changes = {"Changes": [{"Action": "UPSERT", "ResourceRecordSet": rows}]}
        api.change_resource_record_sets(HostedZoneId=zone, ChangeBatch=changes)
    found = api.list_resource_record_sets(HostedZoneId=zone, StartRecordName=NAME, StartRecordType="A")
    assert found["ResourceRecordSets"][0]["ResourceRecords"] == [{"Value": SECOND}], found


def refuses(kind, action, code):
    try:
        action()
    except kind as error:
        assert code in str(error), error
    else:
        raise AssertionError(f"this should have been refused with {code}")


if __name__ == "__main__":
    globals()[sys.argv[1]](sys.argv[2], json.loads(sys.argv[3]))
