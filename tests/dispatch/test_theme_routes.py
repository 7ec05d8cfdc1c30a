"""The rows of a theme: before the general table for its own petitions, never before the law."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from config.routes import Route
from config.themes import load_themes
from config.units import Units
from dispatch.conflict import Guard
from dispatch.courier import Held
from dispatch.routing import Choice, Decision, Routing
from petition.people import Accused
from petition.petition import DispatchType, Purpose, Urgency
from tests.dispatch.cases import PLAIN
from tests.fakes.themes import ROWS, write_theme

MAJOR = ROWS.replace("FLOOD-ANY", "FLOOD-MAJOR").replace("emergency@county", "government@county")
ONLY_MAJOR = MAJOR + 'urgency = ["MAJOR"]\n'


def routing_with(folder: Path, units: Units, routes: tuple[Route, ...], **theme: str) -> Routing:
    write_theme(folder, **theme)  # type: ignore[arg-type]
    return Routing(units, (*load_themes((folder,)).rules(), *routes), Guard(units), "620000")


# label, what is changed in the plain petition (城关区, 物业), the rule, the unit
CASES: list[tuple[str, dict[str, Any], str, str]] = [
    ("of the theme", {}, "FLOOD-ANY", "620102-emergency"),
    ("not of the theme", {"sub_source": ""}, "HOUSING", "620102-housing"),
    ("of another theme", {"sub_source": "theme:rain"}, "HOUSING", "620102-housing"),
    ("a claim in words", {"sub_source": "疫情 theme:flood"}, "HOUSING", "620102-housing"),
    ("an accusation of an official", {"purpose": Purpose.ACCUSATION, "category": "16"}, "SEALED-DISCIPLINE",
     "620102-discipline"),
    ("a matter of the courts", {"litigation_related": True}, "LITIGATION", "620102-political_legal"),
    ("a major emergency the theme does not speak of", {"urgency": Urgency.MAJOR}, "MAJOR-ANY", "620102-government"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "rule", "unit"), [row[1:] for row in CASES], ids=[row[0] for row in CASES])
def test_a_theme_comes_before_the_table_and_after_the_law(
    tmp_path: Path, units: Units, routes: tuple[Route, ...], changes: dict[str, Any], rule: str, unit: str
) -> None:
    routing = routing_with(tmp_path, units, routes)
    decision = routing.decide(replace(PLAIN, **{"sub_source": "theme:flood", **changes}))
    assert isinstance(decision, Decision)
    assert (decision.rule, decision.unit.code) == (rule, unit)


def test_a_theme_may_speak_of_major_emergencies(tmp_path: Path, units: Units, routes: tuple[Route, ...]) -> None:
    routing = routing_with(tmp_path, units, routes, rows=ONLY_MAJOR + ROWS)
    decision = routing.decide(replace(PLAIN, sub_source="theme:flood", urgency=Urgency.MAJOR))
    assert isinstance(decision, Decision)
    assert decision.rule == "FLOOD-MAJOR"


def test_one_unit_may_have_it_all(tmp_path: Path, units: Units, routes: tuple[Route, ...]) -> None:
    routing = routing_with(tmp_path, units, routes, more='unit = "620000-health"', rows="")
    decision = routing.decide(replace(PLAIN, sub_source="theme:flood"))
    assert isinstance(decision, Decision)
    assert (decision.unit.code, decision.dispatch_type) == ("620000-health", DispatchType.FORWARD)


def test_nobody_gets_a_complaint_about_himself(tmp_path: Path, units: Units, routes: tuple[Route, ...]) -> None:
    """Regulation art. 30 holds for the rows of a theme, and for the officer who would choose so."""
    routing = routing_with(tmp_path, units, routes)
    unit = units.rows["620102-emergency"]
    about = replace(PLAIN, sub_source="theme:flood", accused=(Accused(unit=unit.name),))
    decision = routing.decide(about)
    assert isinstance(decision, Decision)
    assert decision.unit.code != unit.code
    assert "第30条" in decision.turned
    assert isinstance(routing.decide(about, Choice(unit=unit.code)), Held)
