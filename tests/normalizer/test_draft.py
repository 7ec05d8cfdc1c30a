"""The draft: stated values stand, better evidence wins, the record takes everything over."""

from __future__ import annotations

from typing import Any

import pytest

from normalizer.draft import Draft, unread
from petition.people import Gender, Person
from petition.petition import Purpose, Urgency
from tests.normalizer.conftest import arrival


def test_stated_fields_carry_evidence() -> None:
    draft = Draft.of(arrival(title="标题", purpose=Purpose.APPEAL, confidential=False, is_public=False))
    assert {field for field in draft.evidence if draft.stated(field)} == {"title", "purpose", "confidential"}


def test_a_guess_never_replaces_what_was_stated() -> None:
    draft = Draft.of(arrival(title="标题"))
    assert not draft.found("title", "另一个", stage="s", source="content", confidence=1.0)
    assert draft.title == "标题"


def test_better_evidence_replaces_weaker() -> None:
    draft = Draft.of(arrival())
    assert draft.found("urgency", Urgency.URGENT, stage="s", source="content", confidence=0.5, span=(0, 2))
    assert not draft.found("urgency", Urgency.NORMAL, stage="s", source="content", confidence=0.5)
    assert draft.found("urgency", Urgency.MAJOR, stage="s", source="content", confidence=0.6)
    assert draft.urgency is Urgency.MAJOR
    assert draft.evidence["urgency"].confidence == 0.6


def test_people_are_reached_by_path() -> None:
    draft = Draft.of(arrival(petitioners=(Person(name="张示例"), Person(name="李演示"))))
    draft.found("petitioners.1.gender", Gender.FEMALE, stage="s", source="id_no", confidence=0.9)
    assert [person.gender for person in draft.petitioners] == [None, Gender.FEMALE]
    with pytest.raises(ValueError, match="no such field"):
        draft.found("accused.0.name", "某", stage="s", source="content", confidence=0.9)


@pytest.mark.parametrize("confidence", [-0.1, 1.1])
def test_confidence_is_a_share(confidence: float) -> None:
    with pytest.raises(ValueError, match="confidence"):
        Draft.of(arrival()).found("title", "字", stage="s", source="content", confidence=confidence)


def test_notes_stand_once_and_problems_are_notes_too() -> None:
    draft = Draft.of(arrival())
    draft.note("s", "CODE", "话")
    draft.note("s", "CODE", "话")
    draft.problem("s", "category", "BAD", "请改")
    assert [note.code for note in draft.notes] == ["CODE", "BAD"]
    assert [(problem.field, problem.code) for problem in draft.problems] == [("category", "BAD")]


def test_the_record_is_a_copy() -> None:
    draft = Draft.of(arrival(title="标题", content="正文", petitioners=(Person(name="张示例"),)))
    record = draft.to_petition("620000W2026112200001X", draft.received_at)
    draft.note("s", "LATER", "话")
    draft.evidence.clear()
    assert record.notes == ()
    assert set(record.evidence) == {"title", "content", "petitioners"}
    assert (record.title, record.raw_id, record.registered_at) == ("标题", "raw-1", draft.received_at)


def test_an_unread_record_is_the_draft_with_what_was_stated() -> None:
    table: tuple[dict[str, Any], ...] = (
        {"content": "路灯不亮", "title": "路灯", "requests": ("修好路灯",), "headcount": 3},
        {"content": "路灯不亮", "confidential": False, "is_public": True},
        {"content": "", "confidential": True, "petitioners": (Person(name="张示例"),)},
    )
    for said in table:
        came = arrival(**said)
        assert unread(came, ()) == Draft.of(came).to_petition("", None, ())
