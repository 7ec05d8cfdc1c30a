"""The inbox (收件夹): a watched folder, polled because network shares tell of no change; nothing is lost."""

from __future__ import annotations

import errno
import fnmatch
import os
import secrets
import shutil
import stat
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple

from config.fax import Watch

CLAIMED, DONE, FAILED = ".claimed", "done", "failed"
_NAME_MAX = 255  # bytes of a name on most disks


class Stamp(NamedTuple):
    """What changes when somebody still writes."""

    inode: int
    size: int
    modified: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A file that stands still. waited: seconds since it was last seen to change."""

    name: str
    path: Path
    stamp: Stamp
    regular: bool
    waited: float


class Changed(Exception):
    """The file changed while it was read: its writer is not through."""


class Inbox:
    """One folder with its `done`, `failed` and `.claimed` inside, so that a move is one atomic rename on any share.

    moment: seconds that only run forwards; wall: seconds since 1970. All calls block: run them in a thread.
    """

    def __init__(
        self,
        folder: Path,
        watch: Watch,
        moment: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.folder = folder
        self._watch = watch
        self._moment = moment
        self._wall = wall
        self._seen: dict[str, tuple[Stamp, float]] = {}
        self._later: dict[str, tuple[Stamp, float]] = {}

    def open(self) -> None:
        """Make the folders; OSError when the share is not there."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for name in (CLAIMED, DONE, FAILED):
            (self.folder / name).mkdir(mode=0o700, exist_ok=True)

    def look(self) -> list[Found]:
        """The files that stood still long enough, the oldest first; links are shown as what they are, not followed."""
        now = self._moment()
        seen: dict[str, tuple[Stamp, float]] = {}
        ready: list[Found] = []
        with os.scandir(self.folder) as entries:
            for entry in entries:
                if any(fnmatch.fnmatch(entry.name, pattern) for pattern in self._watch.ignored):
                    continue
                try:
                    status = entry.stat(follow_symlinks=False)
                except FileNotFoundError:
                    continue
                if stat.S_ISDIR(status.st_mode):
                    continue
                stamp = _stamp(status)
                before, since = self._seen.get(entry.name, (None, now))
                since = since if before == stamp else now
                seen[entry.name] = (stamp, since)
                if before == stamp and now - since >= self._watch.settle and not self._postponed(entry.name, stamp):
                    regular = stat.S_ISREG(status.st_mode)
                    path = self.folder / entry.name
                    found = Found(name=entry.name, path=path, stamp=stamp, regular=regular, waited=now - since)
                    ready.append(found)
        self._seen = seen
        self._later = {name: kept for name, kept in self._later.items() if name in seen}
        return sorted(ready, key=lambda found: (found.stamp.modified, found.name))[: self._watch.batch]

    def postpone(self, found: Found, seconds: float) -> None:
        """Leave a file alone for a while, unless it changes."""
        self._later[found.name] = (found.stamp, self._moment() + seconds)

    def patient(self, found: Found) -> bool:
        """Whether there is still hope that its writer goes on; then it is left alone until there is none."""
        left = self._watch.patience - found.waited
        if left > 0:
            self.postpone(found, min(left, self._watch.patience / 10))
        return left > 0

    def read(self, found: Found, most: int) -> bytes | None:
        """The bytes, or None when there are more than `most`. Raises Changed, and OSError as the disk does."""
        if found.stamp.size > most:
            return None
        # A link put there between the look and now is not followed, a pipe does not block.
        handle = os.open(found.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(handle, "rb") as source:
            body = source.read(most + 1)
            if _stamp(os.fstat(handle)) != found.stamp or len(body) != found.stamp.size:
                raise Changed()
        return body

    def claim(self, found: Found) -> Path | None:
        """Take the file out of everybody's sight; None when another process was faster or it changed meanwhile."""
        place = self.folder / CLAIMED / f"{int(self._wall())}-{secrets.token_hex(6)}"
        place.mkdir(mode=0o700, parents=True)
        target = place / found.name
        try:
            os.rename(found.path, target)
        except FileNotFoundError:
            place.rmdir()
            return None
        if _stamp(os.lstat(target)) != found.stamp:
            self.give_back(target)
            return None
        return target

    def give_back(self, claimed: Path) -> None:
        """Put a claimed file back where it was."""
        os.rename(claimed, _free(self.folder / claimed.name))
        claimed.parent.rmdir()

    def done(self, claimed: Path, day: date) -> None:
        """It is entered: keep it for some days where a clerk finds it."""
        self._move(claimed, self.folder / DONE / day.isoformat())

    def failed(self, claimed: Path, words: str) -> None:
        """It cannot be used as it is: keep it, with the reason beside it."""
        kept = self._move(claimed, self.folder / FAILED)
        name = f"{kept.name}.reason.txt"
        if len(os.fsencode(name)) > _NAME_MAX:
            name = f"{secrets.token_hex(6)}.reason.txt"
        (kept.parent / name).write_text(words + "\n", encoding="utf-8")

    def take_back(self) -> int:
        """Put back what a killed process had in hand; how many files."""
        number = 0
        for place in (self.folder / CLAIMED).glob("*-*"):
            since = place.name.partition("-")[0]
            if since.isdigit() and int(since) < self._wall() - self._watch.claimed:
                left = list(place.iterdir())
                for path in left:
                    self.give_back(path)
                    number += 1
                if not left:
                    place.rmdir()
        return number

    def sweep(self, today: date) -> None:
        """Remove entered files older than the days they are kept; their originals are in the ledger."""
        oldest = today - timedelta(days=self._watch.keep_days)
        for folder in (self.folder / DONE).glob("????-??-??"):
            with suppress(ValueError):
                if date.fromisoformat(folder.name) < oldest:
                    shutil.rmtree(folder, ignore_errors=True)

    def _postponed(self, name: str, stamp: Stamp) -> bool:
        known, until = self._later.get(name, (None, 0.0))
        return known == stamp and self._moment() < until

    @staticmethod
    def _move(claimed: Path, folder: Path) -> Path:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        kept = _free(folder / claimed.name)
        os.rename(claimed, kept)
        claimed.parent.rmdir()
        return kept


def is_link(problem: OSError) -> bool:
    """Whether opening failed because it is a symbolic link (POSIX open, O_NOFOLLOW)."""
    return problem.errno in (errno.ELOOP, errno.EMLINK)


def _stamp(status: os.stat_result) -> Stamp:
    return Stamp(status.st_ino, status.st_size, status.st_mtime_ns)


def _free(path: Path) -> Path:
    """The path, or one beside it when a file of that name is there: nothing is written over."""
    if not os.path.lexists(path):
        return path
    ending = f"~{secrets.token_hex(4)}{path.suffix}"
    stem = os.fsencode(path.stem)[: _NAME_MAX - len(os.fsencode(ending))]
    return path.with_name(os.fsdecode(stem) + ending)
