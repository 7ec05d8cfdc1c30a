"""Who may do what to which case: role x region x unit x lane, and who must withdraw."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from casework.permissions import Allowed, Denied, Verb, View, Why
from petition.clock import now
from petition.people import Accused
from petition.petition import Form, Lane, Petition
from tests.casework.samples import CLERK, Parts, officer

BOTH = frozenset({Lane.NORMAL, Lane.SEALED})


@dataclass(frozen=True)
class Matter:
    """A case of the table."""

    petition: Petition
    lane: Lane
    unit: str
    region: str


def matter(region: str = "620102", unit: str = "", lane: Lane = Lane.NORMAL, *accused: Accused) -> Matter:
    moment = now()
    petition = Petition(
        case_no="x",
        form=Form.WEB,
        raw_id="1",
        petition_date=moment.date(),
        received_at=moment,
        problem_region=region,
        accused=accused,
    )
    return Matter(petition, lane, unit, region)


SEALED = Lane.SEALED
TOWN = {"region": "620102", "unit": "620102-xinfang"}
HANDLER = {"role": "unit_handler", "region": "620102", "unit": "620102-housing"}

CASES: list[tuple[str, Mapping[str, Any], Verb, Matter, Why | None]] = [
    ("the province sees its county", {}, Verb.READ, matter("620102"), None),
    ("a township lies in its county", TOWN, Verb.READ, matter("620102001"), None),
    ("another county is out of reach", TOWN, Verb.READ, matter("620105"), Why.REACH),
    ("the city above is out of reach of the county", TOWN, Verb.READ, matter("620100"), Why.REACH),
    ("another province is out of reach", {}, Verb.READ, matter("610102"), Why.REACH),
    ("an unknown place is the office's", {}, Verb.READ, matter(""), None),
    ("an unknown place is not the county's", TOWN, Verb.READ, matter(""), Why.REACH),
    ("what was given to the own unit is seen from anywhere", TOWN, Verb.READ, matter("620105", "620102-xinfang"), None),
    ("a handler sees the cases of the unit", HANDLER, Verb.READ, matter("620102", "620102-housing"), None),
    ("a handler sees nothing else of the county", HANDLER, Verb.READ, matter("620102", "620102-police"), Why.REACH),
    ("a handler may not re-route", HANDLER, Verb.REROUTE, matter("620102", "620102-housing"), Why.VERB),
    ("a registrar confirms", {"role": "registrar"}, Verb.CONFIRM, matter(), None),
    ("a registrar does not re-route", {"role": "registrar"}, Verb.REROUTE, matter(), Why.VERB),
    ("an inspector reads", {"role": "inspector"}, Verb.READ, matter(), None),
    ("an inspector does not unmask", {"role": "inspector"}, Verb.READ_IDENTITY, matter(), Why.VERB),
    ("an inspector without the sealed lane", {"role": "inspector"}, Verb.READ, matter(lane=SEALED), Why.LANE),
    ("an inspector with it", {"role": "inspector", "lanes": BOTH}, Verb.READ, matter(lane=SEALED), None),
    ("the sealed lane needs the person's grant", {}, Verb.READ, matter(lane=SEALED), Why.LANE),
    ("and the role's", {"lanes": BOTH}, Verb.READ, matter(lane=SEALED), Why.LANE),
    ("the lane hides before the region denies", TOWN, Verb.READ, matter("620105", lane=SEALED), Why.LANE),
    ("the discipline clerk reads accusations", CLERK, Verb.READ, matter(lane=SEALED), None),
    ("and only those", CLERK, Verb.READ, matter(), Why.LANE),
    ("an auditor sees no case", {"role": "auditor"}, Verb.READ, matter(), Why.LANE),
    ("an administrator sees no case", {"role": "admin"}, Verb.LIST, matter(), Why.LANE),
    ("a role that was taken away gives nothing", {"role": "gone"}, Verb.READ, matter(), Why.LANE),
    (
        "the accused unit never sees the case",
        HANDLER,
        Verb.READ,
        matter("620102", "620102-housing", Lane.NORMAL, Accused(unit="城关区住建局")),
        Why.RECUSED,
    ),
    (
        "nor a unit below the accused one",
        HANDLER,
        Verb.LIST,
        matter("620102", "620102-housing", Lane.NORMAL, Accused(unit="甘肃省住房和城乡建设厅")),
        Why.RECUSED,
    ),
    (
        "nor whoever is accused by name",
        {"display_name": "王示例"},
        Verb.READ,
        matter("620102", "", Lane.NORMAL, Accused(name="王 示例")),
        Why.RECUSED,
    ),
    (
        "another bureau is free",
        {**HANDLER, "unit": "620102-police"},
        Verb.READ,
        matter("620102", "620102-police", Lane.NORMAL, Accused(unit="城关区住建局")),
        None,
    ),
    (
        "the petition bureau registers what is said against its own government",
        {},
        Verb.READ,
        matter("620000", "", Lane.NORMAL, Accused(unit="甘肃省人民政府")),
        None,
    ),
    (
        "but not what is said against itself",
        {},
        Verb.READ,
        matter("620000", "", Lane.NORMAL, Accused(unit="甘肃省信访局")),
        Why.RECUSED,
    ),
]


@pytest.mark.parametrize(("words", "who", "verb", "case", "why"), CASES, ids=[case[0] for case in CASES])
def test_may(parts: Parts, words: str, who: Mapping[str, Any], verb: Verb, case: Matter, why: Why | None) -> None:
    verdict = parts.permissions.may(officer(**who), verb, case)
    assert (verdict.why if isinstance(verdict, Denied) else None) == why, words


def test_a_second_role_adds_what_the_first_lacks(parts: Parts) -> None:
    both = officer(roles=("inspector", "screener"))
    assert parts.permissions.may(both, Verb.REROUTE, matter()) == Allowed("screener")


@pytest.mark.parametrize(
    ("why", "code"), [(Why.LANE, "not_found"), (Why.RECUSED, "not_found"), (Why.VERB, "forbidden")]
)
def test_what_is_hidden_is_not_found(why: Why, code: str) -> None:
    assert Denied(why, "words").error().code == code


def test_lists_are_bounded_by_lane_region_and_unit(parts: Parts) -> None:
    view = parts.permissions.view
    assert view(officer(**HANDLER)) == (View((Lane.NORMAL,), None, "620102-housing"),)
    assert view(officer(**TOWN)) == (
        View((Lane.NORMAL,), "620102", None),
        View((Lane.NORMAL,), None, "620102-xinfang"),
    )
    assert view(officer(**CLERK))[0] == View((SEALED,), "62", None)
    assert view(officer("auditor")) == ()
    assert view(officer(lanes=frozenset())) == ()


def test_menus_ask_for_the_verb_alone(parts: Parts) -> None:
    assert parts.permissions.has(officer("auditor"), Verb.AUDIT)
    assert not parts.permissions.has(officer("auditor"), Verb.SEARCH)
