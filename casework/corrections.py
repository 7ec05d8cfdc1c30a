"""Corrections (更正): which fields an officer may correct, and how what was typed becomes values of the record."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from config.categories import Categories
from config.regions import Regions
from petition import identity
from petition.errors import Problem
from petition.identity import IdCheck
from petition.people import Accused, IdType, Person
from petition.petition import LegalPath, LitigationStage, Petition, Purpose, Urgency

LONGEST = {"title": 60, "summary": 2000, "main_facts": 5000, "requests": 2000, "content": 100_000}
MOST_PEOPLE = 10_000_000  # a number beyond it is a slip of the pen
_SHORT = 200  # names, places, posts

# Fields a routing rule or the conflict guard looks at: a change may send the case elsewhere.
ROUTING = frozenset(
    {
        *("problem_region", "category", "purpose", "accused", "urgency", "litigation_related", "litigation_stage"),
        *("legal_path", "confidential", "title", "content"),
    }
)
FLAGS = ("confidential", "is_public", "litigation_related")
CHOICES: Mapping[str, type[StrEnum]] = {
    "purpose": Purpose,
    "urgency": Urgency,
    "legal_path": LegalPath,
    "litigation_stage": LitigationStage,
}
PLAIN = ("title", "summary", "main_facts", "occur_time", "occur_place")
# In the order of the form: what it is about, where and when, against whom, how it is to be treated.
MATTER = (
    *("title", "summary", "main_facts", "requests", "purpose", "category", "problem_region", "occur_time"),
    *("occur_place", "accused", "headcount", "urgency", "legal_path", "litigation_related", "litigation_stage"),
    *("confidential", "is_public"),
)
PERSON = ("name", "id_type", "id_no", "mobile", "landline", "email", "address")
_CHECKS: Mapping[str, Callable[[str], IdCheck]] = {
    "name": identity.check_name,
    "mobile": identity.check_mobile,
    "landline": identity.check_landline,
    "email": identity.check_email,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Corrected:
    """What became of a correction. changed: names of the fields that are different now; problems: to be mended."""

    petition: Petition
    changed: tuple[str, ...]
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class Corrections:
    """Reads correction forms. Only fields that stand in the form are looked at; the others stay as they are."""

    regions: Regions
    categories: Categories

    def apply(self, petition: Petition, typed: Mapping[str, str]) -> Corrected:
        """The petition with what was typed.

        typed: field -> text; flags are "yes" or "no", `requests` one a line, `accused` one a line as unit / name /
        post, people as `petitioners.<n>.<field>`. Empty takes a value out. Unknown fields are left alone.
        """
        problems: list[Problem] = []
        values: dict[str, Any] = {}
        for key in MATTER:
            if key in typed:
                values[key] = self._value(key, identity.tidy(typed[key]), problems)
        if "content" in typed:
            values["content"] = _bounded("content", typed["content"].replace("\r\n", "\n").strip(), problems)
        people = _people(petition.petitioners, typed, problems)
        if people != petition.petitioners:
            values["petitioners"] = people
        corrected = replace(petition, **values)
        changed = tuple(key for key in values if getattr(corrected, key) != getattr(petition, key))
        return Corrected(petition=corrected, changed=changed, problems=tuple(problems))

    def typed_of(self, petition: Petition) -> dict[str, str]:
        """The values as the form shows them, the inverse of `apply`; holds identity data."""
        shown = {key: str(getattr(petition, key)) for key in PLAIN}
        shown |= {key: str(getattr(petition, key) or "") for key in CHOICES}
        shown |= {key: "yes" if getattr(petition, key) else "no" for key in FLAGS}
        shown["headcount"] = str(petition.headcount)
        shown["category"] = petition.category
        shown["problem_region"] = self.regions.full_name(petition.problem_region) or petition.problem_region
        shown["requests"] = "\n".join(petition.requests)
        shown["accused"] = "\n".join(" / ".join((each.unit, each.name, each.post)) for each in petition.accused)
        shown["content"] = petition.content
        for place, person in enumerate(petition.petitioners):
            shown |= {f"petitioners.{place}.{key}": str(getattr(person, key) or "") for key in PERSON}
        return shown

    def region(self, text: str) -> tuple[str, str]:
        """(code, problem in words) of a place given by code or by name such as 兰州市城关区."""
        text = "".join(text.split())
        if not text:
            return "", ""
        if text.isascii() and text.isdigit():
            known = self.regions.find(text)
            return (known.code, "") if known else ("", "区划代码不在现行区划表中，请核对。")
        for start in range(len(text) - 1):
            tail = text[start:]
            hits = [hit for hit in self.regions.search(tail, limit=200) if hit.name == tail]
            full = [hit for hit in hits if self.regions.full_name(hit.code).endswith(text)]
            if len(full) == 1:
                return full[0].code, ""
            if full:
                names = "、".join(self.regions.full_name(hit.code) for hit in full[:4])
                return "", f"有 {len(full)} 个同名的地方({names}),请把上一级也写上。"
        return "", "没有找到这个地方，请写成“兰州市城关区”的样子或填区划代码。"

    def _value(self, key: str, text: str, problems: list[Problem]) -> Any:
        if key in FLAGS:
            return text == "yes"
        if key in CHOICES:
            return self._choice(key, text, problems)
        match key:
            case "requests":
                return tuple(line for raw in _bounded(key, text, problems).splitlines() if (line := raw.strip()))
            case "accused":
                return tuple(_accused(line) for line in text.splitlines()[:50] if line.strip(" /"))
            case "category":
                if text and text not in self.categories:
                    problems.append(Problem(key, "category_unknown", "请从列表中选择内容分类。"))
                return text
            case "problem_region":
                code, words = self.region(text)
                if words:
                    problems.append(Problem(key, "region_unknown", words))
                return code
            case "headcount":
                if not (text.isascii() and text.isdigit() and 1 <= int(text[:12]) <= MOST_PEOPLE):
                    problems.append(Problem(key, "headcount_shape", "信访人数应为不小于1的整数。"))
                    return 1
                return int(text)
        return _bounded(key, text, problems)

    def _choice(self, key: str, text: str, problems: list[Problem]) -> StrEnum | None:
        kind = CHOICES[key]
        if not text and key != "urgency":
            return None
        try:
            return kind(text)
        except ValueError:
            problems.append(Problem(key, "choice_unknown", "请从列表中选择。"))
            return Urgency.NORMAL if key == "urgency" else None


def _bounded(key: str, text: str, problems: list[Problem]) -> str:
    most = LONGEST.get(key, _SHORT)
    if len(text) > most:
        problems.append(Problem(key, "too_long", f"最多 {most} 个字，现在是 {len(text)} 个字。"))
    return text


def _accused(line: str) -> Accused:
    parts = [part.strip()[:_SHORT] for part in line.replace("\uff0f", "/").split("/", 2)]
    unit, name, post = (*parts, "", "")[:3]
    return Accused(unit=unit, name=identity.normal_name(name), post=post)


def _people(people: tuple[Person, ...], typed: Mapping[str, str], problems: list[Problem]) -> tuple[Person, ...]:
    corrected = []
    for place, person in enumerate(people):
        values: dict[str, Any] = {}
        for key in PERSON:
            path = f"petitioners.{place}.{key}"
            if path in typed:
                values[key] = identity.tidy(typed[path][:_SHORT])
        if "id_type" in values:
            known = values["id_type"] in IdType.__members__
            values["id_type"] = IdType(values["id_type"]) if known else None
        for key, check in _CHECKS.items():
            if values.get(key):
                values[key] = _checked(f"petitioners.{place}.{key}", check(values[key]), problems)
        if values.get("id_no"):
            kind = values.get("id_type", person.id_type)
            values["id_no"] = _id_no(f"petitioners.{place}.id_no", kind, values["id_no"], problems)
        corrected.append(replace(person, **values))
    return tuple(corrected)


def _id_no(path: str, kind: IdType | None, text: str, problems: list[Problem]) -> str:
    if kind in (None, IdType.RESIDENT_ID):
        return _checked(path, identity.check_resident_id(text), problems)
    if kind is IdType.USCC:
        return _checked(path, identity.check_uscc(text), problems)
    return text.upper()


def _checked(path: str, check: IdCheck, problems: list[Problem]) -> str:
    if not check.ok:
        problems.append(Problem(path, check.code, check.words))
    return check.normal
