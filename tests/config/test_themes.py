"""The theme files: the shipped example is closed and whole, and a mistake stops the start with its file and field."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from config.reference import THEMES, load_reference
from config.settings import Settings
from config.themes import load_themes, theme_folder
from tests.fakes.themes import ROWS, write_theme

DAY = date(2026, 11, 22)


def test_the_shipped_example_is_closed_and_says_its_source() -> None:
    themes = load_themes((THEMES,))
    theme = themes.find("epidemic")
    assert theme is not None
    assert not theme.open
    assert "福建" in theme.source
    assert themes.open_on(date(2022, 6, 6)) == ()
    assert themes.mailboxes == {}


def test_the_operators_file_stands_over_the_shipped_one(tmp_path: Path) -> None:
    write_theme(tmp_path, "epidemic", title="疫情诉求")
    reference = load_reference(themes=(tmp_path,))
    assert reference.themes.title("epidemic") == "疫情诉求"
    assert reference.themes.open_on(DAY, "hotline") == (reference.themes.find("epidemic"),)
    assert [route.rule for route in reference.routes if route.theme] == ["FLOOD-ANY"]
    assert reference.routes[-1].catches_all


# label, first day, last day, whether it is open on 2026-11-22
DAYS = [
    ("no limits", "", "", True),
    ("first day", "2026-11-22", "", True),
    ("last day", "", "2026-11-22", True),
    ("tomorrow", "2026-11-23", "", False),
    ("over", "2026-01-01", "2026-11-21", False),
]


@pytest.mark.parametrize(("since", "until", "expected"), [row[1:] for row in DAYS], ids=[row[0] for row in DAYS])
def test_a_theme_is_open_between_its_days(tmp_path: Path, since: str, until: str, expected: bool) -> None:
    more = "\n".join(f"{name} = {day}" for name, day in (("since", since), ("until", until)) if day)
    write_theme(tmp_path, more=more)
    assert bool(load_themes((tmp_path,)).open_on(DAY)) is expected


def test_a_unit_of_its_own_is_the_last_row(tmp_path: Path) -> None:
    write_theme(tmp_path, more='unit = "620000-health"')
    theme = load_reference(themes=(tmp_path,)).themes.find("flood")
    assert theme is not None
    assert [(rule.rule, str(rule.targets[0])) for rule in theme.rules()] == [
        ("FLOOD-ANY", "emergency@county"),
        ("THEME-FLOOD", "=620000-health"),
    ]


# label, what stands in the file, what the message says
BROKEN = [
    ("an unknown unit", {"more": 'unit = "620000-nobody"'}, "unit: 没有单位 620000-nobody"),
    ("an unknown target", {"rows": ROWS.replace("emergency@county", "circus@county")}, "circus@county"),
    ("an unknown unit as a target", {"rows": ROWS.replace("emergency@county", "=620102-nobody")}, "FLOOD-ANY"),
    ("an unknown class in a row", {"rows": ROWS + 'category = ["99"]\n'}, "没有分类 99"),
    ("a rule of the general table", {"rows": ROWS.replace("FLOOD-ANY", "CATCH-ALL")}, "CATCH-ALL 已在 routes.csv"),
    ("a rule id in small letters", {"rows": ROWS.replace("FLOOD-ANY", "flood")}, "routes[1]"),
    ("days the wrong way round", {"more": "since = 2026-02-01\nuntil = 2026-01-31"}, "until: 截止日 2026-01-31"),
    ("no day at all", {"more": 'since = "soon"'}, "since"),
    ("an unknown field", {"more": 'colour = "red"'}, "colour: 没有这项设置"),
    ("a code with a colon", {"code": "a:b", "name": "x.toml"}, "code"),
    ("an empty title", {"title": ""}, "title"),
    ("an unknown question", {"rows": ROWS + '\n[texts.hints2]\nx = "y"\n'}, "hints2"),
    ("no TOML", {"more": "= ="}, "无法读取"),
]


@pytest.mark.parametrize(("file", "words"), [row[1:] for row in BROKEN], ids=[row[0] for row in BROKEN])
def test_a_mistake_stops_the_start_and_says_where(tmp_path: Path, file: dict[str, str], words: str) -> None:
    path = write_theme(tmp_path, **file)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"\.toml") as raised:
        load_reference(themes=(tmp_path,))
    assert path.name in str(raised.value)
    assert words in str(raised.value)


def test_an_unknown_class_is_a_mistake(tmp_path: Path) -> None:
    path = write_theme(tmp_path)
    path.write_text(path.read_text(encoding="utf-8").replace("02.05", "99.99"), encoding="utf-8")
    with pytest.raises(ValueError, match=r"proposal\.category: 没有分类 99\.99"):
        load_reference(themes=(tmp_path,))


def test_a_priority_needs_its_source(tmp_path: Path) -> None:
    path = write_theme(tmp_path)
    path.write_text(path.read_text(encoding="utf-8").replace("示例应急预案第3条", ""), encoding="utf-8")
    with pytest.raises(ValueError, match=r"proposal\.source"):
        load_themes((tmp_path,))


def test_two_themes_may_not_be_one_on_the_same_day(tmp_path: Path) -> None:
    write_theme(tmp_path, "flood", more="until = 2026-06-30")
    other = ROWS.replace("FLOOD-ANY", "RAIN-ANY")
    write_theme(tmp_path, "rain", more="since = 2026-06-30", rows=other)
    with pytest.raises(ValueError, match=r"rain\.toml: 防汛救灾 与 flood\.toml 在同一时段重复"):
        load_themes((tmp_path,))
    write_theme(tmp_path, "rain", more="since = 2026-07-01", rows=other)
    assert [theme.code for theme in load_themes((tmp_path,)).open_on(DAY)] == ["rain"]


def test_a_code_stands_in_one_file_only(tmp_path: Path) -> None:
    write_theme(tmp_path, name="a.toml")
    write_theme(tmp_path, name="b.toml")
    with pytest.raises(ValueError, match=r"b\.toml: 主题 flood 已在 a\.toml 中"):
        load_themes((tmp_path,))


def test_the_folder_is_the_settings_or_the_datas(tmp_path: Path) -> None:
    assert theme_folder(Settings(data=tmp_path)) == tmp_path / "themes"
    assert theme_folder(Settings(data=tmp_path, themes=tmp_path)) == tmp_path
    with pytest.raises(ValueError, match="GATEWAY_THEMES"):
        theme_folder(Settings(data=tmp_path, themes=tmp_path / "nowhere"))


def test_a_mailbox_leads_to_its_theme(tmp_path: Path) -> None:
    write_theme(tmp_path)
    themes = load_themes((tmp_path,))
    assert themes.of_mailbox(["x@office.example", "Flood@Office.example"]) == themes.find("flood")
    assert themes.of_mailbox(["x@office.example"]) is None
    assert themes.mailboxes == {"flood@office.example": "防汛救灾"}
