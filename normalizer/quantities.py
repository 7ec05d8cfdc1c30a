"""Quantities (数量): Chinese and Arabic numbers, amounts in yuan, calendar dates and head counts in running text."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterator
from datetime import date, timedelta
from typing import NamedTuple

_DIGITS = {
    **dict(zip("零一二三四五六七八九", range(10), strict=True)),
    **dict(zip("〇壹贰叁肆伍陆柒捌玖", range(10), strict=True)),
    "两": 2,
    "俩": 2,
}
_UNITS = {"十": 10, "拾": 10, "百": 100, "佰": 100, "千": 1000, "仟": 1000}
_GROUPS = {"万": 10_000, "萬": 10_000, "亿": 100_000_000}
_HAN = "零〇一二三四五六七八九十百千万亿两壹贰叁肆伍陆柒捌玖拾佰仟萬"
_ARABIC = r"(?<![\d.])\d{1,12}(?:,\d{3}){0,4}(?:\.\d{1,4})?"


def number_of(text: str) -> float | None:
    """The value of 41, 1.2亿, 12,000, 四十一万, 两万五 or 3万2千; None if it is no number."""
    total, section, digit = 0.0, 0.0, None
    last_unit = 1
    for piece in re.findall(r"\d+(?:,\d{3})*(?:\.\d+)?|.", text):
        if piece[0].isascii() and piece[0].isdigit():
            if digit is not None:
                return None
            digit = float(piece.replace(",", ""))
        elif piece in _DIGITS:
            # 二〇二六 is read digit by digit.
            digit = _DIGITS[piece] if digit is None else digit * 10 + _DIGITS[piece]
            if piece in "零〇":
                last_unit = 1
        elif piece in _UNITS:
            section += (1 if digit is None else digit) * _UNITS[piece]
            digit, last_unit = None, _UNITS[piece]
        elif piece in _GROUPS:
            total = (
                (total + section + (digit or 0)) * _GROUPS[piece]
                if total < _GROUPS[piece]
                else (total + (section + (digit or 0)) * _GROUPS[piece])
            )
            section, digit, last_unit = 0.0, None, _GROUPS[piece]
        else:
            return None
    if digit is not None and last_unit > 10 and digit < 10 and text[-1] in _DIGITS:
        digit *= last_unit // 10  # 两万五 means 25,000
    return total + section + (digit or 0)


class Amount(NamedTuple):
    """A sum of money in yuan at [start, end)."""

    yuan: float
    start: int
    end: int


_NUMBER = rf"(?:{_ARABIC} {{0,2}}[十百千万亿]{{0,2}}(?:\d{{1,4}}[百千])?|(?<![{_HAN}])[{_HAN}]{{1,16}})"
_MONEY = re.compile(rf"(?P<n>{_NUMBER})(?:余|多)? {{0,2}}(?:元|圆|块)(?!素|旦)")
_BARE_MONEY = re.compile(
    rf"(?:款|钱|费|资|金|欠|赔偿|支付|损失|价)(?:共计|合计|共|约|总计|大约|近|我|了|是|为)*(?P<n>{_ARABIC}[万亿]|(?<![{_HAN}])[{_HAN}]{{1,9}}[万亿])"
    r"(?![元圆块余多亩人户吨平株头只公个名斤字份条件次年])"
)


def amounts(text: str) -> list[Amount]:
    """Every sum in yuan: 41万元, 四十一万元, 1.2亿元, 欠我工资3万. 几万元 and 数十万元 say no sum and are left."""
    found: list[Amount] = []
    for pattern in (_MONEY, _BARE_MONEY):
        for match in pattern.finditer(text):
            start = match.start("n")
            value = number_of(match["n"].replace(" ", ""))
            if value and text[max(0, start - 1) : start] not in ("几", "数", "第") and value < 1e13:
                found.append(Amount(value, start, match.end()))
    return sorted(found, key=lambda amount: amount.start)


class Period(NamedTuple):
    """A day, month, year or range of months, [first, last] both included, told by the words at [start, end).

    sure: whether the year was said or follows from a word like 去年.
    """

    first: date
    last: date
    start: int
    end: int
    sure: bool


_YEAR = r"(?:(?<!\d)(?:19|20)\d\d|(?<![一二〇零])二[〇零][一二三四五六七八九〇零]{2}|今|去|前|本|同)年(?:度|的)?"
_SMALL = r"(?:\d{1,2}|[一二三四五六七八九十]{1,3})"
# The look-ahead lets a character that can begin no date fail at once.
_DATE = re.compile(
    r"(?=[\d一二三四五六七八九十今去前本同昨上])(?:"
    r"(?P<iso>(?<![\d.])(?:19|20)\d\d[-/.](?P<im>\d{1,2})[-/.](?P<id>\d{1,2})(?![\d.]))"
    rf"|(?:(?P<y1>{_YEAR}) ?)?(?<![\d第])(?P<m1>{_SMALL})月?(?:份)?[至到\-~—–](?P<m2>{_SMALL})月(?:份)?(?!\d|内)"
    rf"|(?:(?P<y2>{_YEAR}) ?)?(?<![\d第])(?P<m>{_SMALL})月(?:份|底|初|中旬|上旬|下旬)?(?:(?P<d>{_SMALL})[日号])?"
    rf"|(?P<y3>{_YEAR})(?!前|来|轻)"
    r"|(?P<near>今天|今早|今晨|昨天|昨日|昨晚|昨夜|前天|上个月|上月|本月))"
)
_BEFORE = {"今": 0, "本": 0, "同": 0, "去": 1, "前": 2}


def _near(word: str, today: date) -> tuple[date, date]:
    if word == "本月":
        return today.replace(day=1), today
    if word in ("上月", "上个月"):
        last = today.replace(day=1) - timedelta(days=1)
        return last.replace(day=1), last
    back = {"今": 0, "昨": 1, "前": 2}[word[0]]
    day = today - timedelta(days=back)
    return day, day


def _small(text: str) -> int:
    value = number_of(text)
    return int(value) if value is not None else 0


def _of_match(match: re.Match[str], today: date) -> tuple[date, date, bool]:
    """First and last day; ValueError where the words name no day of the calendar."""
    part = match.groupdict()
    if part["near"]:
        return (*_near(part["near"], today), True)
    if part["iso"]:
        day = date(int(part["iso"][:4]), int(part["im"]), int(part["id"]))
        return day, day, True
    said = next((part[name] for name in ("y1", "y2", "y3") if part[name]), None)
    sure = said is not None
    if said is None:
        year = today.year
    elif said[0] in _BEFORE:
        year = today.year - _BEFORE[said[0]]
    else:
        year = int(said[:4]) if said[0].isascii() else _small(said[:4])
    if part["m1"]:
        first = date(year, _small(part["m1"]), 1)
        until = _small(part["m2"])
        last = date(year, until, monthrange(year, until)[1])
    elif part["m"]:
        month, day_of_month = _small(part["m"]), _small(part["d"] or "")
        first = date(year, month, day_of_month or 1)
        last = first if day_of_month else date(year, month, monthrange(year, month)[1])
    else:
        return date(year, 1, 1), date(year, 12, 31), sure
    if last < first:
        raise ValueError("the range runs backwards")
    if not sure and first > today:  # 11月 said in March was last November
        try:
            first, last = first.replace(year=year - 1), last.replace(year=year - 1)
        except ValueError:
            raise ValueError("29 February of a common year") from None
    return first, last, sure


def periods(text: str, today: date) -> Iterator[Period]:
    """Every date in the text, seen from `today` (the day the petitioner wrote): 2026年7月, 去年, 7至9月, 昨晚."""
    for match in _DATE.finditer(text):
        try:
            first, last, sure = _of_match(match, today)
        except (ValueError, OverflowError):
            continue
        if 1900 <= first.year <= today.year + 10:
            yield Period(first, last, match.start(), match.end(), sure)


class Heads(NamedTuple):
    """A number of people at [start, end); people is None where the words stay vague (十余户)."""

    people: int | None
    start: int
    end: int


_COUNT = rf"((?<![\d.])\d{{1,5}}|(?<![{_HAN}第几数])[一二三四五六七八九十百千两]{{1,7}})"
_WHO = (
    "村民|业主|工人|农民工|务工人员|民工|群众|职工|员工|家长|住户|居民|退休人员|退休职工|老师|教师|学生|牧民|商户|司机|同事|购房人|"
    "购房者|投资人|代课教师|工友|邻居|农户|老人|人员|老兵|退役军人"
)
_HEADS = re.compile(
    rf"(?=[\d等我一二三四五六七八九十百千两])(?:等{_COUNT}(?:名|人|位)(?!代表)"
    rf"|{_COUNT}(?:名|位|个|多名)(?:{_WHO})"
    rf"|{_COUNT}(?:名|位)?(?:人)?(?:联名|集体上访|集体来访|来访|到访|共同反映|一起反映|签名|按手印|联合签名)"
    rf"|我们(?:这|共|一共|一起|村|组|小区)?(?:有)?{_COUNT}(?:名|人|位|个人)"
    rf"|{_COUNT}人(?:到|去|前往|称|反映))"
)
_VAGUE = re.compile(
    r"(?=[\d一二三四五六七八九十百千数几上成])(?:[一二三四五六七八九]?[十百千]|\d{1,5}|[数几][十百]|上百|成百上千)"
    r"(?:余|多|几|来)?(?:户|名|人|位)"
)


def heads(text: str) -> list[Heads]:
    """Who stands behind the petition: 等18人, 18名务工人员, 9人联名; 十余户 comes back without a number."""
    found: list[Heads] = []
    for match in _HEADS.finditer(text):
        said = next(group for group in match.groups() if group)
        value = number_of(said)
        if value and 1 <= value <= 99_999:
            found.append(Heads(int(value), match.start(), match.end()))
    for match in _VAGUE.finditer(text):
        words = match[0]
        if any(sign in words for sign in "余多几来数") or words.startswith("上百"):
            found.append(Heads(None, match.start(), match.end()))
    return found
