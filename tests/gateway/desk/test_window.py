"""The counter without scripts: typed, kept, read back, handed in once, receipt for the visitor."""

from __future__ import annotations

import html
import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count
from urllib.parse import parse_qs, urlparse

import pyotp
import pytest
from sqlalchemy import text

from petition.petition import Form
from petition.workflow import Status
from tests.fakes.counter import PERSON, SIGNED, VISIT, Clerk, case_of, hire, trail
from tests.houses import Rig, running_house

# aiohttp-jinja2 keeps its context under a plain string.
pytestmark = pytest.mark.filterwarnings("ignore::aiohttp.web_exceptions.NotAppKeyWarning")
PAGE = "/desk/window"
Enter = Callable[..., Clerk]
_numbers = count(1)
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\10\6\0\0\0" + b"\0" * 200


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    with running_house(tmp_path_factory.mktemp("counter"), channels=("web", "visit")) as opened:
        yield opened
        assert opened.stumbles() == []


@pytest.fixture
def enter(rig: Rig) -> Iterator[Enter]:
    """Opens browsers of this test, signed in as a new officer of that role, and closes them."""
    with ExitStack() as stack:

        def come_in(role: str = "registrar") -> Clerk:
            came = Clerk(rig)
            stack.callback(came.client.close)
            if role:
                came.sign_in(hire(rig, f"clerk{next(_numbers)}", role))
            return came

        yield come_in


@pytest.fixture
def clerk(enter: Enter) -> Clerk:
    """A registrar before an empty form."""
    return enter().get(PAGE)


def number_of(clerk: Clerk) -> str:
    """The case number of the receipt."""
    found = re.search(r"no=([0-9A-Z]+)", clerk.body)
    assert found is not None
    return found[1]


def test_a_visit_from_the_first_word_to_the_receipt(clerk: Clerk, rig: Rig) -> None:
    clerk.send(PAGE, {**VISIT, "do": "save"}, {"室温照片.png": PNG})
    assert clerk.path == f"{PAGE}?saved=1"
    assert clerk.value("title") == VISIT["title"]
    assert "室温照片.png" in clerk.text
    clerk.send(PAGE, {**VISIT, "do": "read"})
    assert clerk.path == f"{PAGE}/read"
    assert VISIT["content"] in clerk.text
    assert "620199198503120012" in clerk.text, "the visitor checks the own number"
    clerk.send(f"{PAGE}/read", {"do": "submit"})
    assert (clerk.status, clerk.errors) == (422, {"read_back", "signed"})
    clerk.send(f"{PAGE}/read", {**SIGNED, "do": "files"}, {"签字登记表.png": PNG + b"1"})
    clerk.send(f"{PAGE}/read", SIGNED)
    assert clerk.path == f"{PAGE}/receipt"
    number = number_of(clerk)
    assert re.search(r"(?:[0-9A-Z]{4}-?){3}", clerk.text)
    case = case_of(rig, number)
    assert (case.channel, case.form, case.petition.content) == ("visit", Form.VISIT, VISIT["content"])
    assert [(each.name, each.role.value) for each in case.petition.attachments] == [
        ("室温照片.png", "EVIDENCE"),
        ("签字登记表.png", "MINUTES"),
    ]
    notes = {note.code: note.words for note in case.petition.notes}
    assert "向来访人宣读，确认无误，纸质签名" in notes["read_back"]
    assert notes["companions"] == "随行1人"
    assert ("register_visit", number) in trail(rig)
    # Again: the same receipt, no second case.
    clerk.get(f"{PAGE}/read")
    assert number_of(clerk) == number
    clerk.post(f"{PAGE}/discard")
    assert clerk.value("title") == ""
    clerk.get(f"{PAGE}/receipt")
    assert clerk.path == PAGE, "the code is gone from the clerk's screen"
    assert rig.gap() == 0


def test_what_is_wrong_is_said_at_the_fields_and_nothing_is_lost(clerk: Clerk) -> None:
    typed = {**VISIT, "people.0.id_no": "620199198503120013", "region_words": "没有的地方", "title": ""} | {
        "people.0.phone": ""
    }
    clerk.send(PAGE, {**typed, "do": "read"})
    assert clerk.status == 422
    assert clerk.errors == {"people-0-id_no", "region_words", "title"}
    assert clerk.value("people.0.id_no") == "620199198503120013"
    assert clerk.value("region_words") == "没有的地方"
    assert clerk.value("content") == VISIT["content"]


def test_a_changed_word_must_be_read_back_again(clerk: Clerk) -> None:
    clerk.send(PAGE, {**VISIT, "do": "read"})
    clerk.send(f"{PAGE}/read", {**SIGNED, "do": "files"})
    assert "checked" in clerk.body
    clerk.get(PAGE)
    clerk.send(PAGE, {**VISIT, "content": VISIT["content"] + "补充一句。", "do": "read"})
    if clerk.path != f"{PAGE}/read":  # the same person was here before
        clerk.send(PAGE, {**VISIT, "content": VISIT["content"] + "补充一句。", "join_choice": "new", "do": "read"})
    assert 'id="read_back" name="read_back" value="yes">' in clerk.body


