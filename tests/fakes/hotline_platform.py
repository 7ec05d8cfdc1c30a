"""A 12345 platform that takes status events, checks their seal, and answers as it is told to."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

from standardwebhooks import Webhook

from tests.signing import SECRET


@dataclass
class Platform:
    """What came, in order. answers: statuses to give first; then 200."""

    answers: list[int] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    forged: int = 0

    def take(self, headers: dict[str, str], body: bytes) -> int:
        """The status for one request."""
        try:
            Webhook(SECRET).verify(body, headers)
        except Exception:
            self.forged += 1
            return 401
        self.events.append(json.loads(body))
        self.keys.append(headers["webhook-id"])
        return self.answers.pop(0) if self.answers else 200


@contextmanager
def serving(platform: Platform) -> Iterator[str]:
    """The address of the platform until the end of the block."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(platform.take({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Tests are quiet."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/status"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
