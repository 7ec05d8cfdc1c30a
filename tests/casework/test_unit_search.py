"""Units are found by the words officers use, nearest first, and barred ones say why."""

from __future__ import annotations

import pytest

from casework.unit_search import SHOWN, UnitSearch
from tests.casework.samples import Parts


@pytest.fixture(scope="module")
def search(parts: Parts) -> UnitSearch:
    return UnitSearch(parts.reference.units, parts.reference.regions)


@pytest.mark.parametrize(
    ("words", "first"),
    [
        ("城关 住建", "620102-housing"),
        ("城关区住房和城乡建设局", "620102-housing"),
        ("620105-traffic", "620105-traffic"),
        ("住建", "620102-housing"),
    ],
)
def test_words(search: UnitSearch, words: str, first: str) -> None:
    assert search.find(words, "620102", lambda code: "")[0].unit.code == first


def test_without_words_the_line_of_the_problem_place(search: UnitSearch) -> None:
    found = search.find("", "620102", lambda code: "")
    assert 0 < len(found) <= SHOWN
    assert {each.unit.region for each in found} <= {"620102", "620100", "620000"}


@pytest.mark.parametrize(("words", "near"), [("没有这样的单位", "620102"), ("", "")])
def test_nothing(search: UnitSearch, words: str, near: str) -> None:
    assert search.find(words, near, lambda code: "") == []


def test_a_barred_unit_is_shown_with_its_reason(search: UnitSearch) -> None:
    found = search.find("城关 住建", "620102", lambda code: "是被反映的单位" if code == "620102-housing" else "")
    assert found[0].barred == "是被反映的单位"
    assert found[0].place == "甘肃省兰州市城关区"
