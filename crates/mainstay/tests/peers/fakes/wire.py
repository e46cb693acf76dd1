"""What every fake gets and gives: a request, an answer, and what the two are made of."""

import json
import urllib.parse


class Request:
    """One request, taken apart; header names are in lower case."""

    scheme = "http"

    def __init__(self, method, target, headers, body, peer):
        self.method = method
        self.target = target
        self.path, _, self.query_text = target.partition("?")
        self.headers = headers
        self.body = body
        self.peer = peer

    @property
    def query(self):
        return dict(urllib.parse.parse_qsl(self.query_text, keep_blank_values=True))

    @property
    def form(self):
        text = self.body.decode("utf-8", "replace")
        return dict(urllib.parse.parse_qsl(text, keep_blank_values=True))

    def json(self):
        """The body as an object; an empty one where it is something else."""
        try:
            value = json.loads(self.body)
        except ValueError:
            return {}
        return value if isinstance(value, dict) else {}


class Answer:
    """What is sent back."""

    def __init__(self, status, body, headers=None):
        self.status = status
        self.headers = dict(headers or {})
        if isinstance(body, str):
            self.headers.setdefault("Content-Type", "text/plain; charset=utf-8")
            body = body.encode()
        elif not isinstance(body, bytes):
            self.headers.setdefault("Content-Type", "application/json")
            body = json.dumps(body, ensure_ascii=False).encode()
        self.body = body


class Refusal(Exception):
    """Ends a request with an answer."""

    def __init__(self, answer):
        super().__init__(answer.status)
        self.answer = answer


def encode(text, safe="-_.~"):
    """Percent-encoding by RFC 3986, which all the signatures ask for."""
    return urllib.parse.quote(text, safe=safe)
