"""Twilio's list of messages (短信列表) for tests of the way out: takes, lists, loses answers, refuses."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

ACCOUNT, TOKEN, LINE = "AC" + "0" * 31 + "e", "token of the tests", "+8615400009999"


@dataclass
class TwilioList:
    """What it has. mood: "" takes; "cut" takes and hangs up; (status, JSON) answers and takes nothing."""

    url: str = ""
    messages: list[dict[str, str]] = field(default_factory=list)
    posts: int = 0
    looks: list[dict[str, str]] = field(default_factory=list)
    mood: str | tuple[int, dict[str, Any]] = ""

    def answer(self, method: str, target: str, authorization: str, body: bytes) -> tuple[int, dict[str, Any]] | None:
        """(status, JSON), None to hang up."""
        right = "Basic " + base64.b64encode(f"{ACCOUNT}:{TOKEN}".encode()).decode()
        parts = urlsplit(target)
        if authorization != right or parts.path != f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json":
            return 401, {"code": 20003, "status": 401}
        if method == "GET":
            asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
            self.looks.append(asked)
            return 200, {"messages": [one for one in self.messages if one["to"] == asked["To"]]}
        self.posts += 1
        if isinstance(self.mood, tuple):
            return self.mood
        form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        sid = f"SM{len(self.messages) + 1:032x}"
        self.messages.append({"sid": sid, "to": form["To"], "body": form["Body"], "status": "queued", **_rest(form)})
        return (201, self.messages[-1]) if not self.mood else None


def _rest(form: dict[str, str]) -> dict[str, str]:
    return {"callback": form.get("StatusCallback", ""), "from": form.get("From", form.get("MessagingServiceSid", ""))}


@contextmanager
def twilio_texts() -> Iterator[TwilioList]:
    """It, on this machine."""
    kept = TwilioList()

    class Handler(BaseHTTPRequestHandler):
        def _take(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            answer = kept.answer(self.command, self.path, self.headers.get("Authorization", ""), body)
            if answer is None:
                self.close_connection = True
                return
            told = json.dumps(answer[1]).encode()
            self.send_response(answer[0])
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(told)))
            self.end_headers()
            self.wfile.write(told)

        do_GET = do_POST = _take  # noqa: N815

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    kept.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield kept
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
