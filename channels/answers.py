"""Answers (填写内容): what a person has typed into the web form so far, as typed, page by page."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from petition.identity import tidy
from petition.people import Role
from petition.petition import Form, Purpose

# The pages in their order and the step (1..7) of the progress line each one belongs to.
PAGES = (
    ("who", 1), ("people", 2), ("region", 3), ("scene", 3), ("purpose", 4), ("story", 4),
    ("requests", 5), ("accused", 5), ("wishes", 5), ("evidence", 6), ("check", 7),
)  # fmt: skip
STEP_TITLES = ("谁来反映", "个人信息", "时间地点", "发生了什么", "您的诉求", "证明材料", "核对提交")

MANNERS = ("self", "agent", "joint", "anonymous")
VIAS = {"kiosk": Form.KIOSK}  # the same pages opened by the QR code of the self-service zone (DOMAIN 4.1)


# 1. 2、(3) (四) at the beginning of a line, with half-width or full-width signs.
_NUMBERED = re.compile(r"^\s*[(\uff08]?[0-9\uff10-\uff19一二三四五六七八九十]{1,3}[)\uff09、.\uff0e](?![0-9])\s*")


@dataclass(frozen=True, slots=True)
class Answers:
    """Everything typed so far, as typed. fields: by name; people: one mapping a person, in the order of entry."""

    fields: Mapping[str, str] = field(default_factory=dict)
    people: tuple[Mapping[str, str], ...] = ()

    def get(self, name: str) -> str:
        """The words typed into a field, without blanks around them; empty if there are none."""
        return self.fields.get(name, "").replace("\r\n", "\n").strip()

    def put(self, changes: Mapping[str, str]) -> Answers:
        """The answers with these fields replaced."""
        return Answers({**self.fields, **changes}, self.people)

    def put_person(self, index: int, changes: Mapping[str, str]) -> Answers:
        """The answers with one person changed; an index at the end adds one (IndexError beyond)."""
        people = [*self.people]
        if index == len(people):
            people.append({})
        people[index] = {**people[index], **changes}
        return Answers(self.fields, tuple(people))

    def drop_person(self, index: int) -> Answers:
        """The answers without that person; an unknown index changes nothing."""
        return Answers(self.fields, tuple(each for at, each in enumerate(self.people) if at != index))

    def to_dict(self) -> dict[str, object]:
        """Plain values for JSON."""
        return {"fields": dict(self.fields), "people": [dict(each) for each in self.people]}

    @staticmethod
    def from_dict(stored: Mapping[str, object]) -> Answers:
        """The answers of `to_dict`; what has another shape is left out."""
        fields, people = stored.get("fields"), stored.get("people")
        return Answers(
            _texts(fields),
            tuple(_texts(each) for each in people) if isinstance(people, list) else (),
        )

    @property
    def manner(self) -> str:
        """self, agent, joint or anonymous; empty until chosen."""
        return self.get("manner") if self.get("manner") in MANNERS else ""

    @property
    def purpose(self) -> Purpose | None:
        """The purpose; an anonymous petition is always an accusation (only there nobody need be told)."""
        if self.manner == "anonymous":
            return Purpose.ACCUSATION
        return Purpose(self.get("purpose")) if self.get("purpose") in set(Purpose) else None

    @property
    def requests(self) -> tuple[str, ...]:
        """The requests, one a line, without numbering such as `1.` or `(二)`."""
        lines = (_NUMBERED.sub("", line, count=1).strip() for line in self.get("requests").split("\n"))
        return tuple(line for line in lines if line)

    @property
    def headcount(self) -> int:
        """How many people stand behind the petition; an agent speaks for the principal only."""
        typed = tidy(self.get("headcount"))
        if self.manner != "joint":
            return 1
        if self.by_link:
            return len(self.people)
        return int(typed) if re.fullmatch(r"[0-9]{1,6}", typed) else len(self.people)

    @property
    def by_link(self) -> bool:
        """Whether the others of a joint petition join by a link once it is handed in."""
        return self.manner == "joint" and self.get("join") == "link"

    @property
    def occur_time(self) -> str:
        """The day as far as it was given: 2026, 2026-01 or 2026-01-31; empty if not said."""
        parts = [tidy(self.get(name)) for name in ("year", "month", "day")]
        return "-".join(part.zfill(2) for part in parts if part)

    def role(self, index: int) -> Role:
        """What the person at this place is to the petition; the first of a joint one always represents it."""
        if self.manner == "agent":
            return Role.PRINCIPAL if index == 0 else Role.AGENT
        if self.manner == "joint":
            chosen = self.people[index].get("role") if index < len(self.people) else None
            return Role.COSIGNER if index and chosen != Role.REPRESENTATIVE else Role.REPRESENTATIVE
        return Role.SELF

    @property
    def named(self) -> tuple[Mapping[str, str], ...]:
        """The people who belong to the petition as it is now chosen; others typed before are kept but not sent."""
        most = {"self": 1, "agent": 2, "joint": None}.get(self.manner, 0)
        return self.people[:most]

    @property
    def is_public(self) -> bool:
        """Whether the outcome may be published; never for an accusation (Regulation art. 30)."""
        return self.purpose is not Purpose.ACCUSATION and self.get("is_public") == "yes"

    @property
    def confidential(self) -> bool:
        """Whether secrecy is asked for; always for an accusation (Regulation art. 30)."""
        return self.purpose is Purpose.ACCUSATION or self.get("confidential") == "yes"

    def expected(self) -> int:
        """How many people must at least be named: agent and principal, two who join, nobody for an anonymous one."""
        return {"agent": 2, "joint": 1 if self.by_link else 2, "anonymous": 0}.get(self.manner, 1)


def _texts(value: object) -> dict[str, str]:
    if not isinstance(value, dict):
        return {}
    return {str(name): text for name, text in value.items() if isinstance(text, str)}
