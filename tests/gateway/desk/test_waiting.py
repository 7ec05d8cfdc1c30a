"""The waiting hall: numbers given, called, served; the board shows numbers and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from store import tickets
from store.tickets import TicketState
from tests.fakes.counter import SIGNED, VISIT, Clerk, hire
from tests.houses import Rig, running_house

# aiohttp-jinja2 keeps its context under a plain string.
pytestmark = pytest.mark.filterwarnings("ignore::aiohttp.web_exceptions.NotAppKeyWarning")
PAGE = "/desk/window/queue"


@pytest.fixture
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    with running_house(tmp_path_factory.mktemp("hall"), channels=("web", "visit")) as opened:
        yield opened
        assert opened.stumbles() == []


@pytest.fixture
def clerk(rig: Rig) -> Iterator[Clerk]:
    came = Clerk(rig)
    came.sign_in(hire(rig, "clerk"))
    yield came.get(PAGE)
    came.client.close()


def states(rig: Rig) -> dict[int, str]:
    """Number to state."""
    found = rig.house.store.read_now(lambda tx: tickets.today(tx, "620000-xinfang"))
    return {each.number: each.state.value for each in found}


def board(rig: Rig) -> str:
    """The words of the public board."""
    body = rig.client.get("/queue").text
    main = body[body.index("<main") : body.index("</main")]
    return re.sub(r"\s+", " ", re.sub("<[^>]+>", " ", main))


def test_from_the_number_to_the_window(clerk: Clerk, rig: Rig) -> None:
    assert "现在没有叫号" in board(rig)
    clerk.post(PAGE, {"do": "issue"})
    assert 'class="big-number">1<' in clerk.body
    clerk.post(PAGE, {"do": "issue", "priority": "elderly"})
    clerk.post(PAGE, {"do": "issue", "priority": "rich"})
    assert "等候 3 位" in board(rig)
    clerk.post(PAGE, {"do": "next", "window": "3号"})
    assert states(rig) == {1: "waiting", 2: "called", 3: "waiting"}, "who asked for it comes first"
    assert re.search(r"2 请到3号窗口", board(rig))
    assert "年老" not in board(rig).split("等候")[0], "why somebody is first is nobody's business"
    clerk.post(PAGE, {"do": "call.2", "window": "3号"})
    assert "叫了 2 次" in clerk.text
    clerk.post(PAGE, {"do": "serve.2", "window": "3号"})
    assert clerk.path.startswith("/desk/window?ticket=2")
    assert (clerk.value("ticket"), clerk.value("window")) == ("2", "3号")
    clerk.get(PAGE)
    clerk.post(PAGE, {"do": "done.2"})
    clerk.post(PAGE, {"do": "leave.1"})
    clerk.post(PAGE, {"do": "next"})
    assert states(rig) == {1: "left", 2: "done", 3: "called"}
    clerk.post(PAGE, {"do": "call.1"})
    clerk.post(PAGE, {"do": "next"})
    assert "没有人等候" in clerk.text
    assert states(rig)[1] == "called"


def test_a_registered_visitor_is_done(clerk: Clerk, rig: Rig) -> None:
    clerk.post(PAGE, {"do": "issue"})
    clerk.post(PAGE, {"do": "next", "window": "3号"})
    clerk.post(PAGE, {"do": "serve.1", "window": "3号"})
    visit = {**VISIT, "ticket": "1"}
    clerk.send("/desk/window", {**visit, "do": "read"})
    clerk.send("/desk/window/read", SIGNED)
    assert clerk.path == "/desk/window/receipt"
    assert "候访号 1" in clerk.text
    assert states(rig) == {1: "done"}


def test_a_number_that_has_gone_on_is_told(clerk: Clerk, rig: Rig) -> None:
    clerk.post(PAGE, {"do": "issue"})
    assert clerk.post(PAGE, {"do": "done.1"}).status == 409
    assert clerk.get(PAGE).post(PAGE, {"do": "done.9"}).status == 404
    clerk.get(PAGE).post(PAGE, {"do": "dance.1"})
    assert states(rig) == {1: TicketState.WAITING.value}


def test_a_page_of_clerks_only(rig: Rig) -> None:
    assert rig.client.get(PAGE).status_code == 303
    assert rig.client.get("/queue?office=<script>").status_code == 200
