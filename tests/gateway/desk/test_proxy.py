"""Village agents without scripts: filed once over a weak network, the code for the principal, the mandate later."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count

import pytest

from channels.proxy import HOLD
from petition.arrival import Outcome
from petition.people import Role
from tests.fakes.counter import Clerk, case_of, hire, trail
from tests.houses import Rig, running_house

# aiohttp-jinja2 keeps its context under a plain string.
pytestmark = pytest.mark.filterwarnings("ignore::aiohttp.web_exceptions.NotAppKeyWarning")
PAGE = "/desk/proxy"
FILED = {
    "people.0.name": "李演示",
    "people.0.id_type": "RESIDENT_ID",
    "people.0.id_no": "620199199007260029",
    "people.0.phone": "15400000002",
    "people.0.address": "张掖市甘州区示例镇演示村1号",
    "people.1.phone": "15400000012",
    "relation": "committee",
    "region_words": "甘州区",
    "purpose": "APPEAL",
    "title": "申请核查低保待遇",
    "content": "当事人说低保从上个月起停发，没有收到说明，要求复核。",
    "requests": "复核低保资格",
    "is_public": "no",
    "confidential": "no",
    "mandate": "photo",
    "consent": "yes",
    "file_role": "MANDATE",
}
PHOTO = {"委托书.png": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\10\6\0\0\0" + b"\0" * 200}
Enter = Callable[..., Clerk]
_numbers = count(1)


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    with running_house(tmp_path_factory.mktemp("village"), channels=("web", "visit", "proxy")) as opened:
        yield opened
        assert opened.stumbles() == []


@pytest.fixture
def enter(rig: Rig) -> Iterator[Enter]:
    """Opens browsers of this test, signed in as a new officer of that role, and closes them."""
    with ExitStack() as stack:

        def come_in(role: str = "agent") -> Clerk:
            came = Clerk(rig)
            stack.callback(came.client.close)
            unit = "620702199-township_government" if role == "agent" else "620000-xinfang"
            came.sign_in(hire(rig, f"village{next(_numbers)}", role, unit=unit, region="620702199", lanes=()))
            return came

        yield come_in


@pytest.fixture
def agent(enter: Enter) -> Clerk:
    """An agent before an empty form."""
    return enter().get(PAGE)


def number_of(clerk: Clerk) -> str:
    """The case number of the receipt."""
    found = re.search(r"no=([0-9A-Z]+)", clerk.body)
    assert found is not None
    return found[1]


def test_filed_once_though_it_was_sent_three_times(agent: Clerk, rig: Rig) -> None:
    form = agent.body
    before = rig.balance("proxy")
    numbers = set()
    for _ in range(3):
        agent.body = form  # the answer was lost: the same page is sent again
        agent.send(PAGE, {**FILED, "do": "submit"}, PHOTO)
        assert agent.path == f"{PAGE}/receipt"
        numbers.add(number_of(agent))
    assert len(numbers) == 1
    assert rig.balance("proxy").petitions == before.petitions + 1
    case = case_of(rig, numbers.pop())
    assert [(each.role, each.name) for each in case.petition.petitioners] == [
        (Role.PRINCIPAL, "李演示"),
        (Role.AGENT, "窗口示例"),
    ]
    assert (case.channel, case.standing, case.petition.headcount) == ("proxy", Outcome.PETITION, 1)
    assert "查询码交给当事人本人" in agent.text
    assert "短信" not in agent.text, "nothing is promised that does not happen"
    agent.post(f"{PAGE}/discard")
    agent.get(f"{PAGE}/receipt")
    assert agent.path == PAGE, "the code is not kept on the agent's screen"
    assert rig.gap() == 0


def test_without_the_mandate_it_waits_and_the_mandate_joins_it(agent: Clerk, enter: Enter, rig: Rig) -> None:
    mine = {**FILED, "people.0.id_no": "", "people.0.no_id": "证件在女儿家", "people.0.phone": ""}
    agent.send(PAGE, {**mine, "do": "submit"})
    assert (agent.status, agent.errors) == (422, {"files"})
    assert agent.value("content") == FILED["content"]
    agent.send(PAGE, {**mine, "mandate": "later", "do": "submit"})
    number = number_of(agent)
    assert "授权委托书还没有交" in agent.text
    case = case_of(rig, number)
    assert (case.standing, case.hold_reason) == (Outcome.HELD, HOLD)
    stranger = enter().get(f"{PAGE}/mandate")
    stranger.send(f"{PAGE}/mandate", {"case_no": number, "once": "a" * 24}, PHOTO)
    assert (stranger.status, stranger.errors) == (422, {"case_no"})
    linked = rig.balance("proxy").linked
    agent.get(f"{PAGE}/mandate")
    agent.send(f"{PAGE}/mandate", {"case_no": number, "once": "b" * 24}, PHOTO)
    assert "授权委托书已登记" in agent.text
    assert rig.balance("proxy").linked == linked + 1
    assert rig.gap() == 0


def test_an_agent_sees_no_case(agent: Clerk, rig: Rig) -> None:
    agent.send(PAGE, {**FILED, "do": "submit"}, PHOTO)
    number = number_of(agent)
    assert ("file_for", number) in trail(rig)
    assert agent.get(f"/desk/cases/{number}").status in (403, 404)
    assert "代群众反映" in agent.get("/desk").text
    assert agent.post("/desk/search", {"q": "15400000002"}).status == 403


def test_a_registrar_is_no_agent_and_an_agent_no_registrar(agent: Clerk, enter: Enter) -> None:
    assert agent.get("/desk/window").status == 403
    assert enter("registrar").get(PAGE).status == 403


def test_what_is_wrong_is_said_at_the_fields(agent: Clerk) -> None:
    assert agent.value("region_words"), "the agent's own place is proposed"
    agent.send(PAGE, {**FILED, "people.0.id_no": "1", "people.1.phone": "", "consent": "", "do": "submit"}, PHOTO)
    assert agent.errors == {"people-0-id_no", "people-1-phone", "consent"}
    assert "委托书.png" in agent.text, "the photo is kept"
