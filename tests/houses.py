"""A whole house for tests: the real application over real TCP on this machine, its loop in a thread of its own."""

from __future__ import annotations

import asyncio
import io
import re
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import structlog
from aiohttp import web

from channels.door import Listener, Listening
from channels.smtp import SmtpListener
from config.settings import Settings
from gateway.house import House, open_house
from gateway.keys import DOORS, HALL
from gateway.metrics import Metrics
from gateway.middleware import Drain
from gateway.web import build_app
from gateway.worker import WayOut, way_out
from petition import clock
from store.reconciliation import Balance, reconcile

API_KEY = "sample-key-of-the-tests"
_ROOMY: Mapping[str, Any] = {"rate_per_minute": 1_000_000, "min_free": 0, "reading": "inline"}


@dataclass(frozen=True, kw_only=True)
class Rig:
    """One running house. client: talks to it and keeps no cookies unless a test gives it some."""

    url: str
    port: int
    house: House
    drain: Drain
    way: WayOut
    client: httpx.Client
    log: io.StringIO
    smtp: int = 0  # the port of the mail door, if it is open

    def stumbles(self) -> list[str]:
        """The lines of the log about errors nobody expected."""
        return [line for line in self.log.getvalue().splitlines() if "unexpected error" in line or "Traceback" in line]

    def balance(self, channel: str = "rest") -> Balance:
        """The figures of one channel."""
        return self.house.store.read_now(reconcile).get(channel, Balance())

    def gap(self) -> int:
        """What is neither here nor there, over all channels."""
        return sum(one.gap for one in self.house.store.read_now(reconcile).values())

    def raw(self, sent: bytes, *, wait: float = 5.0, half_close: bool = False) -> bytes:
        """The answer to bytes no client library would send."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=wait) as wire:
            wire.sendall(sent)
            if half_close:
                wire.shutdown(socket.SHUT_WR)
            answer = b""
            try:
                while not _complete(answer) and (piece := wire.recv(65536)):
                    answer += piece
            except (TimeoutError, ConnectionResetError):
                pass
        return answer


async def _end(runner: web.AppRunner) -> None:
    """Close the door; connections that nobody closed end with it."""
    await runner.cleanup()
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)


def _complete(answer: bytes) -> bool:
    """Whether the bytes hold one whole answer of told length."""
    head, _, body = answer.partition(b"\r\n\r\n")
    told = re.search(rb"(?i)content-length: *([0-9]+)", head)
    return told is not None and len(body) >= int(told[1])


@contextmanager
def _logging(log: io.StringIO) -> Iterator[None]:
    """One JSON line an event, as in production; without it structlog paints every traceback with all its values."""
    before = structlog.get_config()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        logger_factory=structlog.PrintLoggerFactory(log),
    )
    try:
        yield
    finally:
        structlog.configure(**before)


@contextmanager
def running_house(data: Path, *, way_out_too: bool = False, **settings: Any) -> Iterator[Rig]:
    """A house in a data folder. way_out_too: also start the threads that deliver; settings: over roomy defaults."""
    log = io.StringIO()
    with _logging(log), _open(data, log, way_out_too, settings) as rig:
        yield rig


@contextmanager
def _open(data: Path, log: io.StringIO, way_out_too: bool, settings: Mapping[str, Any]) -> Iterator[Rig]:
    chosen = Settings(data=data, http="127.0.0.1:0", smtp="127.0.0.1:0", **{**_ROOMY, **settings})
    house = open_house(chosen)
    way = way_out(chosen, house.store, house.routing, house.reading, office=house.office_name, text=house.text)
    drain, metrics = Drain(), Metrics()
    metrics.watch(house.store, clock.now, house.governor)
    loop = asyncio.new_event_loop()
    app = build_app(house, house.intake(way.wake), way, drain, metrics)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0, handle_signals=False)

    listeners: list[Listener] = []

    async def start() -> int:
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0, backlog=1024).start()
        listeners.extend([await door.listen(app[HALL]) for door in app[DOORS] if isinstance(door, Listening)])
        return int(runner.addresses[0][1])

    async def stop() -> None:
        await asyncio.gather(*(listener.stop() for listener in listeners))
        await _end(runner)

    thread = threading.Thread(target=loop.run_forever, name="house", daemon=True)
    thread.start()
    try:
        port = asyncio.run_coroutine_threadsafe(start(), loop).result(10)
        if way_out_too:
            way.start()
        url = f"http://127.0.0.1:{port}"
        with httpx.Client(base_url=url, timeout=20, trust_env=False) as client:
            smtp = next((one.port for one in listeners if isinstance(one, SmtpListener)), 0)
            yield Rig(url=url, port=port, house=house, drain=drain, way=way, client=client, log=log, smtp=smtp)
    finally:
        if way_out_too:
            way.stop(4.0)
        asyncio.run_coroutine_threadsafe(stop(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
        loop.close()
        house.close()


def until(condition: Any, seconds: float = 10.0) -> bool:
    """Whether the condition comes true in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return False
