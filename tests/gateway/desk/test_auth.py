"""Signing in: two factors, one answer for every failure, sessions that cannot be fixed, guessed or borrowed."""

from __future__ import annotations

import asyncio
import re
import shutil
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pyotp
import pytest
from aiohttp import web
from argon2 import PasswordHasher
from sqlalchemy import select

from config.reference import Reference
from gateway.auth import Passwords, guarded_by, local_path
from petition.errors import TooMany
from store import accounts, audit, tables
from tests.fakes.workplace import PASSWORD, Browser, Client, Page, Room

Connect = Callable[[web.Application], Awaitable[Client]]
# aiohttp-jinja2 keeps its context under a plain string.
pytestmark = pytest.mark.filterwarnings("ignore::aiohttp.web_exceptions.NotAppKeyWarning")


def trail(room: Room) -> list[tuple[str, str, str]]:
    return [(row.actor, row.action, row.reason) for row in room.store.read_now(audit.recent)]


async def test_password_then_code_opens_the_page_that_was_asked_for(room: Room, browser: Browser) -> None:
    officer = room.hire()
    page = await browser.get("/desk?queue=held")
    assert page.path.startswith("/desk/sign-in?next=")
    page = await browser.post("/desk/sign-in", {"name": " YanShi ", "password": PASSWORD})
    assert "验证码" in page.text
    page = await browser.post("/desk/sign-in/code", {"code": room.code(officer)})
    assert (page.status, page.path) == (200, "/desk?queue=held")
    assert ("officer:yanshi", "sign_in", "") in trail(room)


async def test_between_password_and_code_nothing_is_open(room: Room, browser: Browser) -> None:
    room.hire()
    await browser.get("/desk")
    await browser.post("/desk/sign-in", {"name": "yanshi", "password": PASSWORD})
    assert (await browser.get("/desk")).path.startswith("/desk/sign-in")


async def wrong(browser: Browser, name: str, password: str) -> Page:
    await browser.get("/desk/sign-in")
    return await browser.post("/desk/sign-in", {"name": name, "password": password})


async def test_every_failure_gets_the_same_answer(room: Room, browser: Browser) -> None:
    room.hire()
    closed = room.hire("closed")
    found = room.store.read_now(lambda tx: accounts.find(tx, closed.name))
    assert found is not None
    room.store.write_now(lambda tx: accounts.deactivate(tx, found.id))
    pages = [
        await wrong(browser, name, password)
        for name, password in (("nobody", PASSWORD), ("yanshi", "wrong"), ("closed", PASSWORD))
    ]
    for _ in range(4):
        await wrong(browser, "yanshi", "wrong")
    pages.append(await wrong(browser, "yanshi", PASSWORD))  # locked by now
    assert {page.status for page in pages} == {422}
    told = {re.sub(r'value="[^"]*"', "", page.body) for page in pages}
    assert len(told) == 1, "an answer tells more than another"


async def test_a_lock_ends_and_the_trail_tells_of_it_without_unknown_names(room: Room, browser: Browser) -> None:
    officer = room.hire()
    for _ in range(6):
        await wrong(browser, "yanshi", "wrong")
    await wrong(browser, "my secret typed into the wrong field", "x")
    assert ("officer:yanshi", "sign_in_failed", "locked") in trail(room)
    assert "secret" not in str(trail(room))
    room.move(minutes=15)
    assert (await browser.sign_in(officer)).path == "/desk"


async def test_known_and_unknown_names_cost_the_same(room: Room) -> None:
    """Statistical, with a wide margin: the hash is by far the largest cost, and both pay it."""
    passwords = Passwords(PasswordHasher(time_cost=1, memory_cost=20_000))
    stored = passwords.hash_now("x")

    async def cost(hashed: str) -> float:
        start = time.perf_counter()
        for _ in range(5):
            await passwords.right(hashed, "wrong")
        return time.perf_counter() - start

    await cost("")
    known, unknown = await cost(stored), await cost("")
    assert 0.4 < known / unknown < 2.5


async def test_a_flood_of_sign_ins_is_sent_away(room: Room) -> None:
    passwords = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1), at_once=1, waiting=2)
    stored = passwords.hash_now("x")
    answers = await asyncio.gather(*(passwords.right(stored, "x") for _ in range(10)), return_exceptions=True)
    assert [type(answer) for answer in answers].count(TooMany) == 7
    assert await passwords.right(stored, "x"), "and then it goes on"


@pytest.mark.parametrize("stored", ["", "not a hash", "$argon2id$v=19$broken"])
async def test_no_password_fits_what_is_no_hash(room: Room, stored: str) -> None:
    assert not await room.passwords.right(stored, "")


