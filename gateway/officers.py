"""New officers (开户): makes accounts for the command line and, on a fresh data folder, the demo officers."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pyotp

from config.regions import level_of
from config.roles import Roles
from config.units import Units
from petition.errors import Invalid, NotFound, Problem
from petition.identity import normal_name
from petition.numbering import CROCKFORD
from petition.petition import Lane
from store import accounts, audit
from store.database import Store
from store.transaction import Transaction

ISSUER = "信访网关"
SHORTEST_PASSWORD = 12
_NAME = re.compile(r"[a-z][a-z0-9._-]{1,39}")

# Sign-in name, display name, role, region, unit, lanes: one for each role, all fictional.
_DEMO = (
    ("registrar", "登记示例", "registrar", "620000", "620000-xinfang", (Lane.NORMAL,)),
    ("screener", "甄别示例", "screener", "620000", "620000-xinfang", (Lane.NORMAL,)),
    ("agent", "代理示例", "agent", "620702199", "620702199-township_government", ()),
    ("handler", "承办示例", "unit_handler", "620102", "620102-housing", (Lane.NORMAL,)),
    ("seat", "话务示例", "seat", "620000", "620000-xinfang", (Lane.NORMAL,)),
    ("inspector", "督查示例", "inspector", "620000", "620000-xinfang", (Lane.NORMAL,)),
    ("discipline", "专办示例", "discipline_clerk", "620000", "620000-discipline", (Lane.SEALED,)),
    ("auditor", "审计示例", "auditor", "620000", "620000-xinfang", ()),
    ("admin", "管理示例", "admin", "620000", "620000-xinfang", ()),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What a new officer needs, shown once and stored nowhere in clear.

    otpauth: URI for an authenticator app; empty if the second factor is set up at the first sign-in.
    """

    name: str
    display_name: str
    roles: tuple[str, ...]
    password: str
    otpauth: str


def add_officer(
    store: Store,
    roles: Roles,
    units: Units,
    hash_password: Callable[[str], str],
    *,
    name: str,
    display_name: str,
    role_keys: Sequence[str],
    region: str,
    unit: str,
    lanes: Sequence[Lane] = (Lane.NORMAL,),
    password: str = "",
    with_totp: bool = False,
) -> Credentials:
    """Make an account; blocks for the hash and the commit, so call it from a thread or the command line.

    password: empty for a random one. Raises Invalid with every problem (fields name, display_name, roles, region, unit,
    password), Conflict if the name is taken.
    """
    name, display_name = accounts.normal(name), normal_name(display_name)
    problems = _problems(roles, units, name, display_name, role_keys, region, unit, password)
    if problems:
        raise Invalid(tuple(problems))
    password = password or random_password()
    secret = pyotp.random_base32() if with_totp else ""
    stored = hash_password(password)

    def work(tx: Transaction) -> None:
        accounts.create(
            tx,
            name=name,
            display_name=display_name,
            password_hash=stored,
            roles=tuple(role_keys),
            region=region,
            unit=unit,
            lanes=lanes,
            totp_secret=secret,
        )
        audit.record(tx, "gateway", "officer_added", reason=name, fields=tuple(role_keys))

    store.write_now(work)
    return Credentials(
        name=name,
        display_name=display_name,
        roles=tuple(role_keys),
        password=password,
        otpauth=otpauth(secret, name) if secret else "",
    )


def renew_officer(store: Store, hash_password: Callable[[str], str], name: str) -> str:
    """Give an officer who forgot the password or lost the second factor a new password, shown once; blocks.

    The lock is off and every sign-in ends. NotFound if there is no such account.
    """
    password = random_password()
    stored = hash_password(password)

    def work(tx: Transaction) -> None:
        officer = _named(tx, name)
        accounts.renew(tx, officer.id, stored)
        audit.record(tx, "gateway", "officer_renewed", reason=officer.name)

    store.write_now(work)
    return password


def close_officer(store: Store, name: str) -> None:
    """Close an account and its sign-ins at once; its traces stay. NotFound if there is no such account."""

    def work(tx: Transaction) -> None:
        officer = _named(tx, name)
        accounts.deactivate(tx, officer.id)
        audit.record(tx, "gateway", "officer_closed", reason=officer.name)

    store.write_now(work)


def _named(tx: Transaction, name: str) -> accounts.Officer:
    officer = accounts.find(tx, name)
    if officer is None:
        raise NotFound(f"没有账号 {accounts.normal(name)}。")
    return officer


def demo_officers(store: Store, roles: Roles, units: Units, hash_password: Callable[[str], str]) -> list[Credentials]:
    """One officer of each role with password and second factor; nothing if there is any account already."""
    if store.read_now(accounts.number):
        return []
    return [
        add_officer(
            store,
            roles,
            units,
            hash_password,
            name=name,
            display_name=display_name,
            role_keys=(role,),
            region=region,
            unit=unit,
            lanes=lanes,
            with_totp=True,
        )
        for name, display_name, role, region, unit, lanes in _DEMO
    ]


def random_password() -> str:
    """Eighty random bits that can be read aloud: xxxx-xxxx-xxxx-xxxx."""
    letters = CROCKFORD.lower()
    return "-".join("".join(secrets.choice(letters) for _ in range(4)) for _ in range(4))


def otpauth(secret: str, name: str) -> str:
    """The URI an authenticator app reads from a QR code."""
    return pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name=ISSUER)


def _problems(
    roles: Roles,
    units: Units,
    name: str,
    display_name: str,
    role_keys: Sequence[str],
    region: str,
    unit: str,
    password: str,
) -> list[Problem]:
    found = []
    if not _NAME.fullmatch(name):
        words = "账号名应为2至40个小写字母、数字、点、横线，以字母开头。"
        found.append(Problem("name", "name_shape", words))
    if not display_name:
        found.append(Problem("display_name", "display_name_empty", "请填写姓名。"))
    unknown = [key for key in role_keys if key not in roles]
    if unknown or not role_keys:
        words = f"岗位应为 {'、'.join(roles.rows)} 中的一个或几个。"
        found.append(Problem("roles", "role_unknown", words))
    try:
        level_of(region)
    except ValueError:
        found.append(Problem("region", "region_unknown", "辖区应为6位或9位区划代码。"))
    if unit not in units:
        found.append(Problem("unit", "unit_unknown", f"单位目录中没有编号为 {unit} 的单位。"))
    if password and len(password) < SHORTEST_PASSWORD:
        found.append(Problem("password", "password_short", f"密码至少{SHORTEST_PASSWORD}个字符。"))
    return found
