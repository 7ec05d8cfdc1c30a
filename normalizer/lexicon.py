"""The lexicon (词表): finds many words in a text in one pass, by the first two characters."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from operator import concat
from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T")


class Hit(NamedTuple, Generic[T]):
    """A word met at [start, end) with everything that was entered for it."""

    start: int
    end: int
    marks: tuple[T, ...]


class Lexicon(Generic[T]):
    """Words of two characters or more, each with one or several marks. Built once, read by many threads."""

    __slots__ = ("_heads", "_marks")

    def __init__(self, entries: Iterable[tuple[str, T]]) -> None:
        marks: dict[str, tuple[T, ...]] = {}
        heads: dict[str, set[int]] = {}
        for word, mark in entries:
            if len(word) < 2:
                raise ValueError(f"a word of the lexicon needs two characters: {word!r}")
            marks[word] = (*marks.get(word, ()), mark)
            heads.setdefault(word[:2], set()).add(len(word))
        self._marks = marks
        self._heads = {head: tuple(sorted(lengths, reverse=True)) for head, lengths in heads.items()}

    def scan(self, text: str, *, overlap: bool = False) -> list[Hit[T]]:
        """The longest word at each place, left to right; with `overlap` a word may begin inside the one before.

        Costs one dictionary look-up a character, so the time is linear whatever the text holds.
        """
        heads, marks = self._heads, self._marks
        pairs = map(concat, text, islice(text, 1, None))
        begun = [start for start, pair in enumerate(pairs) if pair in heads]
        found: list[Hit[T]] = []
        free = 0
        for start in begun:
            if start < free:
                continue
            for length in heads[text[start : start + 2]]:
                word = text[start : start + length]
                if word in marks:
                    found.append(Hit(start, start + length, marks[word]))
                    free = start if overlap else start + length
                    break
        return found
