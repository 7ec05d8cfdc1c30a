"""A store with a clock that is set by hand, and the parts of the desk over the real reference data."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from config.reference import load_reference
from petition.clock import SHANGHAI
from store.database import Store, open_store
from tests.casework.samples import Parts, parts_of

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=SHANGHAI)


class SetClock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.at = NOON

    def __call__(self) -> datetime:
        return self.at

    def move(self, **by: float) -> None:
        """On by so much."""
        self.at += timedelta(**by)


@pytest.fixture(scope="session")
def parts() -> Parts:
    """Permissions, desk and decisions of one office."""
    return parts_of(load_reference())


@pytest.fixture
def clock() -> SetClock:
    """The clock of the store."""
    return SetClock()


@pytest.fixture
def store(tmp_path: Path, clock: SetClock, blank: Path) -> Iterator[Store]:
    """An open store on SQLite."""
    shutil.copy(blank, tmp_path)
    opened = open_store("", tmp_path, b"a secret for tests, 32 bytes or more", clock, min_free=0)
    yield opened
    opened.close()
