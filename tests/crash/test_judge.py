"""The judge complains about each broken promise, and about nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.crash.judge import PRAGMAS, Evidence, complaints
from tests.crash.senders import Record, Sent

pytestmark = pytest.mark.quick


def good() -> Evidence:
    """Two inputs, one of them sent twice, another answer lost."""
    inputs = [
        Sent("a", "plain", 1, 2, [("N1", "C1")], True),
        Sent("b", "files", 2, 2, [("N2", "C2"), ("N2", "C2")], True),
    ]
    return Evidence(
        record=Record(inputs=inputs, statuses={"201": 3, "503": 1}, later=1, unanswered=1),
        journal=[("case-1", "N1"), ("case-2", "N2")],
        figures={
            "received": 4,
            "petitions": 2,
            "linked": 2,
            "held": 0,
            "refused": 0,
            "dispatched": 2,
            "waiting": 0,
            "gap": 0,
        },
        stopped=(0, 1.5),
        pragmas=PRAGMAS,
    )


def figures(seen: Evidence, **changes: int) -> Evidence:
    """The same with other figures."""
    return replace(seen, figures={**seen.figures, **changes})


def answered(seen: Evidence, *answers: tuple[str, str]) -> Evidence:
    """The same, but the second input got these answers."""
    seen.record.inputs[1].answers = list(answers)
    return seen


def found(seen: Evidence, value: bool | None) -> Evidence:
    """The same, but the first input's code opened nothing."""
    seen.record.inputs[0].found = value
    return seen


def strange(seen: Evidence) -> Evidence:
    """The same, with an answer there should be none of."""
    seen.record.strange.append("a: 500")
    return seen


CASES: list[tuple[str, Callable[[Evidence], Evidence], set[str]]] = [
    ("all is well", lambda seen: seen, set()),
    ("never acknowledged", lambda seen: answered(seen), {"unacknowledged", "nobody sent", "counts"}),
    ("duplicate not acknowledged", lambda seen: answered(seen, ("N2", "C2")), {"unacknowledged"}),
    ("other code", lambda seen: answered(seen, ("N2", "C2"), ("N2", "C3")), {"two answers"}),
    ("other number", lambda seen: answered(seen, ("N2", "C2"), ("N3", "C2")), {"two answers", "not at router"}),
    ("one number for two", lambda seen: answered(seen, *[("N1", "C1")] * 2), {"shared number", "nobody sent"}),
    ("code opens nothing", lambda seen: found(seen, False), {"unknown code"}),
    ("nobody looked", lambda seen: found(seen, None), {"not looked up"}),
    ("a 500", strange, {"status"}),
    ("never sent on", lambda seen: replace(seen, journal=seen.journal[:1]), {"not at router"}),
    ("two keys", lambda seen: replace(seen, journal=[*seen.journal, ("case-9", "N1")]), {"twice at router"}),
    ("one key, two cases", lambda seen: replace(seen, journal=[("k", "N1"), ("k", "N2")]), {"key of two"}),
    ("a stranger", lambda seen: replace(seen, journal=[*seen.journal, ("case-9", "N9")]), {"nobody sent"}),
    ("bad signature", lambda seen: replace(seen, forged=1), {"forged"}),
    ("left open", lambda seen: replace(seen, waiting=1), {"undelivered"}),
    ("nobody waited", lambda seen: replace(figures(seen, dispatched=1), journal=(), waiting=None), set()),
    ("a gap", lambda seen: replace(figures(seen, gap=1), balanced=1), {"gap"}),
    ("a gap that reconcile does not tell", lambda seen: figures(seen, gap=1), {"gap"}),
    ("no gap but exit 1", lambda seen: replace(seen, balanced=1), {"gap"}),
    ("duplicate dropped", lambda seen: figures(seen, received=2, linked=0), {"counts"}),
    ("one too many", lambda seen: figures(seen, received=7, linked=5), {"counts"}),
    ("petition too many", lambda seen: figures(seen, petitions=3, linked=1), {"counts"}),
    ("held", lambda seen: figures(seen, held=1), {"counts"}),
    ("not dispatched", lambda seen: figures(seen, dispatched=1, waiting=1), {"counts"}),
    ("chain broken", lambda seen: replace(seen, whole=1, proof="entry 3"), {"ledger"}),
    ("no clean stop", lambda seen: replace(seen, stopped=(1, 2.0)), {"stop"}),
    ("slow stop", lambda seen: replace(seen, stopped=(0, 10.1)), {"stop"}),
    ("killed by its user", lambda seen: replace(seen, stopped=(-14, 20.0)), {"stop"}),
    ("no full sync", lambda seen: replace(seen, pragmas={**PRAGMAS, "synchronous": 1}), {"pragmas"}),
    ("an error in the log", lambda seen: replace(seen, errors=["Traceback"]), {"log"}),
]


@pytest.mark.parametrize(("name", "change", "codes"), CASES, ids=[case[0] for case in CASES])
def test_each_broken_promise_is_told(name: str, change: Callable[[Evidence], Evidence], codes: set[str]) -> None:
    assert {one.code for one in complaints(change(good()))} == codes
