"""The conversation: every way through filing and querying, over real HTTP."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from channels import wechat_words as words
from petition.arrival import Outcome
from petition.errors import NotFound, TooMany
from petition.numbering import case_no
from petition.people import Person as Petitioner
from petition.petition import Form
from tests.fakes.wechat import FakePlatform, Person
from tests.fakes.wechat_door import Opener, doors

STORY = "虚构工地拖欠我们18个人三个月工资"
NAMELESS, COUNTED = [STORY, "完成", "跳过", "匿名"], ["done", "skip", "anonymous"]
KNOWN = "620000X2026112200001K 7M2K-9QXA-4TBD"
REAL = f"{case_no('620000', Form.WECHAT, date(2026, 11, 22), 1)} 7M2K-9QXA-4TBD"
HEARD = "工资没有发\n（以上为机器识别"
PLACE = {"Location_X": "39.73", "Location_Y": "98.49"}
WHERE = "北纬39.73，东经98.49"


@pytest.fixture
async def opened(tmp_path: Path) -> AsyncIterator[Opener]:
    async with doors(tmp_path) as opener:
        yield opener


@pytest.fixture(params=["sealed", "plain"])
async def person(request: pytest.FixtureRequest, opened: Opener) -> Person:
    return await opened(sealed=request.param == "sealed", platform=FakePlatform(down=True))


async def test_the_whole_walk(person: Person) -> None:
    desk = person.desk
    assert "1　反映问题" in await person.say("你好")
    assert "完成" in await person.say("1")
    told = await person.say(STORY)
    [number] = desk.cases
    assert re.search(rf"编号：{number}\n查询码：7M2K-9QXA-[0-9A-F]{{4}}\n", told)
    assert "第2条" in await person.say("老板姓什么不知道，一共约41万元")
    assert "第3条" in await person.give("image", MediaId="m-1", PicUrl="http://pictures.example/1")
    assert await person.say("完成") == words.WHERE
    assert await person.say("酒泉市肃州区虚构工地") == words.WHO
    check = await person.say("王样本 154 0000 0003")
    assert ("内容：3条" in check, "酒泉市肃州区虚构工地" in check, "王＊，154****0003" in check) == (True, True, True)
    assert "提交成功" in await person.say("提交")
    opening, *more, end = desk.cases[number]
    assert (opening.form, opening.statement.content, opening.hold) == (Form.WECHAT, STORY, "")
    assert opening.settles_at == opening.received_at + timedelta(minutes=15)
    assert opening.threads == (f"openid:{person.openid}",)
    assert [one.sub_source for one in [*more, end]] == [f"supplement:{number}"] * 5
    assert end.settles_at == end.received_at
    assert more[-1].statement.petitioners == (Petitioner(name="王样本", mobile="+8615400000003"),)
    assert not more[-1].statement.content, "who it is stands in the fields that are masked, not in the text"
    assert [one.statement.occur_place for one in more if one.statement.occur_place] == ["酒泉市肃州区虚构工地"]
    assert desk.reasons == ["menu", "file", "done"]
    assert desk.rows == 9, "one row in the ledger for each message"


async def test_who_just_tells_is_heard(person: Person) -> None:
    assert "已登记" in await person.say(STORY)
    assert "第2条" in await person.say("1")
    [number] = person.desk.cases
    assert person.desk.content(number) == f"{STORY}\n1", "in a story a digit is part of the story"


# label, what is sent in order, what the last answer has in it, how many cases, reasons of what was only counted
WAYS: list[tuple[str, list[str], str, int, list[str]]] = [
    ("help", ["帮助"], "查询进度", 0, ["menu"]),
    ("a question mark in full width", ["？"], "查询进度", 0, ["menu"]),
    ("the large print page", ["3"], "https://petitions.example", 0, ["web"]),
    ("done before anything is told", ["1", "完成"], words.NOTHING_YET, 0, ["file", "done"]),
    ("cancelled before anything is told", ["1", "取消"], "1　反映问题", 0, ["file", "cancel"]),
    ("another menu item instead", ["1", "2"], "例如", 0, ["file", "query"]),
    ("cancelled later", [STORY, "取消"], "由工作人员核实", 1, []),
    ("anonymous", [*NAMELESS, "提交"], "提交成功", 1, COUNTED),
    ("back and on", [STORY, "完成", "返回", "还有一句", "完成"], words.WHERE, 1, ["done", "back", "done"]),
    ("back twice", [STORY, "完成", "跳过", "返回"], words.WHERE, 1, ["done", "skip", "back"]),
    ("a mobile first", [STORY, "完成", "跳过", "15400000003"], words.WHO_NAME, 1, ["done", "skip"]),
    ("a name first", [STORY, "完成", "跳过", "我叫王样本"], words.WHO_MOBILE, 1, ["done", "skip"]),
    ("a name only", [STORY, "完成", "跳过", "王样本", "跳过"], "联系人：王＊", 1, ["done", "skip", "skip"]),
    (
        "a story for a name",
        [STORY, "完成", "跳过", "我不知道该不该说我的名字，怕打击报复"],
        words.WHO_AGAIN,
        1,
        ["done", "skip"],
    ),
    (
        "more at the end",
        [STORY, "完成", "跳过", "匿名", "还有一件"],
        words.CHECK_MORE,
        1,
        ["done", "skip", "anonymous"],
    ),
    ("help in the middle", [STORY, "帮助"], "您正在反映一件事", 1, ["menu"]),
    (
        "a question in between",
        [STORY, "CX 620000X2026112200001K 7M2K-9QXA-4TBD", "好了"],
        words.WHERE,
        1,
        ["status_query", "done"],
    ),
    (
        "an afterthought",
        [STORY, "完成", "跳过", "匿名", "提交", "还有一句"],
        "已加到编号",
        1,
        ["done", "skip", "anonymous"],
    ),
    (
        "thanks",
        [STORY, "完成", "跳过", "匿名", "提交", "谢谢！"],
        words.WELCOME,
        1,
        ["done", "skip", "anonymous", "thanks"],
    ),
    (
        "another matter",
        [STORY, "完成", "跳过", "匿名", "提交", "1", "别的事"],
        "已登记",
        2,
        ["done", "skip", "anonymous", "file"],
    ),
    ("braces", [STORY, "完成", "{case_no}{0}{x}", "匿名"], "地点：｛case_no｝", 1, ["done", "anonymous"]),
    ("a name that is a sentence", [STORY, "完成", "跳过", "他们会报复"], words.WHO_AGAIN, 1, ["done", "skip"]),
    ("a long name", [STORY, "完成", "跳过", "姓名：买买提·阿不都"], words.WHO_MOBILE, 1, ["done", "skip"]),
    ("politeness in between", [STORY, "好的"], words.GO_ON, 1, ["thanks"]),
    ("politeness at the end", [*NAMELESS, "好的"], "请核对", 1, [*COUNTED, "thanks"]),
    ("the menu instead of a number", ["2", "1"], words.STORY, 0, ["query", "file"]),
    ("number and code alone", [REAL], "正在办理", 0, ["status_query"]),
    ("number and code twice", ["2", "62000", REAL], "正在办理", 0, ["query", "status_query", "status_query"]),
    ("a query in a story", [STORY, "查询进度", REAL, "完成"], words.WHERE, 1, ["query", "status_query", "done"]),
    ("a number that is none", ["620000X2026112200001K 7M2K-9QXA-4TBD"], "已登记", 1, []),
    ("a call", ["4", "15400000003"], "回电请求", 1, ["person"]),
    ("a call without a number", ["人工", "好"], words.PERSON_AGAIN, 0, ["person", "no_mobile"]),
    ("a call, but told at length", ["4", "我的腿脚不方便，请你们的人到家里来看一看房子"], "已登记", 1, ["person"]),
]


@pytest.mark.parametrize(
    ("sent", "last", "cases", "reasons"), [case[1:] for case in WAYS], ids=[case[0] for case in WAYS]
)
async def test_ways(opened: Opener, sent: list[str], last: str, cases: int, reasons: list[str]) -> None:
    person = await opened()
    said = [await person.say(words) for words in sent][-1]
    assert last in said
    assert len(person.desk.cases) == cases
    assert person.desk.reasons == reasons
    assert person.desk.rows == len(sent)


async def test_a_wish_to_be_anonymous_and_to_withdraw_is_entered(opened: Opener) -> None:
    person = await opened()
    for sent in (STORY, "完成", "跳过", "匿名", "提交"):
        await person.say(sent)
    [number] = person.desk.cases
    assert person.desk.cases[number][-1].statement.is_anonymous
    await person.say("1")
    await person.say("另一件事")
    await person.say("取消")
    end = list(person.desk.cases.values())[1][-1]
    assert "不再继续反映" in end.statement.content
    assert end.settles_at == end.received_at


async def test_a_call_back_is_a_held_case_and_rings_at_the_seats(opened: Opener) -> None:
    person = await opened()
    await person.say("4")
    await person.say("王样本 15400000003")
    [(arrival, outcome)] = person.desk.entered
    assert (outcome, arrival.hold) == (Outcome.HELD, "请求回电")
    [(call, _)] = person.desk.calls
    assert (call.number, call.case_no, call.channel) == ("+8615400000003", next(iter(person.desk.cases)), "wechat")


# label, what is sent at the query step, what is asked for
QUERIES: list[tuple[str, str, tuple[str, str]]] = [
    ("as told", "620000X2026112200001K 7M2K-9QXA-4TBD", ("620000X2026112200001K", "7M2K-9QXA-4TBD")),
    ("with labels", "编号：620000X2026112200001K\n查询码：7M2K-9QXA-4TBD", ("620000X2026112200001K", "7M2K-9QXA-4TBD")),
    ("full width", "ＣＸ　620000X2026112200001K　7m2k9qxa4tbd", ("620000X2026112200001K", "7M2K-9QXA-4TBD")),
    ("too short", "62000", ("", "6200-0")),
]


@pytest.mark.parametrize(("sent", "asked"), [case[1:] for case in QUERIES], ids=[case[0] for case in QUERIES])
async def test_queries(opened: Opener, sent: str, asked: tuple[str, str]) -> None:
    person = await opened()
    await person.say("2")
    assert await person.say(sent) == person.desk.status
    assert person.desk.asked == [asked]
    assert person.desk.cases == {}


async def test_a_failed_query_does_not_tell_what_was_wrong(opened: Opener) -> None:
    person = await opened()
    person.desk.status = NotFound("编号不对")
    assert "没有查到" in await person.say("CX 620000X2026112200001K 7M2K-9QXA-4TBD")
    person.desk.status = TooMany()
    assert await person.say("CX 620000X2026112200001K 7M2K-9QXA-4TBD") == TooMany().words


# label, kind, fields, what stands in the case
KINDS: list[tuple[str, str, dict[str, str], str]] = [
    ("picture", "image", {"MediaId": "m-1", "PicUrl": "http://p.example/1"}, "（图片，媒体编号m-1）"),
    (
        "voice heard",
        "voice",
        {"MediaId": "m-1", "Format": "amr", "Recognition": "工资没有发"},
        "工资没有发\n（以上为机器识别",
    ),
    ("voice not heard", "voice", {"MediaId": "m-1", "Format": "amr"}, "（语音，媒体编号m-1）"),
    ("video", "video", {"MediaId": "m-1", "ThumbMediaId": "t-1"}, "（视频，媒体编号m-1）"),
    ("media id of a stranger", "image", {"MediaId": "../../etc"}, "（图片）"),
    (
        "place",
        "location",
        {"Location_X": "39.73", "Location_Y": "98.49", "Label": "肃州区"},
        "位置：肃州区（北纬39.73，东经98.49）",
    ),
    ("place without words", "location", {"Location_X": "39.73", "Location_Y": "98.49"}, "位置：北纬39.73，东经98.49"),
    ("place with nonsense", "location", {"Location_X": "a", "Location_Y": "b", "Label": "肃州区"}, "位置：肃州区"),
    (
        "link",
        "link",
        {"Title": "标题", "Description": "说明", "Url": "https://a.example/"},
        "链接：标题\n说明\nhttps://a.example/",
    ),
    ("something new", "hologram", {}, "（微信消息，类型hologram，内容见原件）"),
]


@pytest.mark.parametrize(("kind", "fields", "content"), [case[1:] for case in KINDS], ids=[case[0] for case in KINDS])
async def test_kinds_of_messages_open_a_case(opened: Opener, kind: str, fields: dict[str, str], content: str) -> None:
    person = await opened()
    assert "已登记" in await person.give(kind, **fields)
    [number] = person.desk.cases
    assert person.desk.cases[number][0].statement.content.startswith(content)


async def test_a_place_is_an_answer_to_where(opened: Opener) -> None:
    person = await opened()
    for sent in (STORY, "完成"):
        await person.say(sent)
    assert await person.give("location", Location_X="39.73", Location_Y="98.49", Label="肃州区虚构路") == words.WHO
    [number] = person.desk.cases
    assert person.desk.cases[number][-1].statement.occur_place == "肃州区虚构路（北纬39.73，东经98.49）"
