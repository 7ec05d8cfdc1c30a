"""`gateway officer add` (开户): an account for an officer; the password is shown once."""

from __future__ import annotations

import click
from argon2 import PasswordHasher

from config.reference import load_reference
from config.settings import Settings
from gateway.auth import Passwords
from gateway.house import secret_of
from gateway.officers import add_officer
from petition.errors import Invalid
from petition.petition import Lane
from store.database import open_store
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
    secret = secret_of(settings)  # before the database: records without their key would be refused ever after
    migrate(settings.database)
    store = open_store(settings.database, settings.data, secret, min_free=0)
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
    finally:
        store.close()
    click.echo(f"账号 (name): {made.name}\n密码,只显示这一次 (password, shown only now): {made.password}")
    if made.otpauth:
        click.echo(f"第二因子 (second factor): {made.otpauth}")
