"""Providers of text messages as the samples in docs/sms describe them; each checks the signature in its own hand."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

SECRET = "secret of the tests"


@dataclass(frozen=True, slots=True)
class Ask:
    """One request as it came over the wire."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def form(self) -> dict[str, str]:
        """Fields of a form or of a query."""
        raw = self.body.decode() if self.body else urlsplit(self.target).query
        return {name: values[-1] for name, values in parse_qs(raw, keep_blank_values=True).items()}


def by_form(ask: Ask) -> tuple[str, str]:
    """(number, id) of a request to provider 甲 of form-md5.toml; PermissionError when its signature is wrong."""
    fields = ask.form
    given = fields.pop("sign", "")
    text = ""
    for name in ("account", "content", "mobile", "nonce", "timestamp"):
        text += f"{name}={fields[name]}&"
    text += "key=" + SECRET
    if hashlib.md5(text.encode()).hexdigest().upper() != given:
        raise PermissionError("sign")
    return fields["mobile"], fields["content"]


def by_json(ask: Ask) -> tuple[str, str]:
    """The same for provider 乙 of json-hmac-sha256.toml."""
    head = ask.headers
    body_digest = hashlib.sha256(ask.body).hexdigest()
    text = f"POST\n/v2/messages\n{head['x-time']}\n{head['x-nonce']}\n{body_digest}"
    right = base64.b64encode(hmac.digest(SECRET.encode(), text.encode(), "sha256")).decode()
    if head["authorization"] != f"HMAC-SHA256 {right}" or abs(int(head["x-time"]) - time.time()) > 10**9:
        raise PermissionError("Authorization")
    sent = json.loads(ask.body)
    assert sent["signature_name"]
    assert sent["template"] in ("T-0001", "T-0002")
    return sent["phones"][0].removeprefix("+86"), sent["request_id"]


def by_query(ask: Ask) -> tuple[str, str]:
    """The same for provider 丙 of query-hmac-sha1.toml."""
    fields = ask.form
    given = fields.pop("Signature")

    def strict(words: str) -> str:
        return quote(words, safe="~")

    canonical = "&".join(f"{strict(name)}={strict(fields[name])}" for name in sorted(fields))
    text = "GET&%2F&" + strict(canonical)
    digest = hmac.new(f"{SECRET}&".encode(), text.encode(), hashlib.sha1).digest()
    if base64.b64encode(digest).decode() != given:
        raise PermissionError("Signature")
    assert json.loads(fields["TemplateParam"])["no"]
    return fields["PhoneNumbers"].removeprefix("86"), fields["OutId"]


KINDS: dict[str, tuple[Callable[[Ask], tuple[str, str]], dict[str, Any]]] = {
    "form-md5": (by_form, {"code": "0", "data": {"msgid": "A-1"}}),
    "json-hmac-sha256": (by_json, {"result": {"status": "accepted", "id": "B-1"}}),
    "query-hmac-sha1": (by_query, {"Code": "OK", "BizId": "C-1"}),
}


@dataclass
class Provider:
    """Remembers what it took. mood: "" takes it, "silent" takes it and never answers, "cut" takes it and hangs up, else
    (status, body) is answered and nothing taken."""

    kind: str
    url: str = ""
    asks: list[Ask] = field(default_factory=list)
    taken: list[tuple[str, str]] = field(default_factory=list)
    forged: int = 0
    mood: str | tuple[int, bytes] = ""
    wait: float = 0.0

    def answer(self, ask: Ask) -> tuple[int, bytes] | None:
        """(status, body), None to hang up."""
        self.asks.append(ask)
        check, good = KINDS[self.kind]
        if isinstance(self.mood, tuple):
            return self.mood
        try:
            self.taken.append(check(ask))
        except (PermissionError, KeyError):
            self.forged += 1
            return 403, b'{"code": "9001"}'
        if self.mood == "silent":
            time.sleep(self.wait)
        return None if self.mood else (200, json.dumps(good).encode())


@contextmanager
def providing(kind: str) -> Iterator[Provider]:
    """A provider of that kind on this machine."""
    provider = Provider(kind)

    class Handler(BaseHTTPRequestHandler):
        def _take(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            head = {name.lower(): value for name, value in self.headers.items()}
            answer = provider.answer(Ask(self.command, self.path, head, body))
            if answer is None:
                self.close_connection = True
                return
            self.send_response(answer[0])
            self.send_header("Content-Length", str(len(answer[1])))
            self.end_headers()
            self.wfile.write(answer[1])

        do_GET = do_POST = _take  # noqa: N815

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    provider.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
