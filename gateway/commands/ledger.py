"""`gateway ledger verify` (核验台账): proves that nothing was changed, cut or left out, or names what was."""

from __future__ import annotations

import sys

import click
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from config.settings import Settings
from gateway.house import secret_of
from store.database import open_reading
from store.proof import verify as verify_ledger

SHOWN = 50


@click.group()
def ledger() -> None:
    """登记台账。 (The ledger.)"""


@ledger.command()
@click.pass_obj
def verify(settings: Settings) -> None:
    """核验链、流水号和原件;完好才以 0 退出。 (Exit 0 only if chain, counters and originals are whole.)"""
    console = Console(stderr=True)
    store = open_reading(settings.database, settings.data, secret_of(settings))
    try:
        with Progress(
            SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn(), console=console, transient=True
        ) as progress:
            task = progress.add_task("核验台账 …")
            done = 0

            def told(number: int) -> None:
                nonlocal done
                done = number
                progress.update(task, description=f"核验台账 … {number} 条")

            faults = verify_ledger(store, settings.data, told)
    finally:
        store.close()
    if not faults:
        click.echo(f"台账完好 (the ledger is whole): {done} 条 (entries)")
        return
    click.echo(f"台账有误 (the ledger is NOT whole): {len(faults)} 处;第一处 (first): {faults[0].entry}", err=True)
    for fault in faults[:SHOWN]:
        click.echo(f"  {fault.entry}: {fault.words}", err=True)
    sys.exit(1)
