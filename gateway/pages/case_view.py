"""The case as an officer sees it (信访件视图): plain words, identity data masked unless a reason was given."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from casework.decisions import REROUTABLE, related_key
from casework.desk import Item, Lamp, Original
from casework.permissions import Verb
from casework.registration import missing
from config.categories import Categories
from config.regions import Regions
from config.themes import Themes
from config.units import Units
from gateway.pages import case_words as words
from gateway.pages.case_text import (
    EvidenceText,
    evidence_text,
    mask_text,
    moment,
    raw_text,
    segments_of,
    short_moment,
    shown_no,
    size_words,
    text_of,
)
from petition import identity
from petition.arrival import Outcome
from petition.origin import origin_of
from petition.people import Accused, Person
from petition.petition import Lane, Petition
from store.history import Step
from store.outbox import Order, OrderState
from store.petitions import Case

# Fields whose words are ours and may hold a case number, whose digits the mask would take for an identity number.
_PLAIN = frozenset({"is_repeat"})


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldView:
    """One line of the record."""

    key: str
    label: str
    value: str
    evidence: EvidenceText | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of a list, without identity data; a sealed case shows no title."""

    case_no: str
    shown_no: str
    title: str
    who: str
    form: str
    received: str
    lamp: Lamp | None
    urgency: str
    sealed: bool
    why: str
    status: str
    key: str
    theme: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseView:
    """Everything the template needs of one case."""

    case_no: str
    shown_no: str
    version: int
    title: str
    status: str
    unit: str
    received: str
    channel: str
    lamp: Lamp | None
    urgency: str
    sealed: bool
    held: bool
    hold_reason: str
    confirmed: str
    unread: bool
    missing: tuple[str, ...]
    fields: tuple[FieldView, ...]
    people: tuple[tuple[FieldView, ...], ...]
    segments: tuple[tuple[str, str], ...]
    requests: tuple[str, ...]
    notes: tuple[str, ...]
    proposals: tuple[tuple[str, str, int], ...]
    related: tuple[tuple[str, str, str, int, str, bool], ...]
    attachments: tuple[tuple[str, str, str, str], ...]
    orders: tuple[tuple[int, str, str, str, bool], ...]
    steps: tuple[tuple[str, str, str, str, bool], ...]
    original: tuple[str, str, str] | None
    raw: str = ""
    unmasked: bool = False
    can: frozenset[str] = field(default_factory=frozenset)


