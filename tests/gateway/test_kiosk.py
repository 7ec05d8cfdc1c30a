"""The self-service terminal: help on every page, two minutes, and nothing left for the next person."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from aiohttp import web
from sqlalchemy import update

from config.settings import Settings
from gateway.house import House, open_house
from gateway.kiosk import HELP, IDLE, kiosk_at
from petition.petition import Form
from store import drafts, tables
from tests.fakes.filing import STORY, fill, submit
from tests.fakes.portal import Browser, Client, RememberingIntake, portal_app

pytestmark = pytest.mark.filterwarnings("ignore::aiohttp.web_exceptions.NotAppKeyWarning")

Connect = Callable[[web.Application], Awaitable[Client]]


def idle(house: House, seconds: float) -> None:
    """What is typed has lain there for so long."""
    back = int(seconds * 1_000_000)
    house.store.write_now(
        lambda tx: tx.connection.execute(update(tables.drafts).values(touched_at=tables.drafts.c.touched_at - back))
    )


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    opened = open_house(Settings(data=tmp_path, min_free=0))
    yield opened
    opened.close()


@pytest.fixture
def intake() -> RememberingIntake:
    return RememberingIntake()


@pytest.fixture
async def terminal(house: House, intake: RememberingIntake, aiohttp_client: Connect) -> Browser:
    browser = Browser(await aiohttp_client(portal_app(house, intake)))
    await browser.get("/kiosk")
    return browser


def cookies(browser: Browser) -> set[str]:
    return {cookie.key for cookie in browser.client.session.cookie_jar if cookie.value}


async def test_a_petition_at_the_terminal_leaves_nothing(
    terminal: Browser, intake: RememberingIntake, house: House
) -> None:
    home = await terminal.get("/")
    assert home.path == "/kiosk"
    assert home.text.count('class="door') >= 4
    assert 'data-text="large"' in home.text
    await fill(terminal)
    assert await submit(terminal) == "/file/receipt"
    assert [arrival.form for arrival in intake.arrivals] == [Form.KIOSK]
    page = await terminal.get("/file/receipt")
    assert "办完了" in page.words
    assert "receipt.txt" not in page.text
    left = await terminal.client.post("/file/end", data={"_csrf": page.value("_csrf")}, allow_redirects=False)
    assert (left.status, left.headers["Location"]) == (303, "/kiosk?ended=done")
    assert "cache" in left.headers["Clear-Site-Data"]
    assert cookies(terminal) <= {"kiosk"}
    assert house.store.read_now(drafts.count) == 0
    for path in ("/file/receipt", "/file/check", "/file/story", "/track/case"):
        again = await terminal.get(path)
        assert again.path.split("?")[0] in ("/file", "/track"), path
        assert STORY["title"] not in again.text


async def test_two_idle_minutes_end_it_in_the_house_too(terminal: Browser, house: House) -> None:
    await fill(terminal)
    idle(house, 100)
    assert STORY["title"] in (await terminal.get("/file/story")).text, "somebody is there: it begins anew"
    idle(house, 100)
    page = await terminal.get("/file/story")
    assert STORY["title"] in page.text
    idle(house, 100)
    told = await terminal.client.post("/file/stay", data={"_csrf": page.value("_csrf")})
    assert told.status == 204
    idle(house, 100)
    assert (await terminal.get("/file/story")).path == "/file/story", "typing counts as well"
    idle(house, IDLE.total_seconds() + 11)
    assert (await terminal.get("/file/story")).path.startswith("/file?gone=1")
    assert house.store.read_now(drafts.count) == 1
    await terminal.post("/file")
    assert house.store.read_now(drafts.count) == 1, "the old one is gone when the next person begins"
    assert STORY["title"] not in (await terminal.get("/file/story")).text


async def test_an_ordinary_browser_keeps_its_day(
    house: House, intake: RememberingIntake, aiohttp_client: Connect
) -> None:
    phone = Browser(await aiohttp_client(portal_app(house, intake)))
    await fill(phone)
    idle(house, 3 * 3600)
    page = await phone.get("/file/story")
    assert STORY["title"] in page.text
    assert "data-kiosk" not in page.text
    assert (await phone.get("/file/end")).path == "/", "a link does not take anything from others"
    assert STORY["title"] in (await phone.get("/file/story")).text


async def test_every_page_helps_and_leads_nowhere_outside(terminal: Browser) -> None:
    await fill(terminal)
    for path in ("/kiosk", "/file", "/file/who", "/file/region", "/file/story", "/file/check", "/track", "/contact"):
        page = await terminal.get(path)
        assert HELP[path] in page.words, path
        assert "叫工作人员" in page.words, path
        assert not re.findall(r'href="https?://', page.text), path
        assert 'http-equiv="refresh"' in page.text, path
        assert "您还在吗" in page.words, path
    assert (await terminal.get("/nowhere")).status in (404, 400)


async def test_without_scripts_the_page_asks_and_ends_by_itself(terminal: Browser) -> None:
    page = await terminal.get("/kiosk/still?back=/file/story")
    assert 'href="/file/story"' in page.text
    answer = await terminal.client.get("/kiosk/still?back=//elsewhere.example")
    assert answer.headers["Refresh"] == "30; url=/file/end?why=idle"
    assert "elsewhere" not in re.sub(r"(?s)<head>.*?</head>|<form class=\"comfort\".*?</form>", "", await answer.text())
    assert "已自动清除" in (await terminal.get("/file/end?why=idle")).words


async def test_only_registered_machines_become_terminals(
    tmp_path: Path, intake: RememberingIntake, aiohttp_client: Connect
) -> None:
    house = open_house(Settings(data=tmp_path / "other", min_free=0, kiosk="10.1.0.0/16, 192.0.2.7"))
    try:
        browser = Browser(await aiohttp_client(portal_app(house, intake)))
        assert (await browser.get("/kiosk")).status == 403
        browser.client.session.cookie_jar.update_cookies({"kiosk": "1"})
        assert "data-kiosk" not in (await browser.get("/track")).text
    finally:
        house.close()


async def test_a_terminal_can_become_an_ordinary_browser_again(terminal: Browser) -> None:
    await terminal.get("/kiosk")
    assert (await terminal.post("/kiosk/leave")).path == "/"


@pytest.mark.parametrize("networks", ["everywhere", "10.0.0.0/40"])
def test_wrong_networks_stop_the_start(networks: str) -> None:
    with pytest.raises(ValueError, match=r"10\.0\.0\.0/8"):
        Settings(kiosk=networks)


def test_a_page_below_has_the_help_of_the_page_above() -> None:
    assert kiosk_at("/file/person/2").help == HELP["/file/person"]
    assert kiosk_at("/nowhere").help == HELP["/kiosk"]
    assert (kiosk_at("/track/case").stay, kiosk_at("/file/who").stay) == ("/track/stay", "/file/stay")
