"""`gateway reconcile` (对账): per channel and in total, what came in and where it is; exit 1 if anything is missing."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping

import click
from rich.console import Console
from rich.table import Table

from config.settings import Settings
from gateway.house import secret_of
from store.database import open_reading
from store.reconciliation import Balance
from store.reconciliation import reconcile as balances

_COLUMNS = (
    ("received", "收到"),
    ("petitions", "成件"),
    ("linked", "关联"),
    ("held", "待人工"),
    ("refused", "拒收"),
    ("dispatched", "已转办"),
    ("waiting", "待转办"),
    ("gap", "缺口"),
)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="以 JSON 输出 / as JSON")
@click.pass_obj
def reconcile(settings: Settings, as_json: bool) -> None:
    """核对各渠道收到、成件、转办的数目;有缺口以 1 退出。 (Exit 1 if any gap is not 0.)"""
    store = open_reading(settings.database, settings.data, secret_of(settings))
    try:
        found = store.read_now(balances)
    finally:
        store.close()
    total = sum(found.values(), Balance())
    gap = sum(balance.gap for balance in found.values())
    if as_json:
        figures = {channel: balance.figures() for channel, balance in found.items()}
        click.echo(json.dumps({"channels": figures, "total": {**total.figures(), "gap": gap}}, ensure_ascii=False))
    else:
        _print(found, {**total.figures(), "gap": gap})
    sys.exit(1 if gap else 0)


def _print(found: Mapping[str, Balance], total: Mapping[str, int]) -> None:
    table = Table(title="对账 (reconciliation)")
    table.add_column("渠道")
    for _, label in _COLUMNS:
        table.add_column(label, justify="right")
    for channel, balance in found.items():
        figures = balance.figures()
        table.add_row(channel, *(str(figures[name]) for name, _ in _COLUMNS))
    table.add_section()
    table.add_row("合计", *(str(total[name]) for name, _ in _COLUMNS))
    Console(width=100).print(table)
