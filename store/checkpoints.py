"""Checkpoints (校验点): signed heads in a file beside the database, against rolling a whole chain back."""

from __future__ import annotations

import errno
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

import structlog

from petition.clock import Clock
from store.moments import to_micros
from store.vault import Vault

log = structlog.get_logger(__name__)

EVERY = 60.0  # seconds between two checkpoints of one chain


class Checkpoints:
    """Appends one line of JSON for a chain's head at most once a minute, and at every clean stop."""

    def __init__(self, path: Path, vault: Vault, clock: Clock) -> None:
        self._path = path
        self._vault = vault
        self._clock = clock
        self._last: float | None = None

    def note(self, chain: int, place: int, head: bytes, now: bool = False) -> None:
        """Leave a checkpoint if it is time, or `now`. Called by the writer after COMMIT.

        Never raises: what is committed is committed, and an error here would make the writer do it a second time. A
        checkpoint that a full disk refused is tried again after the next commit.
        """
        moment = time.monotonic()
        if not now and self._last is not None and moment - self._last < EVERY:
            return
        self._last = moment
        at = to_micros(self._clock())
        line = {"chain": chain, "place": place, "head": head.hex(), "at": at}
        line["mac"] = self._vault.mac("checkpoint", message(chain, place, head.hex(), at)).hex()
        try:
            self._append(json.dumps(line).encode() + b"\n")
        except OSError as problem:
            self._last = None
            log.warning("a checkpoint could not be written", problem=problem.strerror)

    def _append(self, line: bytes) -> None:
        handle = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            before = os.fstat(handle).st_size
            if os.write(handle, line) != len(line):
                os.ftruncate(handle, before)  # half a line would look like a hand in the file
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fsync(handle)
        finally:
            os.close(handle)


def message(chain: int, place: int, head: str, at: int) -> bytes:
    """What the code of a checkpoint speaks for."""
    return json.dumps([chain, place, head, at]).encode()


def read(path: Path) -> Iterator[dict[str, object]]:
    """The checkpoints of a file, oldest first; a last line cut by a crash is passed over."""
    if not path.exists():
        return
    for line in path.read_text().split("\n")[:-1]:
        try:
            found = json.loads(line)
        except ValueError:
            found = {"broken": line}
        yield found
