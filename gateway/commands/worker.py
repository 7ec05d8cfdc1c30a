"""`gateway worker` (后台进程): the Celery worker of a grown house, the same as `celery -A gateway.worker worker`."""

from __future__ import annotations

import click

from config.settings import Settings
from gateway.house import worker_app


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@click.pass_obj
def worker(settings: Settings, arguments: tuple[str, ...]) -> None:
    """外部后台进程(须设 PostgreSQL 和 BROKER_URL)。 (An external worker; needs PostgreSQL and a broker.)"""
    if settings.broker_url.startswith("memory"):
        raise click.UsageError("GATEWAY_BROKER_URL 为 memory:// 时后台任务在 serve 进程内运行,不需要 worker。")
    if settings.database.startswith("sqlite"):
        raise click.UsageError("SQLite 只能由一个进程写入,请先设置 GATEWAY_DATABASE_URL。")
    worker_app().worker_main(["worker", "--loglevel", settings.log_level, *arguments])
