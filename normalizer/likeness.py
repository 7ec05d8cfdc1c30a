"""Likeness (相似度): how far two texts tell the same, by the character pairs and triples they share."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from itertools import pairwise
from math import sqrt

_WORDS = re.compile(r"[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]{2,}")
KEPT = 800  # texts whose sets are kept, about 40 KB each
_LONGEST = 3000  # characters compared; later ones seldom change the picture


class Grams:
    """Cuts a text into its set of 2- and 3-grams of Han, without figures and the office's own phrases.

    The sets of the last texts are kept: the newest cases of a county are compared with every one that follows. Grams
    are kept as their hashes, a third of the memory; two that fall together change a likeness by less than a thousandth.
    """

    def __init__(self, stop: Iterable[str]) -> None:
        self._stop = re.compile("|".join(map(re.escape, sorted(stop, key=len, reverse=True))))
        self.of = lru_cache(KEPT)(self._cut)

    def _cut(self, text: str) -> frozenset[int]:
        """The set for one text; empty if it holds no two Han characters in a row."""
        found: set[int] = set()
        for run in _WORDS.findall(self._stop.sub(" ", text[:_LONGEST])):
            found.update(map(hash, pairwise(run)))
            found.update(map(hash, zip(run, run[1:], run[2:], strict=False)))
        return frozenset(found)


def likeness(one: frozenset[int], other: frozenset[int]) -> float:
    """Cosine of the two sets, 0..1; 0 if one is empty."""
    if not one or not other:
        return 0.0
    return len(one & other) / sqrt(len(one) * len(other))