@dataclass(frozen=True, slots=True)
class CaseViews:
    """Makes views; holds the reference parts they need."""

    regions: Regions
    categories: Categories
    units: Units
    themes: Themes = field(default_factory=Themes)

    def row(self, item: Item) -> Row:
        """One line of a list."""
        case, petition = item.case, item.case.petition
        sealed = case.lane is Lane.SEALED
        first = petition.petitioners[0] if petition.petitioners else None
        name = identity.mask_name(first.name or first.org_name) if first else ""
        more = f"等{petition.headcount}人" if petition.headcount > 1 else ""
        return Row(
            case_no=case.case_no,
            shown_no=shown_no(case.case_no),
            title="（保密件，打开后可见）" if sealed else mask_text(petition, petition.title) or "（没有标题）",
            who="" if sealed else (f"{name}{more}" if name else "匿名" if petition.is_anonymous else ""),
            form=words.FORM[case.form.value],
            received=short_moment(case.received_at),
            lamp=item.lamp,
            urgency="" if petition.urgency.value == "NORMAL" else words.URGENCY[petition.urgency.value],
            sealed=sealed,
            why=mask_text(petition, item.why),
            status=words.STATUS[case.status.value],
            key=f"{case.case_no}-{item.order.id}" if item.order else case.case_no,
            theme=self.themes.title(origin_of(petition.sub_source).theme),
        )

    def view(
        self,
        case: Case,
        steps: Sequence[Step],
        orders: Sequence[Order],
        original: Original | None,
        lamp: Lamp | None,
        may: Iterable[Verb],
        *,
        unmasked: bool = False,
        raw: bytes | None = None,
    ) -> CaseView:
        """The page of one case. raw: bytes of the original, used only when unmasked."""
        petition = case.petition
        unit = self.units.find(case.unit)
        return CaseView(
            case_no=case.case_no,
            shown_no=shown_no(case.case_no),
            version=case.version,
            title=text_of(petition, petition.title, unmasked) or "（没有标题）",
            status=words.STATUS[case.status.value],
            unit=unit.name if unit else case.unit,
            received=moment(case.received_at),
            channel=" · ".join((words.CHANNEL.get(case.channel, case.channel), *self._way(case))),
            lamp=lamp,
            urgency="" if petition.urgency.value == "NORMAL" else words.URGENCY[petition.urgency.value],
            sealed=case.lane is Lane.SEALED,
            held=case.standing is Outcome.HELD,
            hold_reason=case.hold_reason,
            confirmed=moment(case.confirmed_at) if case.confirmed_at else "",
            unread=case.read_at is None,
            missing=missing(petition),
            fields=self._fields(petition, unmasked),
            people=tuple(
                self._person(petition, place, person, unmasked) for place, person in enumerate(petition.petitioners)
            ),
            segments=segments_of(petition, unmasked),
            requests=tuple(text_of(petition, each, unmasked) for each in petition.requests),
            notes=tuple(text_of(petition, note.words, unmasked) for note in petition.notes if not note.field),
            proposals=tuple((each.code, each.name, round(each.score * 100)) for each in petition.category_proposals),
            related=tuple(
                (
                    each.case_no,
                    shown_no(each.case_no),
                    "可能重复" if each.kind.value == "LINK" else "可能同一群体事项",
                    round(each.score * 100),
                    text_of(petition, each.reason, unmasked),
                    related_key(each.case_no) in petition.evidence,
                )
                for each in petition.related
            ),
            attachments=tuple(
                (
                    each.sha256,
                    each.name if unmasked else mask_text(petition, each.name),
                    each.media_type,
                    size_words(each.size),
                )
                for each in petition.attachments
            ),
            orders=tuple(_order(order) for order in orders),
            steps=tuple(self._step(petition, step, unmasked) for step in steps),
            original=(original.media_type, size_words(original.size), original.digest) if original else None,
            raw=raw_text(original.media_type, raw) if unmasked and original and raw is not None else "",
            unmasked=unmasked,
            can=frozenset(verb.value for verb in may) - _not_now(case),
        )

    def _way(self, case: Case) -> tuple[str, ...]:
        """Form, theme and place by which it came, in words."""
        origin = origin_of(case.petition.sub_source)
        theme = origin.theme and f"主题：{self.themes.title(origin.theme)}"
        place = origin.site and f"二维码：{origin.words or origin.site}"
        return tuple(part for part in (words.FORM[case.form.value], theme, place) if part)

    def _fields(self, petition: Petition, unmasked: bool) -> tuple[FieldView, ...]:
        accused = ";".join(_accused(each) for each in petition.accused)
        litigation = words.LITIGATION[petition.litigation_stage.value] if petition.litigation_stage else ""
        values = {
            "summary": petition.summary,
            "main_facts": petition.main_facts,
            "requests": ";".join(petition.requests),
            "purpose": words.PURPOSE[petition.purpose.value] if petition.purpose else "",
            "category": self.categories.full_name(petition.category) or petition.category,
            "problem_region": self.regions.full_name(petition.problem_region) or petition.problem_region,
            "occur_time": petition.occur_time,
            "occur_place": petition.occur_place,
            "accused": accused,
            "headcount": f"{petition.headcount} 人" + ("（集体）" if petition.is_group else ""),
            "urgency": words.URGENCY[petition.urgency.value],
            "legal_path": words.LEGAL_PATH[petition.legal_path.value] if petition.legal_path else "",
            "litigation_related": f"是 {litigation}".strip() if petition.litigation_related else "否",
            "confidential": "是" if petition.confidential else "否",
            "is_public": "是" if petition.is_public else "否",
            "is_repeat": f"是，初件 {shown_no(petition.first_case_no)}" if petition.is_repeat else "否",
        }
        optional = {"summary", "main_facts", "legal_path"}
        return tuple(
            self._field(petition, key, value if key in _PLAIN else text_of(petition, value, unmasked), unmasked)
            for key, value in values.items()
            if value or key not in optional
        )

    def _field(self, petition: Petition, key: str, value: str, unmasked: bool) -> FieldView:
        notes = tuple(text_of(petition, note.words, unmasked) for note in petition.notes if note.field == key)
        known = petition.evidence.get(key)
        return FieldView(
            key=key,
            label=words.FIELD[key.rpartition(".")[2]],
            value=value,
            evidence=evidence_text(petition, key, known, unmasked) if known else None,
            notes=notes,
        )

    def _person(self, petition: Petition, place: int, person: Person, unmasked: bool) -> tuple[FieldView, ...]:
        shown = {
            "name": person.name if unmasked else identity.mask_name(person.name),
            "id_type": words.ID_TYPE[person.id_type.value] if person.id_type else "",
            "id_no": person.id_no if unmasked else identity.mask_id(person.id_no),
            "mobile": person.mobile.removeprefix("+86") if unmasked else identity.mask_phone(person.mobile),
            "landline": person.landline if unmasked else identity.mask_phone(person.landline),
            "email": person.email if unmasked else identity.mask_email(person.email),
            "address": person.address if unmasked else "（已遮盖）" if person.address else "",
        }
        if person.org_name:
            shown["name"] = f"{person.org_name} {shown['name']}".strip()
        role = FieldView(key=f"petitioners.{place}", label="身份", value=words.PERSON_ROLE[person.role.value])
        return (
            role,
            *(self._field(petition, f"petitioners.{place}.{key}", value, unmasked) for key, value in shown.items()),
        )

    def _step(self, petition: Petition, step: Step, unmasked: bool) -> tuple[str, str, str, str, bool]:
        unit = self.units.find(step.unit)
        actor = words.ACTOR.get(step.actor, step.actor)
        event = words.EVENT.get(step.event, step.event)
        told = text_of(petition, step.words, unmasked)
        place = f"({unit.name})" if unit and unit.name not in told else ""
        return moment(step.at), f"{event}{place}", told, actor.removeprefix("officer:"), step.public


