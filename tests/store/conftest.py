"""A store in a fresh folder, on SQLite and on a private PostgreSQL: the same tests for both."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from store.database import Store, database_url, open_store
from store.migrate import migrate

SECRET = b"a secret for tests, 32 bytes or more"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.servers)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty, migrated database."""
    address: str = database_url("", tmp_path) if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    migrate(address)
    return address


@pytest.fixture
def store(url: str, tmp_path: Path) -> Iterator[Store]:
    """An open store."""
    opened = open_store(url, tmp_path, SECRET, min_free=0)
    yield opened
    opened.close()


@pytest.fixture
def sqlite_store(tmp_path: Path) -> Iterator[Store]:
    """An open store on SQLite, for what only SQLite has."""
    address = database_url("", tmp_path)
    migrate(address)
    opened = open_store(address, tmp_path, SECRET, min_free=0)
    yield opened
    opened.close()
