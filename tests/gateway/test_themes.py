"""Theme channels end to end: a file is added, and there are page, petition, routing, proposals, desk and export."""

from __future__ import annotations

import json
import os
import re
import smtplib
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pyotp
import pytest
from argon2 import PasswordHasher
from click.testing import CliRunner

from casework.desk import find_original
from gateway.auth import Passwords
from gateway.demo.browser import Browser, Page
from gateway.line import cli
from gateway.officers import add_officer
from petition.petition import Lane
from store import petitions
from store.petitions import Case
from tests.fakes.filing import PERSON, STORY
from tests.fakes.themes import write_theme
from tests.houses import API_KEY, Rig, running_house, until

# aiohttp-jinja2 1.6 still names its request values by words.
pytestmark = pytest.mark.filterwarnings("ignore::aiohttp.web_exceptions.NotAppKeyWarning")

KEYS = {"X-API-Key": API_KEY}


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """A house of which only files were added: an open theme and one that is over."""
    folder = tmp_path_factory.mktemp("themes")
    write_theme(folder / "themes")
    write_theme(folder / "themes", "drought", title="抗旱", more="until = 2025-08-31", rows="")
    with running_house(
        folder,
        way_out_too=True,
        channels=("web", "rest", "hotline", "email"),
        api_keys=(f"partner:{API_KEY}",),
        mail_addresses=("xinfang@office.example",),
    ) as opened:
        yield opened


def case_of(rig: Rig, number: str, *, sent: bool = True) -> Case:
    def found() -> Case:
        return rig.house.store.read_now(lambda tx: petitions.get(tx, number))

    assert not sent or until(lambda: found().unit)
    return found()


def fill(browser: Browser, first: Page) -> Page:
    """The form from its introduction to the receipt."""
    page = browser.submit(first.form("/file"))
    for fields in (
        {"manner": "self"},
        PERSON,
        {"region": "620102"},
        {"occur_place": "演示小区"},
        {"purpose": "APPEAL"},
        STORY,
        {"requests": "请派人抽水"},
        {},
        {"is_public": "no", "confidential": "no"},
    ):
        if "region" in fields:
            page = browser.open("/file/region", q="城关区")
            page = browser.submit(page.form("/file/region"), button=("region", "620102"))
            continue
        if "content" in fields:
            assert "先写人，再写东西。" in page.text
        page = browser.submit(page.form(), fields)
        assert not page.problems
    page = browser.submit(page.form("/file/evidence"), button=("do", "next"))
    assert page.path == "/file/check"
    assert "您的电话会告诉社区的防汛值班人员。" in page.text
    return browser.submit(page.form())


def number_in(page: Page) -> str:
    found = re.search(r"620000-[A-Z]-[0-9]{8}-[0-9]{5}-[0-9A-Z]", page.text)
    assert found
    return found[0].replace("-", "")


def test_a_file_makes_a_page_a_petition_and_its_way(rig: Rig) -> None:
    with Browser(rig.url) as browser:
        home = browser.open("/")
        assert 'href="/theme/flood"' in home.text
        assert "抗旱" not in home.text
        start = browser.open("/theme/flood")
        assert "只用于反映洪水、内涝造成的困难。" in start.text
        receipt = fill(browser, start)
        assert receipt.path == "/file/receipt"
        case = case_of(rig, number_in(receipt))
    record = case.petition
    assert (record.sub_source, case.unit) == ("theme:flood", "620102-emergency")
    assert record.path[-1].rule == "FLOOD-ANY"
    assert (record.urgency, record.evidence["urgency"].stage) == ("URGENT", "theme")
    assert record.category_proposals[0].code == "02.05"
    raw = rig.house.store.read_now(lambda tx: _original(tx, case))
    assert raw["answers"]["fields"]["theme_consent"] == "您的电话会告诉社区的防汛值班人员。"


def _original(tx: Any, case: Case) -> dict[str, Any]:
    original = find_original(tx, case)
    assert original is not None
    assert original.body is not None
    found: dict[str, Any] = json.loads(original.body)
    return found


def test_a_closed_theme_says_so_and_the_general_form_is_there(rig: Rig) -> None:
    with Browser(rig.url) as browser:
        for path, words in (("/theme/drought", "“抗旱”现在没有开放"), ("/theme/nobody", "这个专题现在没有开放")):
            page = browser.open(path)
            assert (page.status, page.path) == (200, "/file")
            assert words in page.text
            assert "theme" not in page.form("/file").values
        assert browser.submit(page.form("/file")).path == "/file/who"


def test_a_theme_that_closes_under_the_hand_loses_nothing(rig: Rig) -> None:
    """The page was still open: the older draft of this browser is not dropped for a theme that is over."""
    with Browser(rig.url) as browser:
        page = browser.submit(browser.open("/file").form("/file"))
        browser.submit(page.form(), {"manner": "joint"})
        form = browser.open("/theme/flood").form("/file")
        form.values["theme"] = "drought"
        page = browser.submit(form)
        assert "“抗旱”现在没有开放" in page.text
        assert "您有一份没填完的内容" in page.text


# label, path, body, what is recorded, note
ORDER = {"order_no": "GD20261122000001", "content": "小区进水，请派人抽水。", "kind": "求助"}
SAID = {"title": "小区进水", "content": "小区进水，请派人抽水。", "problem_region": "620102"}
DOORS: list[tuple[str, str, dict[str, Any], str, bool]] = [
    ("rest", "/api/v1/petitions", {**SAID, "theme": "flood"}, "theme:flood", False),
    ("rest with a source", "/api/v1/petitions", {**SAID, "theme": "flood", "sub_source": "村网格"},
     "theme:flood 村网格", False),
    ("rest, over", "/api/v1/petitions", {**SAID, "theme": "drought"}, "", True),
    ("hotline", "/api/v1/hotline/orders", {**ORDER, "theme": "flood"}, "theme:flood 12345", False),
    ("hotline, over", "/api/v1/hotline/orders", {**ORDER, "order_no": "GD2", "theme": "drought"}, "12345", True),
]  # fmt: skip


