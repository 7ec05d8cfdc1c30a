"""A house in a fresh folder and a browser without scripts before its portal."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator

import pytest
from aiohttp import web

from config.settings import Settings
from gateway.house import House, open_house
from tests.fakes.portal import Browser, Client, RememberingIntake, portal_app

Connect = Callable[[web.Application], Awaitable[Client]]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A house in a fresh folder; tests differ by their browsers."""
    opened = open_house(Settings(data=tmp_path_factory.mktemp("house"), min_free=0, max_upload=200_000))
    yield opened
    opened.close()


@pytest.fixture
def intake() -> RememberingIntake:
    return RememberingIntake()


@pytest.fixture
async def browser(house: House, intake: RememberingIntake, aiohttp_client: Connect) -> Browser:
    return Browser(await aiohttp_client(portal_app(house, intake)))
