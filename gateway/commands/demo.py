"""`gateway demo` (演示): files the sample petitions with a running gateway, each over its own channel."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import click
import httpx
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from config.settings import Settings
from gateway.commands.reconcile import reconcile
from gateway.demo.browser import Stuck
from gateway.demo.counter import Clerk
from gateway.demo.doors import Filed, Place
from gateway.demo.journeys import JOURNEYS, Arrived, follow, open_channels
from gateway.demo.samples import Sample, load_calls, load_samples
from gateway.demo.texts import load_texts
from gateway.house import secret_of
from store import petitions
from store.database import open_reading


@dataclass(frozen=True, slots=True)
class _Line:
    """What became of one sample."""

    sample: Sample
    words: str
    good: bool = False
    filed: Filed | None = None
    arrived: Arrived | None = None

    @property
    def shown(self) -> str:
        """One line for the console."""
        mark = "·" if self.filed is None and self.good else "✓" if self.good else "✗"
        number = self.filed.case_no if self.filed else ""
        return f"{mark} {self.sample.n:>2} {self.sample.form.value:<8}{self.sample.channel:<8}{number:<23}{self.words}"


@click.command()
@click.option("--url", default="", help="网关的网址，默认按设置 / of the gateway; by default as in the settings")
@click.option("--wait", "seconds", default=30.0, show_default=True, help="每件最多等几秒 / seconds to wait for each")
@click.option(
    "--clerk",
    default="",
    envvar="DEMO_CLERK",
    help="登记员的“账号 密码 otpauth://…”，来访渠道用 / who takes down visits, as `officer add --totp` tells it",
)
@click.pass_context
def demo(context: click.Context, url: str, seconds: float, clerk: str) -> None:
    """把样例来件逐件送进运行中的网关，看每件到了哪里。 (File the samples with a running gateway.)

    只有每件都到了承办单位、重复提交没有变成两件、对账没有缺口，才以 0 退出。
    """
    settings: Settings = context.obj
    url = (url or f"http://{settings.http}").rstrip("/")
    console = Console(width=None if sys.stdout.isatty() else 110)
    try:
        place = Place.of(url, settings, Clerk.read(clerk))
        doors = open_channels(place, settings.channels)
    except (httpx.HTTPError, KeyError, ValueError) as problem:
        words = f"{url} 没有网关应答，请先启动 (start it first): gateway serve ({problem})"
        raise click.ClickException(words) from None
    samples = [*load_samples(), *(load_calls() if "voice" in doors else ())]
    samples += load_texts(place) if "sms" in doors else ()
    lines = _send(console, place, samples, doors, seconds)
    rules = _rules(settings, [line.filed.case_no for line in lines if line.filed is not None])
    console.print(_table(lines, rules or {}))
    balanced = True
    if rules is None:
        console.print("台账在别处，请在网关所在的机器上对账 (the ledger is elsewhere, run there): gateway reconcile")
    else:
        balanced = _balanced(context)
    sys.exit(0 if balanced and all(line.good for line in lines) else 1)


def _send(
    console: Console, place: Place, samples: Sequence[Sample], doors: frozenset[str], seconds: float
) -> list[_Line]:
    lines: list[_Line] = []
    words = TextColumn("{task.description}")
    columns = (SpinnerColumn(), words, BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("送件", total=len(samples))
        for sample in samples:
            progress.update(task, description=f"{sample.n:>2} {sample.form.value:<8} {sample.title[:16]}")
            line = _one(place, sample, seconds) if sample.channel in doors else _Line(sample, "渠道尚未开放", good=True)
            progress.console.print(line.shown)
            lines.append(line)
            progress.advance(task)
    return lines


def _one(place: Place, sample: Sample, seconds: float) -> _Line:
    try:
        filed = JOURNEYS[sample.channel](place, sample)
        arrived = follow(place, filed, seconds)
    except (Stuck, httpx.HTTPError) as problem:
        return _Line(sample, f"没有送到：{problem}")
    if filed.repeat != filed.case_no:
        return _Line(sample, f"重复提交变成了另一件 {filed.repeat}", filed=filed, arrived=arrived)
    if arrived is None:
        return _Line(sample, f"{seconds:.0f} 秒内没有转出", filed=filed)
    return _Line(sample, f"{arrived.unit}:{arrived.status_words}", good=True, filed=filed, arrived=arrived)


def _table(lines: Sequence[_Line], rules: Mapping[str, str]) -> Table:
    table = Table(title="样例来件的去向 (what became of each)", show_lines=True)
    for name in ("", "来件", "编号", "承办单位", "规则", "状态", "重复提交"):
        table.add_column(name, overflow="fold", no_wrap=name in ("", "编号"))
    for line in lines:
        sample, filed, arrived = line.sample, line.filed, line.arrived
        if filed is None:
            continue
        table.add_row(
            str(sample.n),
            sample.title,
            filed.case_no,
            arrived.unit if arrived else "",
            rules.get(filed.case_no, ""),
            arrived.status_words if arrived else line.words,
            "同一件" if filed.repeat == filed.case_no else f"另一件 {filed.repeat}",
        )
    return table


def _rules(settings: Settings, numbers: Sequence[str]) -> dict[str, str] | None:
    """case number -> the routing rule that chose its unit; None when that gateway's data is not on this machine."""
    if not settings.database_url and not (settings.data / "gateway.db").is_file():
        return None  # and no key is made here that would open nothing
    store = open_reading(settings.database, settings.data, secret_of(settings))
    try:
        cases = store.read_now(lambda tx: [petitions.find(tx, number) for number in numbers])
    finally:
        store.close()
    found = [case for case in cases if case is not None]
    if numbers and not found:
        return None
    return {case.case_no: case.petition.path[-1].rule for case in found if case.petition.path}


def _balanced(context: click.Context) -> bool:
    """Print the reconciliation; whether it has no gap."""
    try:
        context.invoke(reconcile, as_json=False)
    except SystemExit as end:
        return end.code in (0, None)
    return True
