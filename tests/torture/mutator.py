"""The mutator (变异器): good inputs made bad in every way we know, always the same way for the same seed."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable, Sequence
from typing import Any

# What has broken systems before: ends of numbers, signs that hide or turn text, halves of characters, other tongues.
NASTY = (
    b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b"\r\n\r\n", b"\r\n.\r\n", b"\xed\xa0\xbd", b"\xf4\x90\x80\x80", b"\xc0\xaf",
    b"%00", b"%s%n", b"\\u0000", b"\\ud800", b"../../", b"<script>", b"]]>", b"'--", b"{{7*7}}", b"\x1b[2J", b"\x0b",
    "\u202e".encode(), "\u2066".encode(), "\ufeff".encode(), "\U0001f469\u200d\U0001f467".encode(), "\u0301".encode(),
    "龘".encode(), "𠮷".encode(), "１２３".encode(), "测试".encode("gb18030"), "測試".encode("big5"), b"-1", b"1e400",
    b"9" * 400, b"NaN", b"A" * 3000, "长".encode() * 1500, b"[" * 500, b"(" * 500, b'"' * 30, b"=?utf-8?B?////?=",
)  # fmt: skip
VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 10**30, 1.5, "", " ", "\x00", "\ud83d", "\u202e反", "字" * 3000, [], {}, [[]],
    [None] * 60, {"a": {"b": []}}, "2026-02-30", "0001-01-01T00:00:00+14:00", "theme:epidemic",
    "supplement:620000W20261120000017", "620102", "APPEAL", "１５４００００００００１", "=1+1", "' OR 1=1", "%00",
)  # fmt: skip


class Mutator:
    """Makes mutants. seed: printed by whoever runs it, so that a finding can be made again."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def chance(self, share: float) -> bool:
        """Whether something that happens in this share of all cases happens now."""
        return self.random.random() < share

    def pick(self, some: Sequence[Any]) -> Any:
        """One of them."""
        return some[self.random.randrange(len(some))]

    def spoil(self, raw: bytes, others: Sequence[bytes] = ()) -> bytes:
        """The bytes with one to four things done to them. others: inputs to splice with."""
        ways: tuple[Callable[[bytes], bytes], ...] = (
            self._flip, self._cut, self._drop, self._double, self._insert, self._swap, self._recode, self._digits,
            lambda some: self._splice(some, others),
        )  # fmt: skip
        for _ in range(self.random.choice((1, 1, 1, 2, 2, 3, 4))):
            raw = self.pick(ways)(raw)
        return raw

    def spoil_json(self, value: Any) -> Any:
        """A copy with some of its values, names or parts changed; still JSON."""
        value = copy.deepcopy(value)
        for _ in range(self.random.choice((1, 1, 2, 3))):
            places = list(_places(value))
            if not places:
                return copy.deepcopy(self.pick(VALUES))
            holder, key = self.pick(places)
            match self.random.randrange(6):
                case 0:
                    del holder[key]
                case 1 if isinstance(holder, dict):
                    holder[self._name(str(key))] = holder.pop(key)
                case 2 if isinstance(holder, list):
                    holder.extend([holder[key]] * self.random.choice((1, 5, 40)))
                case 3 if isinstance(holder[key], str):
                    holder[key] = self.spoil(holder[key].encode("utf-8", "surrogatepass")).decode("utf-8", "replace")
                case 4:
                    holder[key] = [holder[key]] if self.chance(0.5) else {"value": holder[key]}
                case _:
                    holder[key] = copy.deepcopy(self.pick(VALUES))
        return value

    def text(self, words: str) -> str:
        """Words with bytes of theirs spoilt, read again as far as they can be."""
        return self.spoil(words.encode("utf-8", "replace")).decode("utf-8", "replace")

    def written(self, value: Any) -> bytes:
        """A value as JSON, in one of the ways programs write it; sometimes with the bytes spoilt as well."""
        raw = json.dumps(value, ensure_ascii=self.chance(0.5), indent=self.pick((None, None, 2)))
        body = raw.encode("utf-8", "surrogatepass")
        return self.spoil(body) if self.chance(0.2) else body

    def _name(self, name: str) -> str:
        return str(self.pick((name.upper(), name + " ", "", "\u202e" + name, name[:-1], "__proto__", name * 50)))

    def _at(self, raw: bytes) -> int:
        return self.random.randrange(len(raw) + 1)

    def _flip(self, raw: bytes) -> bytes:
        some = bytearray(raw)
        for _ in range(self.random.choice((1, 1, 3, 20)) if some else 0):
            some[self.random.randrange(len(some))] ^= 1 << self.random.randrange(8)
        return bytes(some)

    def _cut(self, raw: bytes) -> bytes:
        return raw[: self._at(raw)]

    def _drop(self, raw: bytes) -> bytes:
        start = self._at(raw)
        return raw[:start] + raw[start + self.random.choice((1, 2, 16, 200)) :]

    def _double(self, raw: bytes) -> bytes:
        start = self._at(raw)
        return (
            raw[:start]
            + raw[start : start + self.random.choice((1, 30, 300))] * self.random.choice((2, 3, 20))
            + (raw[start:])
        )

    def _insert(self, raw: bytes) -> bytes:
        start = self._at(raw)
        return raw[:start] + NASTY[self.random.randrange(len(NASTY))] + raw[start:]

    def _swap(self, raw: bytes) -> bytes:
        first, second = sorted((self._at(raw), self._at(raw)))
        return raw[second:] + raw[first:second] + raw[:first]

    def _recode(self, raw: bytes) -> bytes:
        target = self.pick(("gb18030", "utf-16", "utf-16-le", "big5", "latin-1", "utf-7"))
        return raw.decode("utf-8", "replace").encode(target, "replace")

    def _digits(self, raw: bytes) -> bytes:
        return bytes(self.random.randrange(48, 58) if 48 <= one < 58 and self.chance(0.3) else one for one in raw)

    def _splice(self, raw: bytes, others: Sequence[bytes]) -> bytes:
        other = others[self.random.randrange(len(others))] if others else raw
        return raw[: self._at(raw)] + other[self._at(other) :]


def _places(value: Any) -> list[tuple[Any, Any]]:
    """(holder, key) of everything inside a JSON value."""
    found: list[tuple[Any, Any]] = []
    waiting = [value]
    while waiting:
        one = waiting.pop()
        keys = list(one) if isinstance(one, dict) else range(len(one)) if isinstance(one, list) else ()
        found += [(one, key) for key in keys]
        waiting += [one[key] for key in keys]
    return found
