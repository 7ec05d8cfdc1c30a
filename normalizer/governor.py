"""The governor (调度): reads in line while there is time, defers under load, so that a flood never slows the door."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator

Mode = Literal["auto", "inline", "deferred"]

# With more arrivals than this inside the door at once, reading them here would make the next one wait.
CROWD = 8
# Longer texts are read by the worker: one long letter must not hold up the queue behind it.
LONG = 6000
# How much of its time the worker in this process may read while the door is busy: it never starves, it never crowds.
SHARE = 0.1
# How long after the last deferral the door counts as busy, seconds.
CALM = 1.0


class Governor:
    """Counts who is inside the door. Used by one loop and read by worker threads; needs no lock for that."""

    def __init__(
        self,
        mode: Mode = "auto",
        moment: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._mode = mode
        self._moment = moment
        self._sleep = sleep
        self._inside = 0
        self._busy_until = 0.0

    @contextmanager
    def inside(self) -> Iterator[None]:
        """An arrival is at the door for the length of this block."""
        self._inside += 1
        try:
            yield
        finally:
            self._inside -= 1

    def reads_now(self, length: int) -> bool:
        """Whether a text of this many characters is read in line."""
        if self._mode != "auto":
            return self._mode == "inline"
        if self._inside > CROWD:
            self._busy_until = self._moment() + CALM
            return False
        return length <= LONG

    @property
    def busy(self) -> bool:
        """Whether the door had to defer a moment ago."""
        return self._moment() < self._busy_until or self._inside > CROWD

    def rest(self, cost: float) -> None:
        """Called by a worker of this process after reading for `cost` seconds: leaves the door its share."""
        if self.busy:
            self._sleep(min(cost * (1 / SHARE - 1), 1.0))
