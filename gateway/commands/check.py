"""`gateway check` (自检): settings, reference data, imports, ports and disk, before anybody knocks."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click

import channels
import config
from channels.registry import open_doors
from config.address import Address
from config.dump import shown
from config.notices import segments
from config.reference import THEMES, load_reference
from config.settings import Settings
from config.themes import Themes, load_themes, theme_folder
from gateway.hall import postbox_of
from gateway.house import secret_of
from gateway.texting import check_texts, sign_of, texter_of
from petition import clock
from store.migrate import migrate


@click.command()
@click.pass_obj
def check(settings: Settings) -> None:
    """检查设置、基础数据、端口和磁盘;都好才以 0 退出。 (Exit 0 only if all is well.)"""
    for name, value in shown(settings):
        click.echo(f"{name}={value}")
    click.echo()
    bad = 0
    for name, test in _tests(settings):
        try:
            words = test()
        except Exception as problem:
            bad += 1
            click.echo(f"✗ {name}: {problem}")
        else:
            click.echo(f"✓ {name}: {words}")
    sys.exit(1 if bad else 0)


def _tests(settings: Settings) -> Iterator[tuple[str, Callable[[], str]]]:
    yield "本项目的模块 (our own modules)", _own_modules
    yield "渠道 (channels)", lambda: ", ".join(door.name for door in open_doors(settings.channels))
    yield "基础数据 (reference data)", lambda: _reference(settings)
    yield "主题渠道 (theme channels)", lambda: _themes(settings)
    yield "主密钥 (secret key)", lambda: f"{len(secret_of(settings))} bytes"
    yield "数据库 (database)", lambda: f"revision {migrate(settings.database)}"
    yield "端口 (port)", lambda: _port(settings.http_address)
    if "email" in settings.channels:
        yield "邮件端口 (mail port)", lambda: _port(settings.smtp_address)
        yield "邮件证书 (mail certificate)", lambda: _certificate(settings)
    if settings.sms_provider is not None or settings.twilio_from:
        yield "短信发送 (text messages)", lambda: _texts(settings)
    yield "磁盘 (disk)", lambda: _disk(settings)


def _own_modules() -> str:
    """`channels` and `config` are distributions elsewhere: ours must be the ones that are imported."""
    home = Path(__file__).resolve().parents[2]
    for module in (channels, config):
        found = Path(str(module.__file__)).resolve()
        if home not in found.parents:
            raise ValueError(f"{module.__name__} 来自别处 (comes from elsewhere): {found}")
    return "channels, config"


def _reference(settings: Settings) -> str:
    reference = load_reference(themes=(theme_folder(settings),))
    return f"{len(reference.regions)} regions, {len(reference.units)} units, {len(reference.routes)} routes"


def _themes(settings: Settings) -> str:
    """Each theme with its days and whether it takes petitions now."""
    today = clock.now().date()
    lines = [
        f"{theme.code} {theme.title} {theme.since or '…'}–{theme.until or '…'} "
        f"[{', '.join(theme.channels)}] {'开放 open' if theme.is_open(today) else '未开放 closed'}"
        for theme in load_themes((THEMES, theme_folder(settings))).rows.values()
    ]
    return "".join(f"\n    {line}" for line in lines) or "none"


def _certificate(settings: Settings) -> str:
    return "STARTTLS" if postbox_of(settings, Themes()).tls else "none"


def _texts(settings: Settings) -> str:
    reference = load_reference()
    texter = texter_of(settings, reference)
    if texter is None:
        return "none"
    texter.close()
    longest = check_texts(reference.notices, sign_of(settings, reference), settings.public_url)
    return f"{texter.name}, 最长 {len(longest)} 字 {segments(longest)} 条 (longest text): {longest}"


def _port(address: Address) -> str:
    with socket.socket(socket.AF_INET6 if ":" in address.host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address.host, address.port))
        except OSError as problem:
            raise ValueError(f"{address} 已被占用,网关可能正在运行 (in use): {problem}") from None
    return str(address)


def _disk(settings: Settings) -> str:
    settings.data.mkdir(parents=True, exist_ok=True)
    stat = os.statvfs(settings.data)
    free = stat.f_bavail * stat.f_frsize
    if free < int(settings.min_free):
        raise ValueError(f"只剩 {free >> 20} MiB (less than the reserve)")
    return f"{free >> 20} MiB free"
