"""The text stage: cleaning, title, summary, requests, figures and what is too long."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest

from normalizer.draft import Draft
from normalizer.stages.text import clean, sentences, split_requests
from petition.people import Accused, Person

Read = Callable[..., Draft]

CLEAN = [
    ("a\x00b\x07c", "abc", ("control",)),
    ("甲\r\n乙\r丙\u2028丁", "甲\n乙\n丙\n丁", ()),
    ("请\u202e支付\u2069", "请支付", ("direction",)),
    ("\ufeff工\u200b资", "工资", ("invisible",)),
    ("e\u0301", "é", ()),
    ("①㎡、ＡＢ", "①㎡、ＡＢ", ()),
    ("👨‍👩‍👧", "👨‍👩‍👧", ()),
    ("x\ud800y", "xy", ("control",)),
    ("𠮷", "𠮷", ()),
]


@pytest.mark.parametrize(("text", "expected", "removed"), CLEAN)
def test_clean(text: str, expected: str, removed: tuple[str, ...]) -> None:
    result = clean(text)
    assert (result.text, result.removed) == (expected, removed)


def test_endless_marks_are_left_as_they_are() -> None:
    text = "a" + "\u0316\u0301" * 40
    result = clean(text)
    assert (result.text, result.removed) == (text, ("runs",))


REQUESTS = [
    ("公开公共收益;退还多收物业费", ("公开公共收益", "退还多收物业费")),
    ("1.支付工资 2.赔礼道歉", ("支付工资", "赔礼道歉")),
    ("一、公开账目。二、退还多收的钱。", ("公开账目", "退还多收的钱")),
    ("(1)查处(2)赔偿", ("查处", "赔偿")),
    ("诉求:恢复供暖。", ("恢复供暖",)),
    ("支付\n道歉\n", ("支付", "道歉")),
    ("补发2025.10的补贴", ("补发2025.10的补贴",)),
    (" ; ", ()),
]


@pytest.mark.parametrize(("text", "parts"), REQUESTS)
def test_requests_are_split(text: str, parts: tuple[str, ...]) -> None:
    assert split_requests(text) == parts


def test_greetings_are_no_sentences() -> None:
    assert sentences("尊敬的领导:\n您好!\n我家停水三天了。请解决。") == ["我家停水三天了。", "请解决。"]
    assert sentences("尊敬的领导,您好:我家停水。") == ["我家停水。"]


def test_a_missing_title_is_made_from_the_text(read: Read) -> None:
    draft = read(content="尊敬的领导:\n您好!\n示例路的路灯坏了三盏,晚上看不见。请修。")
    assert draft.title == "示例路的路灯坏了三盏,晚上看不见"
    assert draft.evidence["title"].source == "content"


def test_a_long_title_is_shortened_but_not_lost(read: Read) -> None:
    title = "反映" + "很长的事情" * 20
    draft = read(title=title, content="正文。")
    assert len(draft.title) == 60
    assert draft.content.startswith(title)
    assert draft.content.endswith("正文。")


def test_requests_are_found_in_the_text(read: Read) -> None:
    headed = read(content="楼道漏水三个月。诉求:1.修好屋顶;2.赔偿损失")
    assert headed.requests == ("修好屋顶", "赔偿损失")
    plain = read(content="我去申请了两次。楼道漏水三个月,请求修好屋顶。谢谢。")
    assert plain.requests == ("请求修好屋顶",)
    assert plain.evidence["requests"].confidence == 0.5
    assert read(content="我去申请了两次。", requests=("修好屋顶",)).requests == ("修好屋顶",)


def test_the_summary_tells_what_and_which_demand(read: Read) -> None:
    draft = read(content="您好。示例路路灯坏了三盏。" + "晚上看不见路。" * 30, requests=("修好路灯",))
    assert draft.summary.startswith("示例路路灯坏了三盏。")
    assert draft.summary.endswith("诉求:修好路灯")
    assert len(draft.summary) < 140


def test_figures(read: Read) -> None:
    draft = read(content="2026年7至9月在工地干活,欠四十一万元,另借5000元,又说四十一万元。明年3月再说。")
    assert draft.amounts == (410_000.0, 5000.0)
    assert draft.dates[:2] == (date(2026, 7, 1), date(2026, 9, 30))
    assert draft.occur_time == "2026年7至9月"
    assert read(content="去年的事", occur_time="2024年春").occur_time == "2024年春"


def test_full_width_figures_are_read_and_kept(read: Read) -> None:
    draft = read(content="欠我３万元,电话１５４００００００２２")
    assert draft.amounts == (30_000.0,)
    assert "３万元" in draft.content


def test_marks_are_taken_out_of_every_field_with_a_note(read: Read) -> None:
    draft = read(
        title="标\u202e题",
        content="正\x00文",
        requests=("要\u200b求", "\x00"),
        petitioners=(Person(name="张\u202e示例", address="示\x00例路"),),
        accused=(Accused(unit="示例\x00局"),),
    )
    assert (draft.title, draft.content, draft.requests) == ("标题", "正文", ("要求",))
    assert (draft.petitioners[0].name, draft.petitioners[0].address) == ("张示例", "示例路")
    assert draft.accused[0].unit == "示例局"
    note = next(note for note in draft.notes if note.code == "TEXT_CLEANED")
    assert all(word in note.words for word in ("控制字符", "文字方向控制符", "不可见字符"))
