"""`gateway hotline import`: every row of a table is told, entered once, and a second import changes nothing."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from config.apikey import read_api_key
from config.settings import Settings
from gateway.commands.hotline import hotline
from tests.houses import API_KEY, Rig, running_house

HEAD = "工单编号,姓名,联系电话,诉求类型,标题,诉求内容,事发地区划\n"
ROWS = (
    "GD001,张示例,15400000001,求助,供暖不热,家里供暖只有13度,620102\n"
    "GD002,李示例,15400000002,投诉,噪声,夜间施工噪声扰民,999999\n"
    "GD003,王示例,15400000003,建议,红绿灯,建议路口增设红绿灯,620105\n"
)


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    folder = tmp_path_factory.mktemp("hotline")
    with running_house(folder, channels=("web", "hotline"), api_keys=(f"hotline:{API_KEY}",)) as opened:
        yield opened


def imported(rig: Rig, table: Path, *options: str, keys: bool = True) -> Result:
    settings = Settings(data=table.parent, api_keys=(read_api_key(f"hotline:{API_KEY}"),) if keys else ())
    return CliRunner().invoke(hotline, ["import", str(table), "--url", rig.url, *options], obj=settings)


def rows_of(report: Path) -> list[list[str]]:
    with report.open(encoding="utf-8-sig", newline="") as source:
        return list(csv.reader(source))[1:]


def test_every_row_is_told_and_entered_once(rig: Rig, tmp_path: Path) -> None:
    table, report = tmp_path / "orders.csv", tmp_path / "report.csv"
    table.write_bytes((HEAD + ROWS).encode("gb18030"))
    before = rig.balance("hotline")
    first = imported(rig, table, "--report", str(report))
    assert first.exit_code == 1, first.output
    assert "登记 2" in first.output
    assert "第 3 行 GD002" in first.output
    told = rows_of(report)
    assert [(row[1], row[2], row[3]) for row in told] == [
        ("2", "GD001", "201"),
        ("3", "GD002", "422"),
        ("4", "GD003", "201"),
    ]
    again = imported(rig, table, "--report", str(report))
    assert [row[4] for row in rows_of(report)] == [row[4] for row in told]
    assert again.exit_code == 1
    balance = rig.balance("hotline")
    assert (balance.petitions - before.petitions, balance.linked - before.linked, balance.gap) == (2, 2, 0)


def test_a_changed_order_is_one_entry_and_joins_its_case(rig: Rig, tmp_path: Path) -> None:
    table = tmp_path / "changed.csv"
    table.write_text(HEAD + "GD009,张示例,15400000001,求助,供暖不热,家里只有13度,620102\n", encoding="utf-8")
    assert imported(rig, table).exit_code == 0
    before = rig.balance("hotline")
    table.write_text(HEAD + "GD009,张示例,15400000001,求助,供暖不热,补充:老人八十岁,620102\n", encoding="utf-8")
    done = imported(rig, table)
    assert done.exit_code == 0, done.output
    assert "并入 1" in done.output
    after = rig.balance("hotline")
    assert (after.received, after.linked, after.refused) == (before.received + 1, before.linked + 1, before.refused)


def test_without_a_key_or_a_table_it_says_what_is_missing(rig: Rig, tmp_path: Path) -> None:
    table = tmp_path / "orders.csv"
    table.write_text(HEAD + ROWS, encoding="utf-8")
    assert "GATEWAY_API_KEYS" in imported(rig, table, keys=False).output
    empty = tmp_path / "empty.csv"
    empty.write_bytes(b"")
    assert imported(rig, empty).exit_code == 1
