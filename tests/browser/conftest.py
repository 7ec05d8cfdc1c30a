"""One gateway and one Chromium for each file of browser tests; each test is a visitor of its own, and watched."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.chromium import Watch, chromium, closing, open_context
from tests.browser.house import House
from tests.servers.process import own_folder

# The tests come from one address and are quick; a small limit for files keeps them small.
SETTINGS = {
    "RATE_PER_MINUTE": "6000",
    "MAX_UPLOAD": str(2 << 20),
    "SECRET_KEY": "a key of the tests that protects nobody's data",
}

Visit = Callable[..., Page]


@dataclass(frozen=True)
class Open:
    """A house whose door is open. filed: case numbers of the receipts that were given out on the pages."""

    house: House
    url: str
    filed: set[str] = field(default_factory=set)


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    """A data folder with nothing in it; whoever needs an officer adds one before asking for the gateway."""
    with own_folder("xf-browser-", None) as folder:
        yield House(folder, SETTINGS)


@pytest.fixture(scope="module")
def gateway(house: House) -> Iterator[Open]:
    """A gateway; at its end the ledger must know exactly the petitions that the tests say they have filed."""
    with house.serve("--no-demo") as url:
        opened = Open(house, url)
        yield opened
        assert house.petitions() == len(opened.filed)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium."""
    with chromium() as started:
        yield started


@pytest.fixture
def watch(gateway: Open) -> Iterator[Watch]:
    """What the pages of this test did wrong: nothing, unless the test has taken it out of the list."""
    seen = Watch(gateway.url)
    yield seen
    assert seen.wrong == []
    assert seen.refused == []


@pytest.fixture
def visit(browser: Browser, gateway: Open, watch: Watch) -> Iterator[Visit]:
    """Opens a page of a new visitor; takes the options of a Playwright context."""
    with ExitStack() as stack:

        def open_page(**options: Any) -> Page:
            context = stack.enter_context(closing(open_context(browser, gateway.url, **options)))
            watch.over(context)
            return context.new_page()

        yield open_page
