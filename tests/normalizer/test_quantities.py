"""Numbers, sums, dates and head counts in running text."""

from __future__ import annotations

from datetime import date

import pytest

from normalizer.quantities import amounts, heads, number_of, periods

TODAY = date(2026, 11, 22)

NUMBERS = [
    ("41", 41),
    ("12,000", 12_000),
    ("41万", 410_000),
    ("四十一万", 410_000),
    ("1.2亿", 120_000_000),
    ("一亿二千万", 120_000_000),
    ("两万五", 25_000),
    ("3万2千", 32_000),
    ("一百零五", 105),
    ("一万零五十", 10_050),
    ("二〇二六", 2026),
    ("十八", 18),
    ("贰拾叁万", 230_000),
    ("三x", None),
    ("1 2", None),
]


@pytest.mark.parametrize(("text", "value"), NUMBERS)
def test_numbers(text: str, value: float | None) -> None:
    assert number_of(text) == value


AMOUNTS = [
    ("被拖欠工资共计约41万元", [410_000.0]),
    ("四十一万元", [410_000.0]),
    ("1.2亿元投资,另有12,000元", [120_000_000.0, 12_000.0]),
    ("每平方米多收0.6元", [0.6]),
    ("欠我工资3万,至今", [30_000.0]),
    ("补偿款二十三万没给", [230_000.0]),
    ("罚款五百块钱", [500.0]),
    ("1万2千元", [12_000.0]),
    ("几万元、数十万元", []),
    ("第3元素", []),
    ("欠了3万斤苹果", []),
    ("8.5亩承包地", []),
]


@pytest.mark.parametrize(("text", "sums"), AMOUNTS)
def test_amounts(text: str, sums: list[float]) -> None:
    assert [amount.yuan for amount in amounts(text)] == sums


DATES = [
    ("2026年7至9月", ("2026-07-01", "2026-09-30", True)),
    ("2026年7月到9月份", ("2026-07-01", "2026-09-30", True)),
    ("自2026年1月起", ("2026-01-01", "2026-01-31", True)),
    ("2025年度", ("2025-01-01", "2025-12-31", True)),
    ("去年", ("2025-01-01", "2025-12-31", True)),
    ("前年11月份", ("2024-11-01", "2024-11-30", True)),
    ("今年3月5日", ("2026-03-05", "2026-03-05", True)),
    ("二〇二五年十月一日", ("2025-10-01", "2025-10-01", True)),
    ("2026-07-01", ("2026-07-01", "2026-07-01", True)),
    ("昨晚", ("2026-11-21", "2026-11-21", True)),
    ("上个月", ("2026-10-01", "2026-10-31", True)),
    ("7月15日", ("2026-07-15", "2026-07-15", False)),
    ("12月", ("2025-12-01", "2025-12-31", False)),
    ("2月30日", None),
    ("3个月", None),
    ("三十年前", None),
    ("13月", None),
    ("9至7月", None),
]


@pytest.mark.parametrize(("text", "expected"), DATES)
def test_dates(text: str, expected: tuple[str, str, bool] | None) -> None:
    found = [(str(p.first), str(p.last), p.sure) for p in periods(text, TODAY)]
    assert found == ([expected] if expected else [])


def test_leap_day_without_year_never_crashes() -> None:
    assert list(periods("2月29日", date(2026, 1, 5))) == []
    assert [p.first for p in periods("2月29日", date(2028, 3, 5))] == [date(2028, 2, 29)]


HEADS = [
    ("18名务工人员反映", [18]),
    ("王样本等18人称", [18]),
    ("等十五名村民", [15]),
    ("9人联名信", [9]),
    ("13人来访", [13]),
    ("我们32名工人", [32]),
    ("推选5名代表接谈", []),
    ("十余户受威胁", [None]),
    ("几百名业主", [None]),
    ("我家5口人", []),
    ("等5名代表", []),
]


@pytest.mark.parametrize(("text", "people"), HEADS)
def test_heads(text: str, people: list[int | None]) -> None:
    assert [head.people for head in heads(text)] == people