def test_a_known_person_is_shown_masked_and_joined_only_by_the_clerk(clerk: Clerk, rig: Rig) -> None:
    mine = {**VISIT, "people.0.id_no": "620199199007260029", "people.0.phone": "15400000002", "people.0.name": "李演示"}
    clerk.send(PAGE, {**mine, "do": "read"})
    clerk.send(f"{PAGE}/read", SIGNED)
    first = number_of(clerk)
    clerk.post(f"{PAGE}/discard")
    clerk.send(PAGE, {**mine, "content": "又来反映：上次说的事还没有人上门。", "do": "read"})
    assert (clerk.status, clerk.errors) == (422, {"join_choice"})
    listed = clerk.body[clerk.body.index('id="s-earlier"') : clerk.body.index('id="s2"')]
    assert first in listed
    assert "李演示" not in listed
    assert ("search", "") in trail(rig)
    clerk.send(PAGE, {**mine, "content": "又来反映：上次说的事还没有人上门。", "join_choice": first, "do": "read"})
    assert clerk.path == f"{PAGE}/read"
    clerk.send(f"{PAGE}/read", SIGNED)
    assert number_of(clerk) == first
    assert "沿用原回执" in clerk.text
    assert rig.balance("visit").linked >= 1
    assert rig.gap() == 0


def test_a_case_that_was_not_found_cannot_be_joined(clerk: Clerk, rig: Rig) -> None:
    before = rig.balance("visit")
    other = {**VISIT, "people.0.id_no": "", "people.0.no_id": "遗失", "people.0.phone": ""}
    clerk.send(PAGE, {**other, "join_choice": "620000W20261120000017", "do": "read"})
    clerk.send(f"{PAGE}/read", SIGNED)
    assert clerk.path == f"{PAGE}?fix=1"
    assert rig.balance("visit") == before


def test_people_are_added_and_taken_out(clerk: Clerk) -> None:
    clerk.send(PAGE, {**VISIT, "manner": "joint", "headcount": "13", "do": "add"})
    assert clerk.body.count('<fieldset class="person-row"') == 2
    people = {f"people.{at}.{key[9:]}": value for at in range(6) for key, value in PERSON.items()}
    roles = {f"people.{at}.role": "REPRESENTATIVE" for at in range(1, 6)}
    clerk.send(PAGE, {**VISIT, **people, **roles, "manner": "joint", "headcount": "13", "do": "read"})
    assert "people" in clerk.errors
    assert "代表最多5人（《信访工作条例》第二十条）" in clerk.text
    clerk.send(PAGE, {**VISIT, **people, **roles, "manner": "joint", "headcount": "13", "do": "remove.5"})
    assert clerk.body.count('<fieldset class="person-row"') == 5


def test_scripts_keep_a_draft_without_leaving_the_page(clerk: Clerk) -> None:
    clerk.send(PAGE, {**VISIT, "do": "save"}, headers={"Accept": "application/json"})
    assert json.loads(clerk.body)["problems"] == []
    assert clerk.get(PAGE).value("content") == VISIT["content"]


def test_a_colleague_in_the_same_browser_sees_nothing(clerk: Clerk, rig: Rig) -> None:
    clerk.send(PAGE, {**VISIT, "do": "save"})
    clerk.post("/desk/sign-out")
    clerk.sign_in(hire(rig, "colleague"))
    assert clerk.get(PAGE).value("content") == ""


def test_a_sign_in_that_has_run_out_loses_nothing_typed(rig: Rig, enter: Enter) -> None:
    clerk = enter("")
    officer = hire(rig, "slowly")
    clerk.sign_in(officer)
    clerk.get(PAGE)
    over = text("UPDATE officer_sessions SET expires_at = 0")
    rig.house.store.write_now(lambda tx: tx.connection.execute(over))
    clerk.send(PAGE, {**VISIT, "title": "超时之前写的标题", "do": "save"})
    assert clerk.status == 401
    carry = re.search(r'name="carry" value="([^"]+)"', clerk.body)
    assert carry is not None
    clerk.post(
        "/desk/sign-in", {"name": officer.name, "password": officer.password, "carry": carry[1], "next": "/desk"}
    )
    carry = re.search(r'name="carry" value="([^"]+)"', clerk.body)
    assert carry is not None
    secret = parse_qs(urlparse(officer.otpauth).query)["secret"][0]
    later = pyotp.TOTP(secret).at(time.time() + 30)  # a code is good once; the next one is let through early
    clerk.post("/desk/sign-in/code", {"code": later, "carry": carry[1], "next": "/desk"})
    assert "已重新登录" in clerk.text
    fields = dict(re.findall(r'name="([^"]+)" value="([^"]*)"', clerk.body))
    clerk.post(PAGE, {name: html.unescape(value) for name, value in fields.items()})
    assert clerk.value("title") == "超时之前写的标题"


def test_who_has_no_counter(enter: Enter, clerk: Clerk) -> None:
    inspector = enter("inspector")
    assert inspector.get(PAGE).status == 403
    assert inspector.send(PAGE, {**VISIT, "do": "save"}).status == 403
    nobody = enter("")
    assert "sign-in" in nobody.get(PAGE).path
    assert nobody.send(PAGE, {**VISIT, "do": "save"}).status == 401
    token = clerk.body
    clerk.body = token.replace('name="csrf" value="', 'name="csrf" value="0')
    assert clerk.send(PAGE, {**VISIT, "do": "save"}).status == 403, "a form of another page"


def test_too_far_up_is_registered_all_the_same(clerk: Clerk, rig: Rig) -> None:
    other = {**VISIT, "people.0.id_no": "", "people.0.no_id": "证件在家", "people.0.phone": ""}
    clerk.send(PAGE, {**other, "outside": "yes", "outside_words": "示例县信访局", "do": "read"})
    clerk.send(f"{PAGE}/read", {"read_back": "yes", "signed": "refused", "signed_words": "要求先答复", "do": "submit"})
    case = case_of(rig, number_of(clerk))
    assert case.petition.is_skip_level
    assert case.status is not Status.NOT_ACCEPTED
    assert "示例县信访局" in clerk.text
