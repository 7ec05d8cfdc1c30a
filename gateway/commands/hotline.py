"""`gateway hotline import` (工单导入): a table of 12345 orders sent to the running gateway, and what became of each."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import click
import httpx
from rich.console import Console
from rich.progress import Progress

from channels.hotline import KEY, PATH
from channels.hotline_table import Row, read_table
from config.settings import Settings
from petition.errors import PetitionError

AT_ONCE = 50  # orders of one request


class Told(NamedTuple):
    """What became of one row. words: for a person."""

    line: int
    sheet: str
    order_no: str
    status: int
    case_no: str
    words: str


@click.group()
def hotline() -> None:
    """政务服务热线工单。 (Orders of the 12345 hotline.)"""


@hotline.command("import")
@click.argument("table", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--url", default="", help="网关网址,默认按设置 / address of the gateway")
@click.option("--report", type=click.Path(dir_okay=False, path_type=Path), help="逐行结果写入 CSV / report of each row")
@click.pass_obj
def import_(settings: Settings, table: Path, url: str, report: Path | None) -> None:
    """导入 CSV 或 XLSX 工单表;重复导入不会重复登记;有行未登记以 1 退出。 (Exit 1 if a row was not entered.)"""
    if not settings.api_keys:
        raise click.ClickException("请先设置 GATEWAY_API_KEYS (an API key is needed)")
    key = settings.api_keys[0].key.get_secret_value()
    base = (url or f"http://{settings.http_address}").rstrip("/")
    try:
        rows = list(read_table(table.read_bytes(), table.name))
    except PetitionError as problem:
        raise click.ClickException(problem.words) from problem
    console = Console()
    told: list[Told] = []
    with httpx.Client(base_url=base, timeout=60, trust_env=False) as client, Progress(console=console) as progress:
        task = progress.add_task("导入工单", total=len(rows))
        for some in _batches(rows):
            told += _send(client, key, some)
            progress.advance(task, len(some))
    _tell(console, told)
    if report is not None:
        _write(report, told)
    sys.exit(0 if all(one.status in (200, 201) for one in told) else 1)


def _batches(rows: list[Row]) -> Iterator[list[Row]]:
    for start in range(0, len(rows), AT_ONCE):
        yield rows[start : start + AT_ONCE]


def _send(client: httpx.Client, key: str, rows: list[Row]) -> Iterator[Told]:
    good = [row for row in rows if not row.problems]
    answers: list[dict[str, Any]] = []
    if good:
        try:
            answer = client.post(PATH, headers={KEY: key}, json={"orders": [row.order for row in good]})
        except httpx.HTTPError as problem:
            raise click.ClickException(
                f"网关没有应答 (no answer): {type(problem).__name__};可重新导入同一张表"
            ) from None
        if answer.status_code != 207:
            raise click.ClickException(f"网关拒收 (refused): {answer.status_code} {answer.json().get('detail', '')}")
        answers = answer.json()["orders"]
    found = iter(answers)
    for row in rows:
        if row.problems:
            words = "；".join(f"{one.field}：{one.words}" for one in row.problems)
            yield Told(row.line, row.sheet, _number_of(row), 422, "", words)
        else:
            one = next(found)
            yield Told(row.line, row.sheet, one["order_no"], one["status"], one.get("case_no", ""), _words(one))


def _number_of(row: Row) -> str:
    """The order number of a row that was not read: whatever its column is headed with."""
    named = (value for heading, value in row.cells.items() if "编号" in heading or heading == "order_no")
    return next(named, "")


def _words(one: dict[str, Any]) -> str:
    if one["status"] == 201:
        return "已登记"
    if one["status"] == 200:
        return "已并入原有事项"
    problem = one.get("problem", {})
    errors = "；".join(f"{each['field']}：{each['detail']}" for each in problem.get("errors", ()))
    return errors or str(problem.get("detail", "没有登记"))


def _tell(console: Console, told: list[Told]) -> None:
    entered = sum(one.status == 201 for one in told)
    linked = sum(one.status == 200 for one in told)
    for one in told:
        if one.status not in (200, 201):
            console.print(f"第 {one.line} 行 {one.order_no}: {one.words}", markup=False, highlight=False)
    console.print(
        f"共 {len(told)} 行:登记 {entered},并入 {linked},未登记 {len(told) - entered - linked}", highlight=False
    )


def _write(path: Path, told: list[Told]) -> None:
    # With the mark, so that a spreadsheet opens the Chinese words as such.
    with path.open("w", encoding="utf-8-sig", newline="") as target:
        writer = csv.writer(target)
        writer.writerow(("工作表", "行", "工单编号", "结果", "信访编号", "说明"))
        writer.writerows((one.sheet, one.line, one.order_no, one.status, one.case_no, one.words) for one in told)
