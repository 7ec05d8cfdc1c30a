"""The judge (裁判): what the senders, the router and the gateway's own proofs say must be one story."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from tests.crash.senders import Record

SHOWN = 3
STOP_SECONDS = 10.0
# What a writer's connection must say; the names are SQLite's.
PRAGMAS: Mapping[str, object] = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 5000}


@dataclass(frozen=True, slots=True)
class Complaint:
    """One promise that was not kept. code: stable, for the tests; words: with the first cases it was seen at."""

    code: str
    words: str

    def __str__(self) -> str:
        return f"{self.code}: {self.words}"


@dataclass(slots=True, kw_only=True)
class Evidence:
    """Everything that is judged.

    journal: (key, case number) of what the router took over; waiting: orders left open at the end, None if nobody
    waited for them; figures: the totals of `gateway reconcile --json`; balanced: its exit code; whole, proof: exit
    code and words of `gateway ledger verify`; stopped: exit code of SIGTERM and its seconds; pragmas: of the writer's
    connection, empty on PostgreSQL; errors: lines of its log that should not be there.
    """

    record: Record
    journal: Sequence[tuple[str, str]]
    forged: int = 0
    waiting: int | None = 0
    figures: Mapping[str, int] = field(default_factory=dict)
    balanced: int = 0
    whole: int = 0
    proof: str = ""
    stopped: tuple[int, float] = (0, 0.0)
    pragmas: Mapping[str, object] = field(default_factory=dict)
    errors: Sequence[str] = ()


def complaints(seen: Evidence) -> list[Complaint]:
    """Every promise broken; an empty list is the verdict that all were kept."""
    return [*_answers(seen.record), *_router(seen), *_figures(seen), *_proofs(seen)]


def _answers(record: Record) -> Iterator[Complaint]:
    if silent := [sent.id for sent in record.inputs if len(sent.answers) < sent.wanted]:
        yield _many("unacknowledged", "inputs never acknowledged", silent)
    if two := [f"{sent.id} {sent.answers}" for sent in record.inputs if len(set(sent.answers)) > 1]:
        yield _many("two answers", "inputs with different answers", two)
    owners: dict[str, set[str]] = {}
    for sent in record.inputs:
        for case_no, _ in sent.answers:
            owners.setdefault(case_no, set()).add(sent.id)
    if shared := [f"{case_no} {sorted(ids)}" for case_no, ids in owners.items() if len(ids) > 1]:
        yield _many("shared number", "case numbers given to several inputs", shared)
    if lost := [f"{sent.id} {sent.answers[0][0]}" for sent in record.inputs if sent.answers and sent.found is False]:
        yield _many("unknown code", "acknowledged, but number and code open nothing", lost)
    if unseen := [sent.id for sent in record.inputs if sent.answers and sent.found is None]:
        yield _many("not looked up", "acknowledged, but nobody tried the code", unseen)
    if record.strange:
        yield _many("status", "answers there should be none of", record.strange)


def _router(seen: Evidence) -> Iterator[Complaint]:
    known = {case_no for sent in seen.record.inputs for case_no, _ in sent.answers}
    taken = Counter(case_no for _, case_no in seen.journal)
    if twice := [f"{case_no} x{number}" for case_no, number in taken.items() if number > 1]:
        yield _many("twice at router", "cases under several keys", twice)
    keys = Counter(key for key, _ in seen.journal)
    if mixed := [key for key, number in keys.items() if number > 1]:
        yield _many("key of two", "keys that stand for several deliveries", mixed)
    if strangers := sorted(taken.keys() - known):
        yield _many("nobody sent", "at the router, but nobody was told that number", strangers)
    if seen.forged:
        yield Complaint("forged", f"{seen.forged} requests with a bad signature")
    if seen.waiting is None:
        return
    if missing := sorted(known - taken.keys()):
        yield _many("not at router", "acknowledged, but never delivered", missing)
    if seen.waiting:
        yield Complaint("undelivered", f"{seen.waiting} orders still open")


def _figures(seen: Evidence) -> Iterator[Complaint]:
    record, figures = seen.record, seen.figures
    wanted = seen.waiting is not None
    if seen.balanced != (0 if not figures.get("gap") else 1) or figures.get("gap", -1) != 0:
        yield Complaint("gap", f"reconcile: exit {seen.balanced}, {dict(figures)}")
    distinct = sum(bool(sent.answers) for sent in record.inputs)
    answers = sum(len(sent.answers) for sent in record.inputs)
    # Beyond the answers that came there may be those whose answer was lost: entered, and then sent again.
    doubtful = record.unanswered + record.later
    counts = {name: figures.get(name, -1) for name in ("received", "petitions", "linked", "held", "refused")}
    good = (
        counts["petitions"] == distinct
        and answers <= counts["received"] <= answers + doubtful
        and counts["linked"] == counts["received"] - distinct
        and counts["held"] == counts["refused"] == 0
    )
    if not good:
        words = f"{distinct} inputs, {answers} answers, {doubtful} in doubt, but the books say {counts}"
        yield Complaint("counts", words)
    if wanted and figures.get("dispatched") != distinct:
        yield Complaint("counts", f"{distinct} inputs, but {figures.get('dispatched')} dispatched")


def _proofs(seen: Evidence) -> Iterator[Complaint]:
    if seen.whole != 0:
        yield Complaint("ledger", f"verify: exit {seen.whole}, {seen.proof[:400]}")
    code, seconds = seen.stopped
    if code != 0 or seconds > STOP_SECONDS:
        yield Complaint("stop", f"SIGTERM: exit {code} after {seconds:.1f} s")
    wrong = {name: value for name, value in seen.pragmas.items() if value != PRAGMAS.get(name)}
    if wrong:
        yield Complaint("pragmas", f"the writer's connection says {wrong}")
    if seen.errors:
        yield _many("log", "errors in the log", seen.errors)


def _many(code: str, words: str, cases: Sequence[str]) -> Complaint:
    more = f" and {len(cases) - SHOWN} more" if len(cases) > SHOWN else ""
    return Complaint(code, f"{len(cases)} {words}: {'; '.join(cases[:SHOWN])}{more}")
