"""`gateway serve` (开门) and `gateway migrate` (升级数据库)."""

from __future__ import annotations

import asyncio
import sys

import click
from argon2 import PasswordHasher

from config.settings import Settings
from gateway.auth import Passwords
from gateway.house import House, secret_of
from gateway.officers import demo_officers
from gateway.web import serve as serve_web
from store.migrate import migrate as migrate_database


@click.command()
@click.option("--no-demo", is_flag=True, help="新数据文件夹不建演示账号 / no demo officers on a fresh data folder")
@click.pass_obj
def serve(settings: Settings, no_demo: bool) -> None:
    """启动网关:网页、接口和转办。 (Serve pages, API and the way out.)"""
    fresh = not settings.database_url and not (settings.data / "gateway.db").exists()

    async def ready(house: House, port: int) -> None:
        click.echo(f"信访受理网关已开门 (the door is open): http://{settings.http_address.host}:{port}")
        if fresh and not no_demo:
            # Hashing seven passwords takes longer than opening the door: citizens need not wait for it.
            await asyncio.to_thread(_make_demo_officers, house)

    try:
        sys.exit(asyncio.run(serve_web(settings, ready)))
    except OSError as problem:
        raise click.ClickException(f"无法监听 {settings.http_address} (cannot listen): {problem.strerror}") from None


@click.command()
@click.pass_obj
def migrate(settings: Settings) -> None:
    """把数据库升级到当前版本。 (Bring the database to the tables of today.)"""
    secret_of(settings)  # a database without its key would stop the next start
    click.echo(f"数据库版本 (revision): {migrate_database(settings.database)}")


def _make_demo_officers(house: House) -> None:
    made = demo_officers(
        house.store, house.reference.roles, house.reference.units, Passwords(PasswordHasher()).hash_now
    )
    lines = [f"  {one.name:<12}{one.password:<28}{one.display_name}\n      {one.otpauth}" for one in made]
    click.echo("演示账号,密码只显示这一次 (demo officers; passwords shown only now); 登录: /desk\n" + "\n".join(lines))