async def test_a_code_is_good_once(room: Room, browser: Browser, aiohttp_client: Connect) -> None:
    officer = room.hire()
    other = Browser(room, await aiohttp_client(room.app()))
    for each in (browser, other):
        await each.get("/desk")
        await each.post("/desk/sign-in", {"name": officer.name, "password": PASSWORD})
    code = room.code(officer)
    assert (await browser.post("/desk/sign-in/code", {"code": code})).path == "/desk"
    page = await other.post("/desk/sign-in/code", {"code": code})
    assert page.status == 422
    assert "已经用过" in page.text


async def test_the_token_changes_at_sign_in_and_dies_at_sign_out(room: Room, browser: Browser) -> None:
    officer = room.hire()

    def token() -> str:
        return next((cookie.value for cookie in browser.client.session.cookie_jar if cookie.key == "desk"), "")

    await browser.get("/desk")
    await browser.post("/desk/sign-in", {"name": officer.name, "password": PASSWORD})
    half = token()
    await browser.post("/desk/sign-in/code", {"code": room.code(officer)})
    full = token()
    assert len({"", half, full}) == 3
    stored = room.store.read_now(lambda tx: tx.connection.scalars(select(tables.officer_sessions.c.token_hash)).all())
    assert len(stored) == 1
    assert full.encode() not in stored[0]
    page = await browser.post("/desk/sign-out")
    assert (page.path, token()) == ("/desk/sign-in?done=signed_out", "")
    browser.client.session.cookie_jar.update_cookies({"desk": full})
    assert (await browser.get("/desk")).path.startswith("/desk/sign-in")


@pytest.mark.parametrize(("over_tls", "name"), [(False, "desk"), (True, "__Host-desk")])
async def test_the_cookie_is_for_this_site_only(
    tmp_path: Path, reference: Reference, blank: Path, aiohttp_client: Connect, over_tls: bool, name: str
) -> None:
    shutil.copy(blank, tmp_path)
    room = Room(tmp_path, reference, over_tls)
    officer = room.hire()
    browser = Browser(room, await aiohttp_client(room.app()))
    await browser.get("/desk/sign-in")
    fields = {"name": officer.name, "password": PASSWORD}
    async with browser.client.post("/desk/sign-in", data=fields, allow_redirects=False) as answer:
        line = next(line for line in answer.headers.getall("Set-Cookie") if line.startswith(f"{name}="))
    assert all(part in line for part in ("HttpOnly", "SameSite=Strict", "Path=/"))
    assert ("Secure" in line) is over_tls
    room.store.close()


@pytest.mark.parametrize(("minutes", "open_still"), [(29, True), (31, False)])
async def test_an_idle_sign_in_ends(room: Room, browser: Browser, minutes: int, open_still: bool) -> None:
    await browser.sign_in(room.hire())
    for _ in range(2):
        room.move(minutes=minutes)
        page = await browser.get("/desk")
    assert (page.path == "/desk") is open_still


@pytest.mark.parametrize("csrf", ["", "0" * 40, "é"])
async def test_a_form_without_the_sessions_token_is_refused(room: Room, browser: Browser, csrf: str) -> None:
    await browser.sign_in(room.hire())
    page = await browser.post("/desk/sign-out", {"csrf": csrf})
    assert page.status == 403
    assert (await browser.get("/desk")).path == "/desk"


async def test_the_token_of_another_session_is_refused(room: Room, browser: Browser, aiohttp_client: Connect) -> None:
    other = Browser(room, await aiohttp_client(room.app()))
    await other.sign_in(room.hire("other"))
    await browser.sign_in(room.hire())
    assert (await browser.post("/desk/sign-out", {"csrf": other.page.hidden("csrf")})).status == 403


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "https://elsewhere.example.com"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "same-origin"}, 422),
        ({}, 422),
    ],
)
async def test_no_other_site_can_sign_somebody_in(
    room: Room, browser: Browser, headers: dict[str, str], status: int
) -> None:
    await browser.get("/desk/sign-in")
    page = await browser.post("/desk/sign-in", {"name": "x", "password": "y"}, headers=headers)
    assert page.status == status


