"""A workplace over a copied database, and an officer's browser before it."""

from __future__ import annotations

import shutil
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from aiohttp import web

from config.reference import Reference, load_reference
from tests.fakes.workplace import Browser, Client, Room

Connect = Callable[[web.Application], Awaitable[Client]]


@pytest.fixture(scope="session")
def reference() -> Reference:
    return load_reference()


@pytest.fixture
def room(tmp_path: Path, reference: Reference, blank: Path) -> Iterator[Room]:
    shutil.copy(blank, tmp_path)
    opened = Room(tmp_path, reference)
    yield opened
    opened.store.close()


@pytest.fixture
async def browser(room: Room, aiohttp_client: Connect) -> Browser:
    """Nobody is signed in yet."""
    return Browser(room, await aiohttp_client(room.app()))


@pytest.fixture
async def seated(room: Room, browser: Browser) -> Browser:
    """A screener's, signed in."""
    await browser.sign_in(room.hire())
    return browser
