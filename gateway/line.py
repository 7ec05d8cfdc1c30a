"""The command line (命令行): `gateway serve` and everything an operator types; see `gateway --help`."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from config.complaint import BadSettings
from config.logs import set_up
from config.settings import load, unknown
from gateway.commands import check, demo, export, hotline, ledger, officer, reconcile, serve, sites, worker
from gateway.house import CONFIG
from petition.errors import PetitionError
from petition.identity import scrub


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
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


for command in (serve.serve, worker.worker, demo.demo, check.check, ledger.ledger, reconcile.reconcile, export.export):
    cli.add_command(command)
for command in (sites.site_qr, sites.sites):
    cli.add_command(command)
for command in (officer.officer, serve.migrate, hotline.hotline):
    cli.add_command(command)


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
