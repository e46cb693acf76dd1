"""Known signatures: from documentation, and from requests that the official clients have signed."""

import urllib.parse

from fakes import signatures
from fakes.wire import Request

# The example in AliDNS' documentation.
ALIDNS_DOCUMENTED = (
    "Format=XML&AccessKeyId=testid&Action=DescribeDomainRecords&SignatureMethod=HMAC-SHA1"
    "&DomainName=example.com&SignatureNonce=f59ed6a9-83fc-473b-9cc6-99c95df3856e"
    "&SignatureVersion=1.0&Version=2015-01-09&Timestamp=2016-03-24T16%3A41%3A54Z"
)
# One of the official client, with a parameter that is empty.
ALIDNS_CLIENT = (
    "DomainName=example.com&RR=%40&Type=A&Value=198.51.100.7&TTL=600&Version=2015-01-09"
    "&Action=AddDomainRecord&Format=JSON&RegionId=cn-hangzhou&Timestamp=2026-11-21T00%3A16%3A11Z"
    "&SignatureMethod=HMAC-SHA1&SignatureType=&SignatureVersion=1.0"
    "&SignatureNonce=e2fef6f8da813f8287a115c59bcdd559&AccessKeyId=testid"
)


def pairs(text):
    return dict(urllib.parse.parse_qsl(text, keep_blank_values=True))


def alidns():
    def sign(text):
        return signatures.alidns("testsecret", signatures.alidns_text("GET", pairs(text)))

    yield sign(ALIDNS_DOCUMENTED), "uRpHwaSEt3J+6KQD//svCh/x+pI="
    yield sign(ALIDNS_CLIENT), "GhiZg2ohcwbna7kYuku7CQrheyY="


def tencent():
    def sign(host, body, at):
        headers = {"host": host, "content-type": "application/json"}
        return signatures.tencent("SKtest", "content-type;host", headers, "", body, at)

    yield (
        sign("dnspod.tencentcloudapi.com", b'{"Domain":"example.com"}', 1700000000),
        "91ec2c413c408d9b26c3424f527c127cb51bbed7a126f9c08a2cbe2f11b76e9f",
    )
    yield (
        sign("127.0.0.1:18098", b'{"Domain": "nosuch.com"}', 1795220247),
        "3462a2ffe39130c0048c4cb985f972521afba0c58ac5961b1a7e2dbd2cb98376",
    )


def huawei():
    query = "name=home.example.com&type=A"

    def sign(path, headers):
        request = Request("GET", f"{path}?{query}", headers, b"", "")
        return signatures.huawei("SKtest", request, ";".join(sorted(headers)), headers["x-sdk-date"])

    host = {"host": "dns.myhuaweicloud.com", "x-sdk-date": "20231114T221320Z"}
    yield sign("/v2.1/recordsets", host), "fbe25aac97e79df7c28f32f4b29ab613222c46f25e4ff0013d60deb2ecbfdbd3"
    client = {
        "content-type": "application/json",
        "host": "127.0.0.1:18098",
        "user-agent": "huaweicloud-usdk-python/3.0; os/Linux##1_SMP_PREEMPT_DYNAMIC_@0#x86_64 "
        "python/3.11.7 impl/CPython; app/3852f6a8-da95-4f89-9ff8-1b71194a6546",
        "x-project-id": "pid",
        "x-sdk-date": "20261121T001612Z",
    }
    yield sign("/v2/recordsets", client), "b05f4b1535bd99c60706f948cefade6ceee42b27b771f77c9a2eb3a11f93f39d"


def baidu():
    request = Request("POST", "/v1/domain/resolve/list", {"host": "bcd.baidubce.com"}, b"", "")
    prefix = "bce-auth-v1/AKtest/2023-11-14T22:13:20Z/1800"
    yield (
        signatures.baidu("SKtest", prefix, request, "host"),
        "82597f46b95938557ca37a8602c2d1cbe9211aeff70d9efaf752850ef13fe12e",
    )


def volcengine():
    """What the official client signs, as our side has it in its own tests."""

    def sign(method, query, headers, body):
        headers = {**headers, "x-content-sha256": signatures.digest(body), "x-date": "20231114T221320Z"}
        request = Request(method, f"/?{query}", {"host": "dns.volcengineapi.com", **headers}, body, "")
        signed = ";".join(sorted(request.headers))
        return signatures.volcengine("SKtest", request, signed, "20231114/cn-north-1/dns/request")

    yield (
        sign("GET", "Action=ListZones&Key=example.com&SearchMode=exact&Version=2018-08-01", {}, b""),
        "deba73795771abfd515745e0fcf1c3f6c993cc0d27fff0853d2c285175059e27",
    )
    yield (
        sign(
            "POST",
            "Action=UpdateRecord&Version=2018-08-01",
            {"content-type": "application/json"},
            b'{"RecordID":"1"}',
        ),
        "36bf13653fe6936dbddd57f41be88623afb9872188eeef2162b5904965d854fe",
    )


def check():
    """Ends with an error at the first that is wrong; says how many are right."""
    count = 0
    for vector in (alidns, tencent, huawei, baidu, volcengine):
        for computed, known in vector():
            assert computed == known, f"{vector.__name__}: {computed} is not {known}"
            count += 1
    print(f"{count} signatures are right")
