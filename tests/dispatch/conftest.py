"""The house that dispatch stands in: the shipped tree and rules, and a real store on SQLite."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

import config
from config.routes import Route, load_routes
from config.units import Units, load_units
from dispatch.conflict import Guard
from dispatch.routing import Routing
from store.database import Store, database_url, open_store
from store.migrate import migrate

DATA = Path(config.__file__).parent / "data"


@pytest.fixture(scope="session")
def units() -> Units:
    """The shipped tree."""
    return load_units(DATA)


@pytest.fixture(scope="session")
def routes() -> tuple[Route, ...]:
    """The shipped rules."""
    return load_routes(DATA)


@pytest.fixture(scope="session")
def guard(units: Units) -> Guard:
    """The guard over the shipped tree."""
    return Guard(units)


@pytest.fixture(scope="session")
def routing(units: Units, routes: tuple[Route, ...], guard: Guard) -> Routing:
    """The rules of an office of the province."""
    return Routing(units, routes, guard, "620000")


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty migrated database file, made once: migrating takes longer than most tests."""
    folder = tmp_path_factory.mktemp("migrated")
    migrate(database_url("", folder))
    return folder / "gateway.db"


@pytest.fixture
def store(tmp_path: Path, migrated: Path) -> Iterator[Store]:
    """A migrated SQLite store of its own."""
    shutil.copy(migrated, tmp_path / "gateway.db")
    opened = open_store("", tmp_path, b"k" * 32, min_free=0)
    yield opened
    opened.close()
