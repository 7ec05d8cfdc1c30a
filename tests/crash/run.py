"""The run (演练): load, kill -9, restart, again; then everything is finished, stopped, looked at and judged."""

from __future__ import annotations

import json
import os
import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from store.database import writing_engine
from tests.crash import machine
from tests.crash.judge import PRAGMAS, Complaint, Evidence, complaints
from tests.crash.machine import Gateway, NotReady
from tests.crash.senders import Record, read
from tests.crash.ways import KINDS

# While it is stormy a fifth of the router's answers is no good one; `hang` is beyond the courier's patience.
STORM: Mapping[str, float] = {
    "fail": 0.05,
    "busy": 0.02,
    "hang": 0.02,
    "lose": 0.08,
    "garble": 0.01,
    "drip": 0.01,
    "conflict": 0.02,
}
HANG = 3.0
COURIER_PATIENCE = "1"  # seconds; less than HANG
CALM = 1.2  # seconds until the gateway has got over the crowd and works off at full speed
DELIVER_SECONDS = 75.0  # two leases and the pauses of the courier


def new_seed() -> int:
    """A new seed for each run, or the printed one of an earlier run in CRASH_SEED."""
    given = os.environ.get("CRASH_SEED")
    return int(given) if given else int.from_bytes(os.urandom(3), "big")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to be done. kills: while there is load; late: while only deliveries are left; shortest, longest: seconds
    between readiness and kill; at_start: share of the kills that hit a gateway still starting; deliver: wait until
    every order has left; settings: more for the gateway."""

    kills: int = 10
    late: int = 0
    seed: int = field(default_factory=new_seed)
    connections: int = 48
    shortest: float = 0.05
    longest: float = 0.5
    at_start: float = 0.12
    deliver: bool = True
    sabotage: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Report:
    """What came of a plan."""

    plan: Plan
    record: Record
    starts: int
    seconds: float
    deliveries: int
    calls: int
    figures: Mapping[str, int]
    slowest_start: float
    complaints: list[Complaint]

    @property
    def codes(self) -> set[str]:
        """What was complained about."""
        return {one.code for one in self.complaints}

    def table(self) -> str:
        """The summary, a line each."""
        inputs = self.record.inputs
        answers = sum(len(one.answers) for one in inputs)
        distinct = sum(bool(one.answers) for one in inputs)
        kinds = {kind: sum(one.kind == kind for one in inputs) for kind in sorted(KINDS)}
        lines = {
            "seed": self.plan.seed,
            "sabotage": self.plan.sabotage or "none",
            "kill -9 (under load + while delivering)": f"{self.plan.kills} + {self.plan.late}",
            "starts": f"{self.starts} (slowest to ready {self.slowest_start:.2f} s)",
            "inputs acknowledged": f"{distinct} of {len(inputs)} {kinds}",
            "deliberate duplicates": sum(one.wanted - 1 for one in inputs),
            "answers / asked to come again": f"{answers} / {self.record.later}",
            "answers lost / no connection": f"{self.record.unanswered} / {self.record.unreachable}",
            "ledger": dict(self.figures),
            "at the router": f"{self.deliveries} in {self.calls} requests",
            "seconds": f"{self.seconds:.1f}",
            "complaints": "; ".join(map(str, self.complaints)) or "none",
        }
        width = max(map(len, lines))
        return "\n".join(f"  {name:<{width}}  {value}" for name, value in lines.items())


def run(plan: Plan, folder: Path) -> Report:
    """Carry out the plan in an empty folder; raises NotReady if something does not come up again."""
    began = time.monotonic()
    chance = random.Random(f"run {plan.seed}")
    journal, record = folder / "journal.jsonl", folder / "record.json"
    with machine.router(journal, plan.seed) as router:
        router.start(plan.seed, STORM, HANG)
        settings = {**machine.posing(router.url), "GATEWAY_ROUTING_TIMEOUT": COURIER_PATIENCE, **plan.settings}
        with machine.gateway(folder / "data", settings, sabotage=plan.sabotage, seed=plan.seed) as gateway:
            slowest = _storm(plan, gateway, record, chance)
            router.start(plan.seed + 1, {"lose": STORM["lose"]}, HANG)
            machine.look_up(record, gateway.port)
            waiting = _delivered(gateway) if plan.deliver else None
            stopped = gateway.stop()
            router.note()
            seen = _evidence(gateway, router.entries(), record)
            seen.waiting, seen.stopped, seen.forged = waiting, stopped, router.forged
            return Report(
                plan=plan,
                record=seen.record,
                starts=gateway.starts,
                seconds=time.monotonic() - began,
                deliveries=len(seen.journal),
                calls=router.calls,
                figures=seen.figures,
                slowest_start=slowest,
                complaints=complaints(seen),
            )


def _storm(plan: Plan, gateway: Gateway, record: Path, chance: random.Random) -> float:
    """Load and kills, then the kills while the backlog leaves; the gateway is up afterwards. Slowest start, seconds."""
    gateway.spawn()
    with machine.senders(record, gateway, plan.seed, connections=plan.connections) as senders:
        slowest = 0.0
        for _ in range(plan.kills):
            if chance.random() < plan.at_start:
                time.sleep(chance.uniform(0.1, 1.5))
            else:
                slowest = max(slowest, _ready(gateway))
                time.sleep(chance.uniform(plan.shortest, plan.longest))
            gateway.kill()
            gateway.spawn()
        slowest = max(slowest, _ready(gateway))
        time.sleep(plan.longest / 2)
        senders.finish(90)
    for _ in range(plan.late):
        time.sleep(CALM + chance.uniform(plan.shortest, plan.longest))
        gateway.kill()
        gateway.spawn()
        slowest = max(slowest, _ready(gateway))
    return slowest


def _ready(gateway: Gateway) -> float:
    began = time.monotonic()
    gateway.wait_ready()
    return time.monotonic() - began


def _delivered(gateway: Gateway) -> int:
    """Wait until no order is open; how many are left when time is up."""
    until, left, moved = time.monotonic() + DELIVER_SECONDS, -1, time.monotonic()
    while time.monotonic() < until:
        now = gateway.open_orders()
        if now == 0:
            return 0
        if now != left:
            left, moved = now, time.monotonic()
            until = max(until, moved + DELIVER_SECONDS / 2)  # a long run has a long backlog, as long as it shrinks
        time.sleep(0.2)
    return left


def judged_folder(
    gateway: Gateway,
    record: Path,
    stopped: tuple[int, float],
    *,
    extra: int = 0,
    echoes: int = 0,
    errors: bool = False,
) -> list[Complaint]:
    """The judge's words on a stopped gateway without a router. extra: petitions the senders do not know of, each
    acknowledged once; echoes: how often they were acknowledged again; errors: whether errors in the log count."""
    seen = _evidence(gateway, (), record)
    seen.waiting, seen.stopped = None, stopped
    ours = {"received": extra + echoes, "petitions": extra, "linked": echoes}
    seen.figures = {name: number - ours.get(name, 0) for name, number in seen.figures.items()}
    seen.errors = seen.errors if errors else ()
    return complaints(seen)


def _evidence(gateway: Gateway, journal: Sequence[tuple[str, str]], record: Path) -> Evidence:
    reconciled = gateway.command("reconcile", "--json")
    if not reconciled.stdout:
        raise NotReady(f"reconcile says nothing: {reconciled.stderr[-2000:]}")
    verified = gateway.command("ledger", "verify")
    return Evidence(
        record=read(record),
        journal=journal,
        figures=json.loads(reconciled.stdout)["total"],
        balanced=reconciled.returncode,
        whole=verified.returncode,
        proof=verified.stderr,
        pragmas={} if "GATEWAY_DATABASE_URL" in gateway.settings else pragmas(gateway.data / "gateway.db"),
        errors=gateway.errors(),
    )


def pragmas(database: Path) -> dict[str, object]:
    """What a connection that the product opens for writing says about itself."""
    engine = writing_engine(f"sqlite:///{database}")
    try:
        with engine.connect() as connection:
            return {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in PRAGMAS}
    finally:
        engine.dispose()
