"""`gateway site-qr` and `gateway sites` (二维码): sheets for the places where people file, their list, their end."""

from __future__ import annotations

import csv
from pathlib import Path

import click
from sqlalchemy import func, select

from config.reference import Reference, load_reference
from config.settings import Settings
from config.themes import theme_folder
from gateway.house import secret_of
from gateway.sites import Place, Sites
from petition import clock
from petition.origin import SITE
from store.database import open_reading
from store.petitions import marked

FEW = 5  # below it a figure could point to a person, so it is not told
_COLUMNS = ("origin", "region", "theme")


@click.command("site-qr")
@click.option("--origin", default="", help="地点,例如 白银路街道办事处自助区 / the place")
@click.option("--region", default="", help="所在地区划代码 / code of its region")
@click.option("--theme", default="", help="主题渠道代码 / code of a theme channel")
@click.option(
    "--places",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="多个地点的 CSV,列为 origin,region,theme / a CSV of many places",
)
@click.option(
    "--font",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="嵌入的 TrueType 字体;不给则用阅读器自带的宋体 / font to embed; without one the reader's own",
)
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), required=True, help="PDF 文件 / file")
@click.pass_obj
def site_qr(
    settings: Settings, origin: str, region: str, theme: str, places: Path | None, font: Path | None, output: Path
) -> None:
    """生成带来源二维码的张贴页(A4);同一地点再生成仍是同一个码。 (Sheets; a place keeps its code.)"""
    if bool(origin) == bool(places):
        raise click.UsageError("请给 --origin 或 --places 其中一个 (give either --origin or --places)。")
    wanted = _read(places) if places else [Place(origin=origin.strip(), region=region, theme=theme)]
    reference = load_reference(themes=(theme_folder(settings),))
    for place in wanted:
        _check(place, reference)
    # Loaded here: every other command would wait for it.
    from gateway.sheet import sheets_pdf

    office = reference.office.known_as(
        name=settings.office_name,
        address=settings.office_address,
        phone=settings.office_phone,
        hours=settings.office_hours,
    )
    sites = Sites(settings.data).issue(wanted, clock.now().date())
    titles = [reference.themes.title(site.theme) for site in sites]
    output.write_bytes(sheets_pdf(sites, titles, office, settings.public_url, font))
    for site in sites:
        click.echo(f"{site.code}  {settings.public_url}/s/{site.code}  {site.origin}")


@click.group()
def sites() -> None:
    """来源二维码。 (QR sheets.)"""


@sites.command("list")
@click.pass_obj
def list_(settings: Settings) -> None:
    """列出二维码和经由它的件数;少于5件只写“不足5”。 (Sheets and how much came through each; few are not counted.)"""
    found = Sites(settings.data).all()
    counts: dict[str, int] = {}
    if settings.database_url or (settings.data / "gateway.db").is_file():
        store = open_reading(settings.database, settings.data, secret_of(settings))
        try:
            counts = store.read_now(
                lambda tx: {
                    site.code: int(
                        tx.connection.scalar(select(func.count()).select_from(marked(tx, SITE, site.code).subquery()))
                        or 0
                    )
                    for site in found
                }
            )
        finally:
            store.close()
    for site in found:
        number = counts.get(site.code, 0)
        told = str(number) if number >= FEW or not number else f"不足{FEW}"
        state = f"已停用 withdrawn {site.withdrawn}" if site.withdrawn else "使用中 good"
        click.echo(f"{site.number}  {site.code}  {site.origin}  {site.theme or '-'}  {site.issued}  {state}  {told}")


@sites.command()
@click.argument("code")
@click.pass_obj
def withdraw(settings: Settings, code: str) -> None:
    """停用一个二维码:扫码照样能反映,只是不再记来源。 (The sheet leads to the ordinary form from now on.)"""
    site = Sites(settings.data).withdraw(code, clock.now().date())
    click.echo(f"{site.code} {site.origin}: 已停用 (withdrawn)")


def _read(path: Path) -> list[Place]:
    with path.open(encoding="utf-8-sig", newline="") as source:
        reader = csv.DictReader(source)
        if not {"origin"} <= set(reader.fieldnames or ()) <= set(_COLUMNS):
            raise click.UsageError(f"{path.name}: 第一行应为 {','.join(_COLUMNS)} (the heading)")
        rows = [Place(**{name: (row.get(name) or "").strip() for name in _COLUMNS}) for row in reader]
    if not rows:
        raise click.UsageError(f"{path.name}: 没有地点 (holds no place)")
    return rows


def _check(place: Place, reference: Reference) -> None:
    if place.region and place.region not in reference.regions and not reference.regions.find(place.region):
        raise click.UsageError(f"{place.origin}: 没有区划 {place.region} (no such region)")
    if place.theme and not reference.themes.find(place.theme):
        raise click.UsageError(f"{place.origin}: 没有主题渠道 {place.theme} (no such theme)")
