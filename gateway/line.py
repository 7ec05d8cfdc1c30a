"""The command line (命令行): `gateway serve` and everything an operator types; see `gateway --help`."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from types import MappingProxyType

import click

from config.complaint import BadSettings
from config.logs import set_up
from config.settings import CONFIG, load, unknown
from petition.errors import PetitionError
from petition.identity import scrub

# Each command and the module that has it; loaded when it is typed, because a start loads nothing it does not need.
COMMANDS: Mapping[str, str] = MappingProxyType(
    {
        "serve": "serve",
        "worker": "worker",
        "demo": "demo",
        "check": "check",
        "ledger": "ledger",
        "reconcile": "reconcile",
        "export": "export",
        "site-qr": "sites",
        "sites": "sites",
        "officer": "officer",
        "migrate": "serve",
        "hotline": "hotline",
    }
)


class Commands(click.Group):
    """A group that knows its commands by name and loads one when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All of them, in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, or None."""
        if (module := COMMANDS.get(cmd_name)) is None:
            return None
        found: click.Command = getattr(import_module(f"gateway.commands.{module}"), cmd_name.replace("-", "_"))
        return found


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--config", "file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="TOML 设置文件")
@click.pass_context
def cli(context: click.Context, file: Path | None) -> None:
    """信访受理网关:一个入口,一本台账,一种格式,件件转办,事事可查。 (The petition gateway.)"""
    if file is not None:
        os.environ[CONFIG] = str(file)
    settings = load(file)
    set_up(settings.log_level, scrub)
    for sentence in unknown(os.environ):
        if not sentence.startswith(CONFIG):
            click.echo(sentence, err=True)
    context.obj = settings


def run() -> None:
    """Run the command that was typed; settings and known errors end in a sentence, not in a traceback."""
    try:
        cli(standalone_mode=True)
    except BadSettings as problem:
        click.echo("设置有误 (bad settings):\n  " + "\n  ".join(problem.lines), err=True)
        sys.exit(2)
    except (PetitionError, ValueError) as problem:
        click.echo(f"{getattr(problem, 'words', None) or problem}", err=True)
        sys.exit(2)
