"""What is new in an answer, and what is signature."""

from __future__ import annotations

import pytest

from channels.mail_history import split_history, split_signature
from channels.mail_parts import Budget

# label, text, whether it answers, what is new, what is old
HISTORY: list[tuple[str, str, bool, str, str]] = [
    ("nothing old", "一\n二", True, "一\n二", ""),
    ("marked lines", "新\n> 旧\n> 旧二", True, "新", "> 旧\n> 旧二"),
    ("own words below", "> 旧\n新", True, "新", "> 旧"),
    ("own words between", "> 问一\n答一\n> 问二\n答二", True, "答一\n答二", "> 问一\n> 问二"),
    ("marked lines in a new mail", "条例规定：\n> 第三十条", False, "条例规定：\n> 第三十条", ""),
    ("wrote", "新\nOn Sun, Nov 22, 2026 at 9:00 AM A <a@x.example>\nwrote:\n> 旧", False, "新", "On Sun*"),
    ("163", '新\nAt 2026-11-22 09:12:33, "A" <a@x.example> wrote:\n>旧\n新二', False, "新\n新二", "At 2026*"),
    ("Foxmail", "新\n在 2026年11月22日，信访局 <a@x.example> 写道：\n旧", True, "新", "在 2026*"),
    ("-----原始邮件-----", "新\n-----原始邮件-----\n旧", True, "新", "-----原始邮件-----\n旧"),
    ("QQ", "新\n------------------ 原始邮件 ------------------\n旧", True, "新", "-----*"),
    ("NetEase on a telephone", "新\n---- 回复的原邮件 ----\n旧", True, "新", "---- *"),
    ("Outlook", "新\n发件人: A\n发送时间: 今天\n收件人: B\n主题: x\n\n旧", True, "新", "发件人: A*"),
    ("only a sender's line", "发件人：张示例\n我要反映", False, "发件人：张示例\n我要反映", ""),
    ("nothing new", "> 旧一\n> 旧二", True, "旧一\n旧二", ""),
    ("forwarded", "请看\n-------- 转发邮件信息 --------\n旧", False, "请看\n-------- 转发邮件信息 --------\n旧", ""),
    ("a day that is no heading", "在 2026年11月22日我去了信访局", True, "在 2026年11月22日我去了信访局", ""),
]


@pytest.mark.parametrize(("text", "answers", "new", "old"), [c[1:] for c in HISTORY], ids=[c[0] for c in HISTORY])
def test_history_is_kept_apart(text: str, answers: bool, new: str, old: str) -> None:
    found, quoted = split_history(text, answers, Budget(2).check)
    assert found == new
    assert quoted.startswith(old[:-1]) and quoted if old.endswith("*") else quoted == old


def test_nothing_of_a_letter_vanishes() -> None:
    for _, text, answers, _, _ in HISTORY:
        kept = "\n".join(split_history(text, answers, Budget(2).check))
        assert {line.strip("> ") for line in text.split("\n")} <= {line.strip("> ") for line in kept.split("\n")}


# label, text, what stays, signature
SIGNATURES: list[tuple[str, str, str, str]] = [
    ("none", "一\n二", "一\n二", ""),
    ("dashes", "一\n-- \n张示例", "一", "-- \n张示例"),
    ("an iPhone", "一\n\n发自我的iPhone", "一", "发自我的iPhone"),
    ("a Huawei", "一\n发自我的华为手机", "一", "发自我的华为手机"),
    ("English", "一\nSent from my iPad", "一", "Sent from my iPad"),
    ("in the middle", "发自我的iPhone\n一", "发自我的iPhone\n一", ""),
    ("alone", "发自我的iPhone", "发自我的iPhone", ""),
    ("a long letter below dashes", "一\n--\n" + "二\n" * 20, "一\n--\n" + "二\n" * 19 + "二", ""),
]


@pytest.mark.parametrize(("text", "stays", "signature"), [c[1:] for c in SIGNATURES], ids=[c[0] for c in SIGNATURES])
def test_signatures(text: str, stays: str, signature: str) -> None:
    assert split_signature(text) == (stays, signature)
