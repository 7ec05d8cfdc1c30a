"""`gateway officer` (账号): accounts of officers - opened, renewed, closed, listed; a password is shown once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click
from argon2 import PasswordHasher

from config.reference import load_reference
from config.settings import Settings
from gateway.auth import Passwords
from gateway.house import secret_of
from gateway.officers import add_officer, close_officer, renew_officer
from petition.errors import Invalid
from petition.petition import Lane
from store import accounts
from store.database import Store, open_reading, open_store
from store.migrate import migrate


@click.group()
def officer() -> None:
    """工作人员账号。 (Officers' accounts.)"""


@officer.command()
@click.argument("name")
@click.option("--display-name", required=True, help="显示姓名 / name shown at the desk")
@click.option("--role", "roles", multiple=True, required=True, help="角色,可多次 / role, may be given several times")
@click.option("--region", default="", help="管辖区划,默认本机关 / region, the office's own by default")
@click.option("--unit", required=True, help="所在单位代码 / code of the unit")
@click.option("--sealed", is_flag=True, help="可办理保密通道 / may work in the sealed lane")
@click.option("--totp", is_flag=True, help="现在就设第二因子 / make the second factor now")
@click.pass_obj
def add(
    settings: Settings,
    name: str,
    display_name: str,
    roles: tuple[str, ...],
    region: str,
    unit: str,
    sealed: bool,
    totp: bool,
) -> None:
    """新建账号。网关用 SQLite 时请先停止网关。 (With SQLite, stop the gateway first.)"""
    reference = load_reference()
    with _writing(settings) as store:
        try:
            made = add_officer(
                store,
                reference.roles,
                reference.units,
                Passwords(PasswordHasher()).hash_now,
                name=name,
                display_name=display_name,
                role_keys=roles,
                region=region or settings.region,
                unit=unit,
                lanes=(Lane.NORMAL, Lane.SEALED) if sealed else (Lane.NORMAL,),
                with_totp=totp,
            )
        except Invalid as problem:
            raise click.UsageError("\n".join(f"{one.field}: {one.words}" for one in problem.problems)) from None
    click.echo(f"账号 (name): {made.name}\n密码,只显示这一次 (password, shown only now): {made.password}")
    if made.otpauth:
        click.echo(f"第二因子 (second factor): {made.otpauth}")


@officer.command()
@click.argument("name")
@click.pass_obj
def renew(settings: Settings, name: str) -> None:
    """换发密码并重设第二因子,解除锁定。网关用 SQLite 时请先停止网关。 (A new password and second factor.)"""
    with _writing(settings) as store:
        password = renew_officer(store, Passwords(PasswordHasher()).hash_now, name)
    click.echo(f"新密码,只显示这一次 (password, shown only now): {password}\n第二因子在下次登录时重新设置。")


@officer.command()
@click.argument("name")
@click.pass_obj
def close(settings: Settings, name: str) -> None:
    """注销账号,立即退出登录,留痕保留。网关用 SQLite 时请先停止网关。 (Close an account; its traces stay.)"""
    with _writing(settings) as store:
        close_officer(store, name)
    click.echo(f"账号已注销 (closed): {name}")


@officer.command("list")
@click.pass_obj
def list_(settings: Settings) -> None:
    """列出账号、岗位、单位和通道。 (Every account.)"""
    store = open_reading(settings.database, settings.data, secret_of(settings))
    try:
        found = store.read_now(accounts.everybody)
    finally:
        store.close()
    for one in found:
        lanes = "、".join(sorted(lane.value for lane in one.lanes)) or "-"
        state = "在用" if one.active else "已注销"
        factor = "" if one.enrolled else "，未设第二因子"
        where = f"{one.region}  {one.unit}  {lanes}"
        click.echo(f"{one.name}  {one.display_name}  {'、'.join(one.roles)}  {where}  {state}{factor}")


@contextmanager
def _writing(settings: Settings) -> Iterator[Store]:
    secret = secret_of(settings)  # before the database: records without their key would be refused ever after
    migrate(settings.database)
    store = open_store(settings.database, settings.data, secret, min_free=0)
    try:
        yield store
    finally:
        store.close()