@pytest.mark.parametrize(
    ("path", "to"),
    [
        ("/desk", "/desk"),
        ("/desk/cases/x?queue=new", "/desk/cases/x?queue=new"),
        ("/desk?queue=held", "/desk?queue=held"),
        ("//evil.example.com", "/desk"),
        ("/desk\\@evil.example.com", "/desk"),
        ("https://evil.example.com/desk", "/desk"),
        ("/deskevil", "/desk"),
        ("/desk/\r\nSet-Cookie: x=y", "/desk"),
        ("/desk/sign-in", "/desk"),
        ("", "/desk"),
    ],
)
def test_after_the_sign_in_only_the_desk(path: str, to: str) -> None:
    assert local_path(path) == to


async def test_the_first_sign_in_sets_up_the_authenticator(room: Room, browser: Browser) -> None:
    officer = room.hire(with_totp=False)
    assert officer.otpauth == ""
    await browser.get("/desk")
    page = await browser.post("/desk/sign-in", {"name": officer.name, "password": PASSWORD})
    assert "data:image/svg+xml" in page.body
    secret = re.search(r"secret number\">([A-Z2-7 ]+)<", page.body)
    assert secret is not None
    assert (await browser.get("/desk/sign-in/enrol")).body.count(secret[1]) == 1, "a reload shows the same secret"
    page = await browser.post("/desk/sign-in/enrol", {"code": "000000"})
    assert page.status == 422
    code = pyotp.TOTP(secret[1].replace(" ", "")).at(room.at)
    assert (await browser.post("/desk/sign-in/enrol", {"code": code})).path == "/desk"
    assert ("officer:yanshi", "enrolled", "") in trail(room)


async def test_who_has_a_second_factor_cannot_set_up_another(room: Room, browser: Browser) -> None:
    officer = room.hire()
    await browser.get("/desk")
    await browser.post("/desk/sign-in", {"name": officer.name, "password": PASSWORD})
    token = next(cookie.value for cookie in browser.client.session.cookie_jar if cookie.key == "desk")
    code = pyotp.TOTP(room.place.gate.enrolment_secret(token)).at(room.at)
    assert (await browser.post("/desk/sign-in/enrol", {"code": code})).status == 422


async def test_what_was_typed_when_the_sign_in_ran_out_is_carried_over(room: Room, browser: Browser) -> None:
    officer = room.hire()
    await browser.sign_in(officer)
    room.move(minutes=31)
    page = await browser.post("/desk/cases/NONE/confirm", {"note": "写了很久的说明 <b>"})
    assert page.status == 401
    assert "没有丢失" in page.text
    assert "写了很久" not in page.body, "nobody but the officer may read it"
    await browser.post("/desk/sign-in", {"name": officer.name, "password": PASSWORD})
    page = await browser.post("/desk/sign-in/code", {"code": room.code(officer)})
    assert page.hidden("note") == "写了很久的说明 <b>"
    assert 'action="/desk/cases/NONE/confirm"' in page.body
    assert page.body.count('name="csrf"') == 1


async def test_it_is_not_carried_over_to_somebody_else(room: Room, browser: Browser) -> None:
    await browser.sign_in(room.hire())
    other = room.hire("other")
    room.move(minutes=31)
    await browser.post("/desk/cases/NONE/confirm", {"note": "写了很久的说明"})
    await browser.post("/desk/sign-in", {"name": other.name, "password": PASSWORD})
    page = await browser.post("/desk/sign-in/code", {"code": room.code(other)})
    assert page.path == "/desk"
    assert "写了很久" not in page.body


@pytest.mark.parametrize("carry", ["not base64 at all!", "AAAA", "é"])
async def test_a_carry_that_was_tampered_with_is_dropped(room: Room, browser: Browser, carry: str) -> None:
    officer = room.hire()
    await browser.get("/desk")
    await browser.post("/desk/sign-in", {"name": officer.name, "password": PASSWORD})
    page = await browser.post("/desk/sign-in/code", {"code": room.code(officer), "carry": carry})
    assert page.path == "/desk"


def test_every_route_of_the_desk_stands_behind_the_gate(room: Room) -> None:
    guards = {(route.method, route.path): guarded_by(route.handler) for route in room.place.routes()}
    assert set(guards.values()) == {"officer", "open"}
    assert {path for (_, path), guard in guards.items() if guard == "open"} == {
        "/desk/sign-in",
        "/desk/sign-in/code",
        "/desk/sign-in/enrol",
    }


async def test_without_a_sign_in_no_page_opens(room: Room, browser: Browser) -> None:
    for route in room.place.routes():
        if guarded_by(route.handler) != "officer":
            continue
        path = route.path.replace("{case_no}", "X1").replace("{digest}", "00")
        async with browser.client.request(route.method, path, allow_redirects=False) as answer:
            assert answer.status == (303 if route.method == "GET" else 401), path
            assert answer.headers["Cache-Control"] == "no-store"