@pytest.mark.parametrize(("path", "body", "kept", "closed"), [row[1:] for row in DOORS], ids=[row[0] for row in DOORS])
def test_other_systems_name_the_theme(rig: Rig, path: str, body: dict[str, Any], kept: str, closed: bool) -> None:
    if "order_no" in body:
        body = {**body, "order_no": body["order_no"].ljust(16, "0")}
    answer = rig.client.post(path, json=body, headers=KEYS)
    assert answer.status_code == 201, answer.text
    record = case_of(rig, answer.json()["case_no"], sent=False).petition
    assert record.sub_source == kept
    assert ("THEME_CLOSED" in {note.code for note in record.notes}) is closed


@pytest.mark.parametrize("path", ["/api/v1/petitions", "/api/v1/hotline/orders"])
def test_a_theme_nobody_knows_is_said(rig: Rig, path: str) -> None:
    body = {**(ORDER if "hotline" in path else SAID), "theme": "nobody"}
    answer = rig.client.post(path, json=body, headers=KEYS)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "theme"
    assert rig.gap() == 0


def test_nobody_claims_a_theme_from_outside(rig: Rig) -> None:
    answer = rig.client.post("/api/v1/petitions", json={**SAID, "sub_source": "theme:flood"})
    assert answer.status_code == 422


@pytest.mark.parametrize(("box", "kept", "closed"), [("flood", "theme:flood", False), ("drought", "", True)])
def test_a_mailbox_is_a_theme(rig: Rig, box: str, kept: str, closed: bool) -> None:
    message = EmailMessage()
    message["From"], message["To"] = "zhang@mail.example", f"{box}@office.example"
    message["Subject"], message["Message-ID"] = "小区进水", f"<{box}@mail.example>"
    message.set_content("小区进水，请派人抽水。")
    with smtplib.SMTP("127.0.0.1", rig.smtp, timeout=20) as wire:
        wire.ehlo("mail.example")
        wire.mail("zhang@mail.example")
        assert wire.rcpt(f"{box}@office.example")[0] == 250
        words = wire.data(message.as_bytes())[1].decode()
    record = case_of(rig, words.split()[1], sent=False).petition
    assert record.sub_source == kept
    assert ("THEME_CLOSED" in {note.code for note in record.notes}) is closed


def test_the_desk_shows_and_narrows_to_the_theme(rig: Rig) -> None:
    rig.client.post("/api/v1/petitions", json={**SAID, "title": "专题来件", "theme": "flood"})
    rig.client.post("/api/v1/petitions", json={**SAID, "title": "一般来件"})
    house = rig.house
    officer = add_officer(
        house.store,
        house.reference.roles,
        house.reference.units,
        Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)).hash_now,
        name="yanshi",
        display_name="演示员",
        role_keys=("screener",),
        region="620000",
        unit="620000-xinfang",
        lanes=(Lane.NORMAL,),
        with_totp=True,
    )
    with Browser(rig.url) as browser:
        page = browser.open("/desk")
        page = browser.submit(page.form("/desk/sign-in"), {"name": officer.name, "password": officer.password})
        code = pyotp.parse_uri(officer.otpauth).now()  # type: ignore[attr-defined]
        page = browser.submit(page.form("/desk/sign-in/code"), {"code": code})
        assert (page.path, page.status) == ("/desk", 200)
        everything, narrowed = browser.open("/desk", queue="all"), browser.open("/desk", queue="all", theme="flood")
        assert "一般来件" in everything.text
        assert "专题来件" in narrowed.text
        assert "一般来件" not in narrowed.text
        assert "防汛救灾</span>" in narrowed.text
        href = narrowed.text.partition('class="row" href="')[2].partition('"')[0].replace("&amp;", "&")
        case = browser.open(href)
        assert "主题：防汛救灾" in case.text
        assert "主题渠道·据主题渠道的设置" in case.text


def test_check_and_export_tell_the_theme(rig: Rig) -> None:
    rig.client.post("/api/v1/petitions", json={**SAID, "theme": "flood"})
    data = rig.house.settings.data
    environment = {**os.environ, "GATEWAY_DATA": str(data), "GATEWAY_MIN_FREE": "0", "GATEWAY_HTTP": "127.0.0.1:0"}
    checked = CliRunner(env=environment).invoke(cli, ["check"])
    assert checked.exit_code == 0, checked.output
    assert "flood 防汛救灾 …–… [web, rest, hotline, email] 开放" in checked.output
    assert "drought 抗旱 …–2025-08-31 [web, rest, hotline, email] 未开放" in checked.output
    exported = CliRunner(env=environment).invoke(cli, ["export", "petitions"])
    assert '"sub_source": "theme:flood"' in exported.output


def test_a_broken_file_fails_the_check_in_words(tmp_path: Path) -> None:
    write_theme(tmp_path / "themes", more="since = 2026-02-01\nuntil = 2026-01-31")
    environment = {**os.environ, "GATEWAY_DATA": str(tmp_path), "GATEWAY_MIN_FREE": "0", "GATEWAY_HTTP": "127.0.0.1:0"}
    checked = CliRunner(env=environment).invoke(cli, ["check"])
    assert checked.exit_code == 1
    assert "flood.toml: until: 截止日 2026-01-31 早于开始日 2026-02-01" in checked.output
