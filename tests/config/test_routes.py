"""The routing rules as data: the shipped ones are whole, and a broken row stops the start with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from config import routes as module
from config.categories import load_categories
from config.reference import DATA
from config.routes import DISPATCH_TYPES, FILE, FORMS, LEGAL_PATHS, PURPOSES, URGENCIES, Target, load_routes
from petition.petition import DispatchType, Form, LegalPath, Purpose, Urgency

HEAD = ",".join(module.COLUMNS)
LAST = "LAST,,,,,,,,,,xinfang@county,,FORWARD,条例第22条,其余"
RULE = (
    "HOUSING,6201|62,03|04.01,APPEAL,P6,no,NORMAL,WEB,public,甲|乙,"
    "housing@county labour@city,police@own,ASSIGN,条例,为什么"
)


def written(folder: Path, *lines: str) -> Path:
    (folder / FILE).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def test_the_words_of_config_are_the_words_of_the_record() -> None:
    # config knows no other room, so it says them again; here is the proof that it says the same.
    assert set(PURPOSES) == set(Purpose)
    assert set(LEGAL_PATHS) == set(LegalPath)
    assert set(URGENCIES) == set(Urgency)
    assert set(FORMS) == set(Form)
    assert set(DISPATCH_TYPES) == set(DispatchType)


def test_every_class_of_the_shipped_rules_exists_and_every_first_class_has_a_rule() -> None:
    categories, routes = load_categories(DATA), load_routes(DATA)
    named = {code for route in routes for code in route.category}
    assert named <= set(categories.rows)
    assert {row.code for row in categories.children()} - {code[:2] for code in named} == {"17"}, "其他: the last rule"


def test_every_shipped_rule_gives_its_article_and_its_reason() -> None:
    for route in load_routes(DATA):
        assert "条" in route.article, route.rule
        assert route.notes, route.rule


def test_a_row_is_read(tmp_path: Path) -> None:
    rule, last = load_routes(written(tmp_path, HEAD, RULE, LAST))
    assert rule.region == ("6201", "62")
    assert rule.category == ("03", "04.01")
    assert (rule.litigation, rule.accused, rule.words) == (False, True, ("甲", "乙"))
    assert rule.targets == (Target("housing", "county"), Target("labour", "city"))
    assert [str(target) for target in rule.co_units] == ["police@own"]
    assert last.catches_all
    assert not rule.catches_all


BROKEN = [
    ("no heading", [LAST], "routes.csv line 1"),
    ("a column missing", [HEAD, "X,,"], "routes.csv line 2: expected 15 columns"),
    ("a bad id", [HEAD, LAST.replace("LAST", "last one")], "routes.csv line 2: rule id"),
    ("an id twice", [HEAD, RULE, RULE, LAST], "routes.csv line 3: the rule HOUSING is given twice"),
    ("a bad region", [HEAD, RULE.replace("6201|62", "6"), LAST], "routes.csv line 2: region '6'"),
    ("a bad class", [HEAD, RULE.replace("04.01", "4"), LAST], "routes.csv line 2: category '4'"),
    ("a bad purpose", [HEAD, RULE.replace("APPEAL", "WISH"), LAST], "routes.csv line 2: unknown purpose 'WISH'"),
    ("a bad path", [HEAD, RULE.replace("P6", "P7"), LAST], "routes.csv line 2: unknown legal path 'P7'"),
    ("a bad urgency", [HEAD, RULE.replace("NORMAL", "SLOW"), LAST], "routes.csv line 2: unknown urgency 'SLOW'"),
    ("a bad form", [HEAD, RULE.replace("WEB", "PIGEON"), LAST], "routes.csv line 2: unknown form 'PIGEON'"),
    ("bad litigation", [HEAD, RULE.replace(",no,", ",maybe,"), LAST], "routes.csv line 2: litigation"),
    ("bad accused", [HEAD, RULE.replace("public", "all"), LAST], "routes.csv line 2: accused"),
    ("a bad dispatch type", [HEAD, RULE.replace("ASSIGN", "THROW"), LAST], "routes.csv line 2: unknown dispatch type"),
    ("a bad target", [HEAD, RULE.replace("labour@city", "labour"), LAST], "routes.csv line 2: target 'labour'"),
    ("an unknown level", [HEAD, RULE.replace("@city", "@moon"), LAST], "routes.csv line 2: target 'labour@moon'"),
    ("no target", [HEAD, LAST.replace("xinfang@county", "")], "routes.csv line 2: the rule names no target"),
    ("nothing catches the rest", [HEAD, RULE], "routes.csv: the last rule must have no condition"),
    ("a rule never reached", [HEAD, LAST, RULE], "routes.csv line 3: never reached, rule LAST"),
    ("nothing in it", [HEAD], "routes.csv: the last rule"),
]


@pytest.mark.parametrize(("lines", "words"), [row[1:] for row in BROKEN], ids=[row[0] for row in BROKEN])
def test_a_broken_file_is_named_with_its_line(lines: list[str], words: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="routes") as told:
        load_routes(written(tmp_path, *lines))
    assert words in str(told.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"routes\.csv is not in the data folder"):
        load_routes(tmp_path)
