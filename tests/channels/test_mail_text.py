"""Character sets, HTML as lines, and what is new in an answer."""

from __future__ import annotations

import pytest

from channels.mail_parts import Budget, TooCostly
from channels.mail_text import decode, html_text, split_history, split_signature

CHINESE = "楼道灯坏了半个月，请求督促解决"

# label, bytes, declared set, text, whether it was guessed
SETS: list[tuple[str, bytes, str, str, bool]] = [
    ("gb2312 that is GB18030", "朱镕基𠮷".encode("gb18030"), "gb2312", "朱镕基𠮷", False),
    ("quoted label", "朱".encode("gbk"), ' "GBK"', "朱", False),
    ("hz", "中文".encode("hz"), "hz-gb-2312", "中文", False),
    ("hz that is GBK", "中文".encode("gbk"), "hz", "中文", False),
    ("a misspelt label", CHINESE.encode("gbk"), "iso-gb2312", CHINESE, False),
    ("a glued label", CHINESE.encode("gbk"), "gb2312\r\nContent-Type: x", CHINESE, False),
    ("an unknown label, UTF-8", CHINESE.encode(), "x-none", CHINESE, True),
    ("an unknown label, GBK", CHINESE.encode("gbk"), "x-none", CHINESE, True),
    ("no label, GBK", CHINESE.encode("gbk"), "", CHINESE, True),
    ("utf-8 that is GBK", CHINESE.encode("gbk"), "utf-8", CHINESE, True),
    ("gbk that is UTF-8", (CHINESE + "。").encode(), "us-ascii", CHINESE + "。", True),
    ("latin-1 that is UTF-8", CHINESE.encode(), "iso-8859-1", CHINESE, True),
    ("latin-1 that is GBK", CHINESE.encode("gbk"), "iso-8859-1", CHINESE, True),
    ("latin-1 that is latin-1", "déjà vu".encode("latin-1"), "iso-8859-1", "déjà vu", False),
    ("UTF-8 with one bad byte", CHINESE.encode() + b"\xff", "utf-8", CHINESE + "\ufffd", True),
    ("big5", "請求督促".encode("big5"), "big5", "請求督促", False),
    ("no text codec", b"abc\xff", "punycode", "abc\xff", True),
    ("a codec of Python", b"abc", "unicode_escape", "abc", False),
    ("ISO-2022-JP", "日本語です".encode("iso2022_jp"), "iso-2022-jp", "日本語です", False),
    ("CP932 in ISO-2022-JP", b"\x1b$B-!\x1b(Bx", "iso-2022-jp", "①x", False),
    ("CP932 bytes raw", "①株".encode("cp932"), "ISO-2022-JP", "①株", False),
    ("nothing", b"", "", "", False),
]


@pytest.mark.parametrize(("body", "label", "text", "guessed"), [c[1:] for c in SETS], ids=[c[0] for c in SETS])
def test_character_sets(body: bytes, label: str, text: str, guessed: bool) -> None:
    assert decode(body, label) == (text, guessed)


# label, page, text
PAGES: list[tuple[str, str, str]] = [
    ("paragraphs", "<p>一</p><p>二<br>三</p>", "一\n\n二\n三"),
    ("paragraphs of Outlook", "<p class=MsoNormal>一</p><p class='MsoNormal'>二</p>", "一\n\n二"),
    ("lines of QQ", "<div>一</div><div>二</div>", "一\n二"),
    ("blanks", "a&nbsp;&nbsp; b\n\n c <b>d</b>e", "a b c de"),
    ("entities", "&lt;a&gt; &amp; &#20013;&#x6587;", "<a> & 中文"),
    ("a list", "<ul><li>一</li><li>二</li></ul>", "- 一\n- 二"),
    (
        "a table",
        "<table><tr><td>姓名</td><td>张示例</td></tr><tr><td>电话</td><td>154</td></tr></table>",
        "姓名 | 张示例\n电话 | 154",
    ),
    ("a link", "<a href='http://x.example/1'>看这里</a>。", "看这里 (http://x.example/1)。"),
    ("a link that says itself", "<a href='mailto:a@x.example'>a@x.example</a>", "a@x.example"),
    ("styles and scripts", "<style>p{}</style><script>if (a<b) x()</script>文", "文"),
    ("hidden", "<div style='display: none'>藏<div>藏</div></div>文", "文"),
    ("hidden without end", "<div style='display:none'>藏<b>文", "藏文"),
    ("a style without end", "<style>文", "文"),
    ("a comment", "一<!-- <p>藏</p> -->二", "一二"),
    ("a comment without end", "一<!-- 二", "一<!-- 二"),
    ("conditional comments", "<![if !mso]>一<![endif]>", "一"),
    ("a sign that is no tag", "1 < 2 且 3 > 2", "1 < 2 且 3 > 2"),
    ("a > inside an attribute", "<p title='a>b'>一</p>", "一"),
    ("a tag without end", "一<p", "一<p"),
    ("lines as they are", "<pre>一\n  二</pre>三", "一\n  二\n\n三"),
    ("a quoted mail", "新<blockquote type=cite>旧<br>旧二</blockquote>新二", "新\n\n> 旧\n> 旧二\n\n新二"),
    ("a quote closed over its inside", "<blockquote><div>旧</blockquote>新", "> 旧\n\n新"),
    ("words of a picture", "<img alt='印章'>", "[印章]"),
]


@pytest.mark.parametrize(("page", "text"), [case[1:] for case in PAGES], ids=[case[0] for case in PAGES])
def test_html_becomes_lines(page: str, text: str) -> None:
    assert html_text(page, Budget(2).check) == text


def test_a_slice_does_not_cut_an_entity() -> None:
    page = "a" * 65_533 + "&amp;b"
    assert html_text(page, Budget(2).check) == "a" * 65_533 + "&b"


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


@pytest.mark.parametrize("page", ['<a "' * 500_000, "<!--" * 500_000, "<p hidden>" * 200_000, "<b>x</b>" * 400_000])
def test_a_costly_page_is_stopped(page: str) -> None:
    with pytest.raises(TooCostly):
        html_text(page, Budget(0.1).check)
