"""The tally (账): what was sent to a door and what it answered, and the verdict over it and the house's own books."""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from click.testing import CliRunner
from sqlalchemy import func, select

from gateway.line import cli
from petition.arrival import Outcome
from petition.errors import Invalid
from petition.numbering import parse_case_no
from store.tables import ledger, petitions
from store.transaction import Transaction
from tests.houses import Rig

SHOWN = 4
CONFLICT = "same id"  # how the ledger puts it when the intake, not the door, refused


@dataclass(slots=True)
class Tally:
    """One door's. reached: events the door must have entered or refused; numbers: acknowledged; answers: how often
    each kind of answer came; wrong: what should not have been."""

    channel: str
    sent: int = 0
    reached: int = 0
    talks: bool = False  # several events make one petition: not each has an entry of its own yet
    loose: bool = False  # after a race one input may stand in the ledger twice: as refused and as linked
    numbers: set[str] = field(default_factory=set)
    answers: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def acknowledged(self, number: str) -> None:
        """The door gave out a case number."""
        try:
            self.numbers.add(str(parse_case_no(number)))
        except Invalid:
            self.wrong.append(f"acknowledged with {number!r}, which is no case number")

    def bad(self, words: str) -> None:
        """Something that must not be."""
        self.wrong.append(words[:600])


def verdict(rig: Rig, tally: Tally) -> list[str]:
    """Everything broken about a door, while the house still runs; empty: every promise was kept."""
    return [*_shown(tally.wrong), *_log(rig), *rig.house.store.read_now(lambda tx: list(_books(tx, tally, rig)))]


def proofs(rig: Rig) -> list[str]:
    """What the operator's own commands say of the house: reconcile and ledger verify."""
    environment = {**os.environ, "GATEWAY_DATA": str(rig.house.settings.data), "GATEWAY_MIN_FREE": "0"}
    runner = CliRunner(env=environment)
    found = []
    told = runner.invoke(cli, ["reconcile", "--json"])
    figures = json.loads(told.stdout)
    gaps = {channel: line for channel, line in figures["channels"].items() if line["gap"]}
    if told.exit_code or gaps:
        found.append(f"reconcile: exit {told.exit_code}, gaps {gaps}")
    proof = runner.invoke(cli, ["ledger", "verify"])
    if proof.exit_code:
        found.append(f"ledger verify: exit {proof.exit_code}, {proof.output[:400]}")
    return found


def _books(tx: Transaction, tally: Tally, rig: Rig) -> Iterator[str]:
    rows: dict[str, str] = {
        row.case_no: row.standing
        for row in tx.connection.execute(
            select(petitions.c.case_no, petitions.c.standing).where(petitions.c.channel == tally.channel)
        )
    }
    if lost := sorted(tally.numbers - rows.keys()):
        yield f"{len(lost)} numbers acknowledged that nobody has: {lost[:SHOWN]}"
    if tally.talks:
        return
    untold = [number for number, standing in rows.items() if number not in tally.numbers and standing != Outcome.HELD]
    if untold:
        yield f"{len(untold)} petitions nobody was told of (a repeat became a second one?): {untold[:SHOWN]}"
    entered: dict[tuple[str, bool], int] = {}
    asked = select(ledger.c.outcome, ledger.c.reason, func.count()).where(ledger.c.channel == tally.channel)
    for outcome, reason, number in tx.connection.execute(asked.group_by(ledger.c.outcome, ledger.c.reason)):
        by_door = outcome == Outcome.REFUSED and not reason.startswith(CONFLICT)
        entered[outcome, by_door] = entered.get((outcome, by_door), 0) + number
    # A refusal beyond the rate is only counted, so those of the door are taken from its counter.
    kept = sum(number for (_, by_door), number in entered.items() if not by_door)
    accounted = kept + _refusals(rig, tally.channel)
    if accounted < tally.reached or (accounted > tally.reached and not tally.loose):
        yield f"{tally.reached} inputs reached the door, {accounted} are accounted for: {dict(entered)}"


def _refusals(rig: Rig, channel: str) -> int:
    text = rig.client.get("/metrics").text
    found = re.search(rf'(?m)^gateway_refusals_total{{channel="{channel}"}} ([0-9.e+]+)$', text)
    return int(float(found[1])) if found else 0


def _log(rig: Rig) -> list[str]:
    """Lines about what nobody expected; a stage that broke is one, though the petition is held and not lost."""
    bad = [line for line in rig.log.getvalue().splitlines() if _is_bad(line)]
    return [f"log: {line[:1500]}" for line in bad[:SHOWN]] + ([f"log: {len(bad)} such lines"] if bad else [])


def _is_bad(line: str) -> bool:
    if "Traceback" in line or "unexpected error" in line or "stage failed" in line:
        return True
    try:
        told: Any = json.loads(line)
    except ValueError:
        return False
    return isinstance(told, dict) and told.get("level") in ("error", "critical")


def _shown(wrong: list[str]) -> list[str]:
    return wrong[:SHOWN] + ([f"and {len(wrong) - SHOWN} more"] if len(wrong) > SHOWN else [])
