"""The limiter (限流): how often one address, case or account may ask; kept in memory, bounded, no trace of persons."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable

from petition.errors import TooMany

KEYS = 50_000  # addresses remembered; the ones unseen longest are forgotten first


class Limiter:
    """A bucket a key: `rate` a minute on average, `burst` at once."""

    def __init__(self, rate: float, burst: int, moment: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate / 60
        self._burst = burst
        self._moment = moment
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def check(self, key: str) -> None:
        """Take one; raises TooMany with the seconds to wait when there is none."""
        now = self._moment()
        left, since = self._buckets.pop(key, (float(self._burst), now))
        left = min(float(self._burst), left + (now - since) * self._rate)
        if left < 1:
            self._buckets[key] = (left, now)
            raise TooMany(retry_after=max(1, int((1 - left) / self._rate) + 1))
        self._buckets[key] = (left - 1, now)
        if len(self._buckets) > KEYS:
            self._buckets.popitem(last=False)
