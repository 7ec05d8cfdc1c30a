"""The draft (甄别稿): one petition being read, filled stage by stage, with the evidence of every value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import date, datetime
from typing import Any, NamedTuple

from petition.arrival import Arrival, Statement
from petition.attachment import Attachment
from petition.errors import Problem
from petition.people import Accused, Person
from petition.petition import (
    CategoryProposal,
    Evidence,
    Form,
    Lane,
    LegalPath,
    LitigationStage,
    Note,
    Petition,
    Purpose,
    Related,
    Urgency,
)

STATED = "stated"
# One for all: most of what a door hands in is stated, and making it anew would cost more than keeping it.
SAID = Evidence(stage="arrival", source=STATED, confidence=1.0)


class Passage(NamedTuple):
    """One piece of text to read. source: the petition/1 field it stands in; full-width digits are folded one to one."""

    source: str
    text: str


class Signal(NamedTuple):
    """One word of words.toml met in a passage; [start, end) counts in that passage."""

    word: str
    weight: float
    source: str
    start: int
    end: int


@dataclass(slots=True, kw_only=True)
class Draft:
    """Mutable twin of `petition.petition.Petition` while it is read; times are aware, Asia/Shanghai.

    evidence: field or dotted path (`petitioners.0.gender`) -> where the value came from; problems: what only a person
    can mend; lane: who may see it, a suggestion; passages and signals are working notes of the stages, not kept.
    """

    channel: str
    form: Form
    raw_id: str
    received_at: datetime
    petition_date: date
    source: str = "本级"
    sub_source: str = ""
    petitioners: tuple[Person, ...] = ()
    headcount: int = 1
    is_group: bool = False
    is_joint_letter: bool = False
    is_anonymous: bool = False
    title: str = ""
    summary: str = ""
    content: str = ""
    main_facts: str = ""
    requests: tuple[str, ...] = ()
    purpose: Purpose | None = None
    purpose_label: str = ""
    category: str = ""
    category_proposals: tuple[CategoryProposal, ...] = ()
    problem_region: str = ""
    accused: tuple[Accused, ...] = ()
    occur_time: str = ""
    occur_place: str = ""
    amounts: tuple[float, ...] = ()
    dates: tuple[date, ...] = ()
    is_public: bool = False
    confidential: bool = False
    litigation_related: bool = False
    litigation_stage: LitigationStage | None = None
    legal_path: LegalPath | None = None
    is_repeat: bool = False
    is_first: bool = True
    first_case_no: str = ""
    repeat_count: int = 0
    is_skip_level: bool = False
    related: tuple[Related, ...] = ()
    urgency: Urgency = Urgency.NORMAL
    privacy_notice_version: str = ""
    record_consent: bool | None = None
    lane: Lane = Lane.NORMAL
    evidence: dict[str, Evidence] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    passages: tuple[Passage, ...] = ()
    signals: Mapping[str, Sequence[Signal]] = field(default_factory=dict)

    @classmethod
    def of(cls, arrival: Arrival) -> Draft:
        """A draft with everything the sender stated, each stated field carrying evidence of confidence 1."""
        said = arrival.statement
        draft = cls(
            channel=arrival.channel,
            form=arrival.form,
            raw_id=arrival.raw_id,
            received_at=arrival.received_at,
            petition_date=arrival.petition_date,
            source=arrival.source,
            sub_source=arrival.sub_source,
            privacy_notice_version=said.privacy_notice_version,
            record_consent=said.record_consent,
            notes=list(arrival.notes),
        )
        for name, value in _stated(said).items():
            setattr(draft, name, value)
            draft.evidence[name] = SAID
        return draft

    def stated(self, field: str) -> bool:
        """Whether the sender said this field (or an officer typed it) rather than a stage guessing it."""
        known = self.evidence.get(field)
        return known is not None and known.source == STATED

    def found(
        self,
        field: str,
        value: object,
        *,
        stage: str,
        source: str,
        confidence: float,
        span: tuple[int, int] | None = None,
    ) -> bool:
        """Offer a value; it is taken unless the field was stated or is known with the same or more confidence.

        field: a field name or `petitioners.<i>.<name>`. Returns whether it was taken.
        ValueError: the confidence is not in 0..1, or the path names no field.
        """
        if not 0 <= confidence <= 1:
            raise ValueError(f"confidence {confidence} of {field} is not in 0..1")
        known = self.evidence.get(field)
        if known is not None and (known.source == STATED or known.confidence >= confidence):
            return False
        self._put(field, value)
        self.evidence[field] = Evidence(stage=stage, source=source, confidence=round(confidence, 3), span=span)
        return True

    def note(self, stage: str, code: str, words: str, field: str = "") -> None:
        """Leave a remark once; words are plain Chinese without identity data."""
        remark = Note(stage=stage, code=code, words=words, field=field)
        if remark not in self.notes:
            self.notes.append(remark)

    def problem(self, stage: str, field: str, code: str, words: str) -> None:
        """Something only a person can mend; it stands among the notes too, so that the record shows it."""
        self.problems.append(Problem(field, code, words))
        self.note(stage, code, words, field)

    def person(self, place: int, **changes: Any) -> None:
        """Replace fields of one petitioner in place (a normal form, not a finding)."""
        people = list(self.petitioners)
        people[place] = replace(people[place], **changes)
        self.petitioners = tuple(people)

    def _put(self, field: str, value: object) -> None:
        head, _, rest = field.partition(".")
        if not rest:
            setattr(self, head, value)
            return
        place, _, name = rest.partition(".")
        if head != "petitioners" or not name:
            raise ValueError(f"no such field: {field}")
        self.person(int(place), **{name: value})

    def to_petition(
        self, case_no: str, registered_at: datetime | None = None, attachments: tuple[Attachment, ...] = ()
    ) -> Petition:
        """The finished record petition/1; the draft may be read on afterwards without changing it."""
        values = {name: getattr(self, name) for name in _SHARED_FIELDS}
        values["evidence"] = dict(self.evidence)
        values["notes"] = tuple(self.notes)
        return Petition(case_no=case_no, registered_at=registered_at, attachments=attachments, **values)


def unread(arrival: Arrival, attachments: tuple[Attachment, ...]) -> Petition:
    """The record of an arrival nobody has read yet: what was stated, marked as such, and nothing else.

    The same as `Draft.of(arrival).to_petition("", None, attachments)` at a quarter of the cost: a crowd waits for it.
    """
    said = arrival.statement
    stated = _stated(said)
    return Petition(
        case_no="",
        form=arrival.form,
        source=arrival.source,
        sub_source=arrival.sub_source,
        raw_id=arrival.raw_id,
        petition_date=arrival.petition_date,
        received_at=arrival.received_at,
        attachments=attachments,
        privacy_notice_version=said.privacy_notice_version,
        record_consent=said.record_consent,
        evidence=dict.fromkeys(stated, SAID),
        notes=arrival.notes,
        **stated,
    )


def _stated(said: Statement) -> dict[str, Any]:
    """What somebody said: False and "" are the defaults of the form, but None is the one of `confidential`."""
    stated = {name: value for name in _STATED_FIELDS if (value := getattr(said, name))}
    if said.confidential is not None:
        stated["confidential"] = said.confidential
    return stated


_STATED_FIELDS = (
    *("petitioners", "headcount", "title", "content", "main_facts", "requests", "purpose", "category"),
    *("problem_region", "accused", "occur_time", "occur_place", "is_public", "confidential", "is_joint_letter"),
    *("is_anonymous", "is_skip_level"),
)
_SHARED_FIELDS = tuple(
    sorted({own.name for own in fields(Draft)} & {own.name for own in fields(Petition)} - {"evidence", "notes"})
)