def _accused(each: Accused) -> str:
    return " ".join(part for part in (each.unit, each.name, each.post) if part)


def _order(order: Order) -> tuple[int, str, str, str, bool]:
    kinds = {"dispatch": "转办", "read": "甄别", "supplement": "补充材料", "acknowledge": "邮件回执"}
    kinds |= {"text": "短信回执", "notice": "短信告知", "event": "通知"}
    states = {
        OrderState.OPEN: "待投递",
        OrderState.DELIVERED: "已送达",
        OrderState.HELD: "待人工处理",
        OrderState.WITHDRAWN: "已撤回",
    }
    told = f"{order.attempts} 次" if order.attempts > 1 else ""
    return (
        order.id,
        kinds.get(order.kind, order.kind),
        f"{states[order.state]} {told}".strip(),
        order.problem,
        order.state is OrderState.HELD,
    )


def _not_now(case: Case) -> frozenset[str]:
    """Verbs that make no sense for the case as it stands, whoever asks."""
    gone = set()
    if case.confirmed_at is not None:
        gone.add(Verb.CONFIRM.value)
    if case.standing is not Outcome.HELD:
        gone.add(Verb.RELEASE.value)
        if case.read_at is None:
            gone.add(Verb.CORRECT.value)
    if case.standing is not Outcome.PETITION or case.status not in REROUTABLE:
        gone.add(Verb.REROUTE.value)
    return frozenset(gone)
