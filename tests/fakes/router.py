"""A routing system that misbehaves: fails, hangs, does it and loses the answer; runs in a test or as its own process.

    python tests/fakes/router.py --port 9000 --journal FILE --secret whsec_... --fail 0.1 --hang 0.02 --lose 0.05

The journal gets one JSON line for each distinct delivery (`key`, `case_no`, `sha256`), on the disk before the answer.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import os
import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web
from standardwebhooks import Webhook, WebhookVerificationError

SECRET = "whsec_c2FtcGxlLXJvdXRpbmctc2VjcmV0LWZvci10ZXN0cy0wMDE="
# fail: 500; busy: 503 with Retry-After; hang: no answer; lose: done, connection cut; garble: done, answer unreadable;
# refuse: 422; drip: done, the answer a byte at a time; conflict: done, and 409 as if it had been there before.
MOODS = ("ok", "fail", "busy", "hang", "lose", "garble", "refuse", "drip", "conflict")


@dataclass
class Router:
    """What it remembers: every distinct delivery by its key, and how often it was asked.

    mood: asked once for each request; a name of MOODS.
    """

    mood: Callable[[], str] = lambda: "ok"
    secret: str = SECRET
    journal: Path | None = None
    hang: float = 30.0
    retry_after: int = 1
    bodies: dict[str, dict[str, object]] = field(default_factory=dict)
    calls: Counter[str] = field(default_factory=Counter)
    forged: int = 0

    def __post_init__(self) -> None:
        if self.journal is not None and self.journal.exists():
            for line in self.journal.read_text(encoding="utf-8").splitlines():
                with suppress(ValueError):  # the last line of a killed router may be half written
                    entry = json.loads(line)
                    self.bodies[entry["key"]] = {"case_no": entry["case_no"]}

    @property
    def cases(self) -> Counter[str]:
        """How many distinct deliveries each case had."""
        return Counter(str(body["case_no"]) for body in self.bodies.values())

    def app(self) -> web.Application:
        """The application, for any aiohttp runner."""
        app = web.Application(client_max_size=16 << 20)
        app.router.add_put("/petitions/{case_no}", self._put)
        app.router.add_get("/deliveries", self._list)
        return app

    async def _list(self, request: web.Request) -> web.Response:
        return web.json_response({"cases": self.cases, "calls": sum(self.calls.values()), "forged": self.forged})

    async def _put(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        try:
            Webhook(self.secret).verify(body, dict(request.headers), json_parse=False)
        except (WebhookVerificationError, ValueError):
            self.forged += 1
            return web.json_response({"code": "forged"}, status=401)
        key = request.headers.get("Idempotency-Key", "")
        record = json.loads(body)
        if not key or record.get("case_no") != request.match_info["case_no"] or record.get("schema") != "petition/1":
            return web.json_response({"code": "invalid"}, status=400)
        self.calls[key] += 1
        mood = self.mood()
        if mood == "fail":
            return web.Response(status=500, text="internal error")
        if mood == "busy":
            return web.Response(status=503, headers={"Retry-After": str(self.retry_after)})
        if mood == "refuse":
            return web.json_response({"code": "refused"}, status=422)
        if mood == "hang":
            await asyncio.sleep(self.hang)
            return web.Response(status=504)
        known = key in self.bodies
        if not known:
            self._write_down(key, record, body)
        if mood == "lose":
            if request.transport is not None:
                request.transport.close()
            return web.Response()
        if mood == "garble":
            return web.Response(text="<html>please sign in</html>", content_type="text/html")
        if mood == "conflict" or (known and len(self.bodies) % 2):
            return web.json_response({"code": "exists"}, status=409)
        answer = json.dumps({"routing_id": f"R-{key}", "unit": {"code": record["lead_unit"], "name": ""}})
        return await self._drip(request, answer) if mood == "drip" else web.json_response(text=answer)

    async def _drip(self, request: web.Request, answer: str) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        with suppress(ConnectionError):
            for byte in answer.encode():
                await response.write(bytes([byte]))
                await asyncio.sleep(self.hang / len(answer))
        return response

    def _write_down(self, key: str, record: dict[str, object], body: bytes) -> None:
        if self.journal is not None:
            entry = {"key": key, "case_no": record["case_no"], "sha256": hashlib.sha256(body).hexdigest()}
            with self.journal.open("a", encoding="utf-8") as journal:
                journal.write(json.dumps(entry) + "\n")
                journal.flush()
                os.fsync(journal.fileno())
        self.bodies[key] = record


def moods(weights: dict[str, float], seed: int) -> Callable[[], str]:
    """A mood for each request: the weights are probabilities, the rest is `ok`."""
    chance = random.Random(seed)
    names = [*weights, "ok"]
    shares = [*weights.values(), max(0.0, 1 - sum(weights.values()))]
    return lambda: chance.choices(names, shares)[0]


def in_turn(names: Sequence[str]) -> Callable[[], str]:
    """The moods one after the other, then `ok` for ever."""
    left = list(names)
    return lambda: left.pop(0) if left else "ok"


@contextmanager
def serving(router: Router) -> Iterator[str]:
    """The router on a free port of this machine, in a thread of its own; gives its address."""
    loop = asyncio.new_event_loop()
    runner = web.AppRunner(router.app(), shutdown_timeout=0.1)
    bound: list[int] = []
    ready = threading.Event()

    async def start() -> None:
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        bound.append(runner.addresses[0][1])
        ready.set()

    async def stop() -> None:
        await runner.cleanup()
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def run() -> None:
        loop.run_until_complete(start())
        loop.run_forever()
        loop.run_until_complete(stop())
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()

    thread = threading.Thread(target=run, name="fake-router", daemon=True)
    thread.start()
    if not ready.wait(5):
        raise RuntimeError("the router did not start")
    try:
        yield f"http://127.0.0.1:{bound[0]}"
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run as a process until it is ended."""
    parser = argparse.ArgumentParser(description="A routing system that misbehaves on demand")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--journal", type=Path)
    parser.add_argument("--secret", default=SECRET)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--hang-seconds", type=float, default=30.0)
    for mood in MOODS[1:]:
        parser.add_argument(f"--{mood}", type=float, default=0.0, help="share of the requests")
    given = parser.parse_args(arguments)
    weights = {mood: getattr(given, mood) for mood in MOODS[1:]}
    router = Router(moods(weights, given.seed), given.secret, given.journal, given.hang_seconds)
    web.run_app(router.app(), host="127.0.0.1", port=given.port, print=lambda line: print(line, flush=True))


if __name__ == "__main__":
    main()
