"""A blank house (空库): a migrated database to copy, for tests that need a fresh one each."""

from __future__ import annotations

from pathlib import Path

import pytest

from store.database import database_url
from store.migrate import migrate


@pytest.fixture(scope="session")
def blank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated database to copy: migrating anew for each test would be most of its time."""
    folder = tmp_path_factory.mktemp("blank")
    migrate(database_url("", folder))
    return folder / "gateway.db"
