"""The governor (调度): reads in line while there is time, defers under load, so that a flood never slows the door."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal

Mode = Literal["auto", "inline", "deferred"]

# With more arrivals than this inside the door at once, reading them here would make the next one wait.
CROWD = 8
# Longer texts are read by the worker: one long letter must not hold up the queue behind it.
LONG = 6000
# The share of its time the door may spend on reading, and how many seconds of it may be saved up for a busy moment.
SHARE, SAVED = 0.15, 0.05
# How long the door counts as busy after it last had no time, seconds.
CALM = 0.5


class Governor:
    """Knows how busy the door is. Written by one loop, read by the relays' threads; needs no lock for that."""

    def __init__(self, mode: Mode = "auto", moment: Callable[[], float] = time.monotonic) -> None:
        self._mode = mode
        self._moment = moment
        self._inside = 0
        self._saved = SAVED
        self._since = moment()
        self._busy_until = float("-inf")
        self.texts, self.seconds = 0, 0.0  # read in line so far, and the processor time it took

    @contextmanager
    def inside(self) -> Iterator[None]:
        """An arrival is at the door for the length of this block."""
        self._inside += 1
        if self._inside > CROWD:
            self._busy_until = self._moment() + CALM
        try:
            yield
        finally:
            self._inside -= 1

    def reads_now(self, length: int) -> bool:
        """Whether a text of this many characters is read in line."""
        if self._mode != "auto":
            return self._mode == "inline"
        if self._left() <= 0:
            self._busy_until = self._moment() + CALM
            return False
        return length <= LONG and self._inside <= CROWD

    @contextmanager
    def reading(self) -> Iterator[None]:
        """A text is read in line for the length of this block; what it takes is taken from what was saved."""
        left, begun, worked = self._left(), self._moment(), time.thread_time()
        try:
            yield
        finally:
            self.seconds += time.thread_time() - worked
            self.texts += 1
            self._since = self._moment()
            self._saved = left - (self._since - begun)
            if self._saved <= 0:
                self._busy_until = self._since + CALM

    def busy(self) -> bool:
        """Whether the door had no time a moment ago: work that can wait gives way."""
        return self._moment() < self._busy_until

    def _left(self) -> float:
        return min(SAVED, max(-SAVED, self._saved) + (self._moment() - self._since) * SHARE)
