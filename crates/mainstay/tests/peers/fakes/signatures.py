"""The signatures of the clouds, computed from what has arrived; and vectors that prove them."""

import base64
import datetime
import hashlib
import hmac
import urllib.parse

from fakes.wire import encode


def digest(data):
    return hashlib.sha256(data).hexdigest()


def keyed(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def alidns_text(method, parameters):
    """What is signed in the RPC style, version 1.0; empty parameters count as well."""
    pairs = sorted((name, value) for name, value in parameters.items() if name != "Signature")
    joined = "&".join(f"{encode(name)}={encode(value)}" for name, value in pairs)
    return f"{method}&%2F&{encode(joined)}"


def alidns(secret, text):
    mac = hmac.new(f"{secret}&".encode(), text.encode(), hashlib.sha1).digest()
    return base64.b64encode(mac).decode()


def tencent(secret, signed, headers, query, body, at):
    """TC3-HMAC-SHA256 for the service `dnspod`; `signed` names the headers, `at` is in seconds."""
    date = datetime.datetime.fromtimestamp(at, datetime.timezone.utc).strftime("%Y-%m-%d")
    lines = "".join(f"{name}:{headers.get(name, '').strip().lower()}\n" for name in signed.split(";"))
    request = f"POST\n/\n{query}\n{lines}\n{signed}\n{digest(body)}"
    scope = f"{date}/dnspod/tc3_request"
    text = f"TC3-HMAC-SHA256\n{at}\n{scope}\n{digest(request.encode())}"
    key = keyed(keyed(keyed(f"TC3{secret}".encode(), date), "dnspod"), "tc3_request")
    return keyed(key, text).hex()


def huawei(secret, request, signed, date):
    """SDK-HMAC-SHA256: the secret is the key itself, and a path ends with a slash."""
    path = request.path if request.path.endswith("/") else request.path + "/"
    pairs = sorted(urllib.parse.parse_qsl(request.query_text, keep_blank_values=True))
    query = "&".join(f"{encode(name)}={encode(value)}" for name, value in pairs)
    lines = "".join(f"{name}:{request.headers.get(name, '').strip()}\n" for name in signed.split(";"))
    parts = [request.method, path, query, lines, signed, digest(request.body)]
    text = f"SDK-HMAC-SHA256\n{date}\n" + digest("\n".join(parts).encode())
    return keyed(secret.encode(), text).hex()


def baidu(secret, prefix, request, signed):
    """bce-auth-v1; the key is the hexadecimal text of the prefix's own signature."""
    pairs = sorted(urllib.parse.parse_qsl(request.query_text, keep_blank_values=True))
    query = "&".join(f"{encode(name)}={encode(value)}" for name, value in pairs)
    names = sorted(signed.split(";"))
    lines = "\n".join(f"{encode(name)}:{encode(request.headers.get(name, '').strip())}" for name in names)
    text = f"{request.method}\n{encode(request.path, '/-_.~')}\n{query}\n{lines}"
    key = keyed(secret.encode(), prefix).hex()
    return keyed(key.encode(), text).hex()


def volcengine(secret, request, signed, scope):
    """HMAC-SHA256 with the scope `date/region/service/request`, in which the key is derived."""
    pairs = sorted(urllib.parse.parse_qsl(request.query_text, keep_blank_values=True))
    query = "&".join(f"{encode(name)}={encode(value)}" for name, value in pairs)
    lines = "".join(f"{name}:{request.headers.get(name, '').strip()}\n" for name in signed.split(";"))
    parts = [request.method, request.path or "/", query, lines, signed, digest(request.body)]
    text = f"HMAC-SHA256\n{request.headers.get('x-date', '')}\n{scope}\n" + digest("\n".join(parts).encode())
    key = secret.encode()
    for part in scope.split("/"):
        key = keyed(key, part)
    return keyed(key, text).hex()


def same(one, other):
    return hmac.compare_digest(one.encode(), other.encode())
