"""Refusals (拒收登记): inputs that can be no petition are kept in the ledger, bounded, so no flood can fill it."""

from __future__ import annotations

from dataclasses import replace

import structlog

from gateway.limiter import Limiter
from gateway.metrics import Metrics
from normalizer.intake import IntakeDesk
from petition.arrival import Arrival
from petition.errors import PetitionError, TooMany

KEPT = 64 << 10  # bytes kept of a refused body: enough to see what it was

log = structlog.get_logger(__name__)


class Refusals:
    """Implements `channels.door.Refuse`. What is beyond the rate is counted and told with the next one that is kept."""

    def __init__(self, intake: IntakeDesk, limiter: Limiter, metrics: Metrics) -> None:
        self._intake = intake
        self._limiter = limiter
        self._metrics = metrics
        self._passed_over = 0

    async def __call__(self, arrival: Arrival, reason: str) -> None:
        """Enter the refused input; never raises, because the sender gets the refusal either way."""
        self._metrics.refusals.labels(arrival.channel).inc()
        try:
            self._limiter.check(arrival.channel)
        except TooMany:
            self._passed_over += 1
            return
        more, self._passed_over = self._passed_over, 0
        words = f"{reason}; {more} more before it were only counted" if more else reason
        try:
            await self._intake.refuse(replace(arrival, raw=arrival.raw[:KEPT]), words)
        except PetitionError as problem:
            self._passed_over += more + 1
            log.warning("a refusal could not be kept", problem=problem.code)
