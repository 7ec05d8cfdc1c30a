"""Joint petitions by link through the pages: filing, the link, joining with and without a code, leaving, closing."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from aiohttp import web

from config.settings import Settings
from gateway.house import House, open_house
from petition.errors import Unavailable
from petition.people import Role
from petition.petition import Petition
from store import groups, outbox, petitions
from store.reconciliation import reconcile
from tests.fakes.filing import PERSON, STORY, begin, submit
from tests.fakes.portal import Browser, Client, Page, portal_app

pytestmark = pytest.mark.filterwarnings("ignore::aiohttp.web_exceptions.NotAppKeyWarning")

Connect = Callable[[web.Application], Awaitable[Client]]
RELEASED = {"do": "release", "title": "供暖不热", "summary": "三栋楼都冷,要求检修。", "household": "1号楼101"}
ME = {
    "name": "李样例", "id_type": "PASSPORT", "id_no": "DEMO00001", "phone": "15400000009", "household": "2号楼202",
    "agree": "yes", "content": "",
}  # fmt: skip


@dataclass
class Texts:
    """Sends codes, and remembers them."""

    sent: list[tuple[str, str]] = field(default_factory=list)
    ready: bool = True
    down: bool = False

    async def send_code(self, mobile: str, code: str, minutes: int) -> None:
        if self.down:
            raise Unavailable()
        self.sent.append((mobile, code))


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    opened = open_house(Settings(data=tmp_path_factory.mktemp("house"), min_free=0, reading="inline"))
    yield opened
    opened.close()


def read_all(house: House) -> None:
    for order in house.store.write_now(lambda tx: outbox.claim(tx, ["read"], timedelta(minutes=1), 500)):
        house.reading(order.id)


def record_of(house: House, case_no: str) -> Petition:
    read_all(house)
    return house.store.read_now(lambda tx: petitions.get(tx, case_no)).petition


async def filed(browser: Browser, *, purpose: str = "APPEAL", title: str = "") -> tuple[str, str, Page]:
    """(case number, query code, receipt) of a joint petition of one person whose neighbours join by link."""
    await begin(browser, "joint")
    assert (await browser.post("/file/person/1", PERSON)).path == "/file/people"
    assert (await browser.post("/file/people", {"join": "link", "headcount": "", "do": "next"})).path == "/file/region"
    for path, fields in (
        ("/file/region", {"region": "620102"}),
        ("/file/scene", {"occur_place": "演示小区", "year": "", "month": "", "day": ""}),
        ("/file/purpose", {"purpose": purpose}),
        ("/file/story", {**STORY, **({"title": title} if title else {})}),
        ("/file/requests", {"requests": "检修"}),
        ("/file/accused", {"accused_unit": "甘肃示例供热有限公司"}),
        ("/file/wishes", {"is_public": "no", "confidential": "no"}),
    ):
        await browser.post(path, fields)
    assert await submit(browser) == "/file/receipt"
    page = await browser.get("/file/receipt")
    case_no = re.search(r"no=(\w+)", page.text)
    code = re.search(r'aria-label="查询码 ([0-9A-Z-]+)"', page.text)
    assert case_no
    assert code
    return case_no[1], code[1], page


async def released(browser: Browser, **changes: str) -> tuple[str, str, str]:
    """(case number, query code, path of the link)."""
    case_no, code, page = await filed(browser)
    assert "制作联名链接" in page.words
    page = await browser.post("/track", {"case_no": case_no, "query_code": code, "next": "group"})
    assert page.path == "/track/group"
    page = await browser.post("/track/group", {**RELEASED, **changes})
    assert page.path == "/track/group?done=released"
    return case_no, code, path_of(page)


def path_of(page: Page) -> str:
    found = re.search(r'href="http[^"]*(/join/[^"]+)"', page.text)
    assert found
    return found[1]


async def join(browser: Browser, path: str, **changes: str) -> Page:
    page = await browser.get(path)
    return await browser.post(path, {**ME, "once": page.value("once"), **changes})


@pytest.fixture
async def opener(house: House, aiohttp_client: Connect) -> Browser:
    return Browser(await aiohttp_client(portal_app(house, house.intake())))


@pytest.fixture
async def neighbour(house: House, aiohttp_client: Connect) -> Browser:
    return Browser(await aiohttp_client(portal_app(house, house.intake())))


def code_of(page: Page) -> str:
    found = re.search(r'aria-label="查询码 ([0-9A-Z-]+)"', page.text)
    assert found, page.words
    return found[1]


async def test_a_neighbour_joins_looks_it_up_and_leaves(opener: Browser, neighbour: Browser, house: House) -> None:
    case_no, _, path = await released(opener)
    shown = await neighbour.get(path)
    assert "供暖不热" in shown.words
    for secret in (PERSON["name"], STORY["title"], "甘肃示例供热有限公司", PERSON["phone"]):
        assert secret not in shown.words, "only what the opener released"
    done = await join(neighbour, path, content="我家14度。")
    code = code_of(done)
    record = record_of(house, case_no)
    assert (record.headcount, record.is_joint_letter) == (2, True)
    assert [(one.name, one.role) for one in record.petitioners] == [
        (PERSON["name"], Role.REPRESENTATIVE),
        (ME["name"], Role.COSIGNER),
    ]
    assert record.petitioners[1].address == ME["household"]
    assert "我家14度。" in record.content
    await neighbour.get("/track")
    mine = await neighbour.post("/track", {"case_no": case_no, "query_code": code})
    assert mine.path == "/join/mine"
    assert "一共 2 人" in re.sub(r"\s+", " ", mine.words)
    assert (await neighbour.get("/track/case")).path == "/track", "the code of a joining opens nothing of the case"
    assert (await neighbour.get("/track/group")).path.startswith("/track?")
    await neighbour.get("/join/mine")
    left = await neighbour.post("/join/mine", {"do": "leave"})
    assert "您已退出联名" in left.words
    assert record_of(house, case_no).headcount == 1
    assert sum(one.gap for one in house.store.read_now(reconcile).values()) == 0


# label, what is typed, the field that must be mended
WRONG: list[tuple[str, dict[str, str], str]] = [
    ("no name", {"name": ""}, "name"),
    ("an identity number that cannot be", {"id_type": "RESIDENT_ID", "id_no": "620199198503120013"}, "id_no"),
    ("no number", {"id_no": ""}, "id_no"),
    ("no telephone", {"phone": ""}, "phone"),
    ("no household", {"household": ""}, "household"),
    ("not agreed", {"agree": ""}, "agree"),
    ("hidden signs", {"household": "2号\u202e楼"}, "household"),
    ("a novel", {"content": "长" * 6000}, "content"),
]


async def test_what_must_be_mended_is_said_and_kept(opener: Browser, neighbour: Browser, house: House) -> None:
    case_no, _, path = await released(opener)
    for label, typed, name in WRONG:
        page = await join(neighbour, path, **typed)
        assert page.status == 422, label
        assert f'id="{name}-error"' in page.text, label
        assert page.value("phone") == {**ME, **typed}["phone"], label
        assert page.errors, label
    assert record_of(house, case_no).headcount == 1


async def test_words_of_the_opener_and_names_are_only_words(opener: Browser, neighbour: Browser) -> None:
    script = "<script>alert(1)</script>"
    _, _, path = await released(opener, title=f"冷{script}", summary=f"{script}{{{{7*7}}}}")
    page = await neighbour.get(path)
    assert script not in page.text
    assert "<script>alert(1)</script>" in page.words.replace("&lt;", "<")
    await join(neighbour, path, name=f"李{script}")
    sheet = await opener.get("/track/group/sheet")
    listed = await opener.get("/track/group")
    assert script not in sheet.text + listed.text


async def test_nobody_learns_who_joined_or_which_links_exist(opener: Browser, neighbour: Browser, house: House) -> None:
    case_no, _, path = await released(opener)
    first, again = await join(neighbour, path), await join(neighbour, path)
    plain = [re.sub("|".join([code_of(page), *code_of(page).split("-")]), "", page.text) for page in (first, again)]
    assert plain[0] == plain[1], "joined before or not"
    assert record_of(house, case_no).headcount == 2
    unknown = await neighbour.get("/join/" + "A" * 24)
    await opener.get("/track/group")
    moved = path_of(await opener.post("/track/group", {"do": "renew"}))
    revoked = await neighbour.get(path)
    assert (unknown.status, unknown.words) == (revoked.status, revoked.words) == (404, unknown.words)
    assert (await neighbour.get(moved)).status == 200


async def test_a_closed_link_takes_nobody(opener: Browser, neighbour: Browser, house: House) -> None:
    case_no, _, path = await released(opener)
    await neighbour.get(path)
    await opener.post("/track/group", {"do": "close"})
    page = await neighbour.post(path, {**ME, "once": "a" * 24})
    assert "联名已经截止" in page.words
    assert record_of(house, case_no).headcount == 1
    assert (await opener.get("/track/group/sheet")).path == "/track/group"
    await opener.post("/track/group", {"do": "open"})
    assert code_of(await join(neighbour, path))
    assert record_of(house, case_no).headcount == 2


async def test_the_opener_chooses_five_representatives(opener: Browser, neighbour: Browser, house: House) -> None:
    case_no, _, path = await released(opener)
    for number in range(6):
        await join(neighbour, path, id_no=f"DEMO1000{number}", household=f"{number}号")
    record = record_of(house, case_no)
    page = await opener.get("/track/group")
    assert "李＊" in page.words
    assert ME["name"] not in page.words
    people = re.findall(r'name="person" value="([0-9a-f]{32})"', page.text)
    assert len(people) == 6
    pages = [await opener.post("/track/group", {"do": "represent", "person": one, "chosen": "yes"}) for one in people]
    assert [one.status for one in pages] == [200] * 4 + [422] * 2
    assert "代表最多5人" in pages[-1].words
    roles = [one.role for one in record_of(house, case_no).petitioners]
    assert roles.count(Role.REPRESENTATIVE) == 5
    assert record.headcount == 7
    await opener.post("/track/group", {"do": "represent", "person": "f" * 32, "chosen": "yes"})


async def test_a_secret_case_has_no_link(opener: Browser) -> None:
    case_no, code, page = await filed(opener, purpose="ACCUSATION")
    assert "制作联名链接" not in page.words
    await opener.get("/track")
    page = await opener.post("/track", {"case_no": case_no, "query_code": code, "next": "group"})
    assert page.path == "/track/case"
    assert "请其他人联名" not in page.words


async def test_a_mobile_is_proved_by_a_code(opener: Browser, house: House, aiohttp_client: Connect) -> None:
    texts = Texts()
    neighbour = Browser(await aiohttp_client(portal_app(house, house.intake(), texts)))
    case_no, _, path = await released(opener)
    landline = await join(neighbour, path, phone="0931-8000000")
    assert 'id="phone-error"' in landline.text
    asked = await join(neighbour, path)
    assert "154****0009" in asked.words
    [(mobile, code)] = texts.sent
    assert (mobile, len(code)) == ("+8615400000009", 6)
    typed = {name: asked.value(name) for name in (*ME, "once")}
    wrong = await neighbour.post(path, {**typed, "code": "000000" if code != "000000" else "1"})
    assert wrong.status == 422
    assert record_of(house, case_no).headcount == 1
    assert code_of(await neighbour.post(path, {**typed, "code": f" {code} "}))
    record_of(house, case_no)
    group = house.store.read_now(lambda tx: groups.find(tx, case_no))
    assert group is not None
    assert (group.joined, group.proved, group.households) == (1, 1, 2)
    other = {**typed, "phone": "15400000008", "id_no": "DEMO00002", "code": code}
    assert (await neighbour.post(path, other)).status == 422, "the code of another mobile"
    tries = [await neighbour.post(path, {**typed, "code": "999999"}) for _ in range(6)]
    assert tries[-1].status == 429, "guessing is held back"


async def test_link_spam_is_held_back(opener: Browser, neighbour: Browser, house: House) -> None:
    _, _, path = await released(opener)
    await neighbour.get(path)
    most = 3 * house.reference.group.joins_a_minute
    pages = [await neighbour.post(path, {**ME, "name": "", "once": "b" * 24}) for _ in range(most + 3)]
    assert pages[-1].status == 429


async def test_who_gets_no_message_joins_with_papers(opener: Browser, house: House, aiohttp_client: Connect) -> None:
    neighbour = Browser(await aiohttp_client(portal_app(house, house.intake(), Texts(down=True))))
    case_no, _, path = await released(opener)
    asked = await join(neighbour, path, id_no="")
    assert 'id="id_no-error"' in asked.text
    assert asked.value("name") == ME["name"], "nothing typed is lost"
    assert code_of(await join(neighbour, path))
    record_of(house, case_no)
    group = house.store.read_now(lambda tx: groups.find(tx, case_no))
    assert group is not None
    assert (group.joined, group.proved) == (1, 0)
