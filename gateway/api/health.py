"""Health (健康检查): whether the process lives, whether it can keep a promise, and its metrics."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from aiohttp import web

from gateway import errors
from gateway.metrics import Metrics
from gateway.middleware import Drain
from petition.errors import PetitionError, Unavailable
from store.database import Store


class Health:
    """`/healthz`, `/readyz` and `/metrics`. alive: whether relays and worker run."""

    def __init__(self, store: Store, drain: Drain, metrics: Metrics, alive: Callable[[], bool]) -> None:
        self._store = store
        self._drain = drain
        self._metrics = metrics
        self._alive = alive

    def routes(self) -> list[web.RouteDef]:
        """All three."""
        return [
            web.get("/healthz", self.healthz),
            web.get("/readyz", self.readyz),
            web.get("/metrics", self.metrics),
        ]

    async def healthz(self, request: web.Request) -> web.Response:
        """The loop answers: alive."""
        return web.json_response({"status": "ok"})

    async def readyz(self, request: web.Request) -> web.Response:
        """Ready only if the store can keep a promise now and nothing is being stopped."""
        try:
            if self._drain.on:
                raise Unavailable("系统正在停止。")
            if not self._alive():
                raise Unavailable("转办线程没有运行。")
            await asyncio.to_thread(self._store.check)
        except PetitionError as problem:
            return errors.problem_of(problem)
        return web.json_response({"status": "ready"})

    async def metrics(self, request: web.Request) -> web.Response:
        """Prometheus' text form."""
        return web.Response(body=await asyncio.to_thread(self._metrics.text), headers={"Content-Type": METRICS_TYPE})


METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"
