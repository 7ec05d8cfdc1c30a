"""The theme stage: proposals with their source, which clear words of the petition itself may overrule."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from config.themes import load_themes
from normalizer.candidates import NoCandidates
from normalizer.draft import Draft
from normalizer.pipeline import Pipeline, ReadingParts, build
from petition.petition import Purpose, Urgency
from tests.fakes.themes import write_theme
from tests.normalizer.conftest import arrival


@pytest.fixture(scope="module")
def themed(parts: ReadingParts, tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    folder = tmp_path_factory.mktemp("themes")
    write_theme(folder)
    return build(replace(parts, themes=load_themes((folder,))), NoCandidates())


def read(pipeline: Pipeline, sub_source: str, **said: Any) -> Draft:
    return pipeline.read(Draft.of(replace(arrival(purpose=Purpose.APPEAL, **said), sub_source=sub_source)))


def test_the_theme_proposes_class_and_urgency_with_its_source(themed: Pipeline) -> None:
    draft = read(themed, "theme:flood", title="我家的情况", content="请来看看我家的情况，谢谢。")
    assert (draft.category, draft.category_proposals[0].code) == ("02.05", "02.05")
    assert (draft.evidence["category"].stage, draft.evidence["category"].confidence) == ("theme", 0.5)
    assert (draft.urgency, draft.evidence["urgency"].source) == (Urgency.URGENT, "theme")
    told = {note.code: note.words for note in draft.notes}
    assert "示例应急预案第3条" in told["THEME_URGENCY"]
    assert "防汛救灾" in told["THEME"]


def test_a_stated_class_and_a_higher_urgency_stay(themed: Pipeline) -> None:
    words = "楼房正在倒塌，里面还有人，马上要压到人了，非常危险！"
    draft = read(themed, "theme:flood", title="楼房正在倒塌", content=words, category="03.03")
    assert draft.category == "03.03"
    assert draft.category_proposals[0].code == "02.05"
    assert (draft.urgency, draft.evidence["urgency"].stage) == (Urgency.MAJOR, "urgency")


@pytest.mark.parametrize("sub_source", ["", "flood", "theme:gone", "origin:7K2M9QX 大厅"])
def test_without_a_theme_nothing_is_proposed(themed: Pipeline, sub_source: str) -> None:
    draft = read(themed, sub_source, title="我家的情况", content="请来看看我家的情况，谢谢。")
    assert draft.urgency is Urgency.NORMAL
    assert not [note for note in draft.notes if note.stage == "theme"]
