"""Character sets, and HTML as lines."""

from __future__ import annotations

import pytest

from channels.mail_parts import Budget, TooCostly
from channels.mail_text import decode, html_text

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


@pytest.mark.parametrize("page", ['<a "' * 500_000, "<!--" * 500_000, "<p hidden>" * 200_000, "<b>x</b>" * 400_000])
def test_a_costly_page_is_stopped(page: str) -> None:
    with pytest.raises(TooCostly):
        html_text(page, Budget(0.1).check)
