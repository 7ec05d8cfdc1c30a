"""`gateway demo` (演示): files the sample petitions with a running gateway, each over its own channel."""

from __future__ import annotations

import click


@click.command()
def demo() -> None:
    """把样例来件逐件送进运行中的网关。 (File the sample petitions with a running gateway.)"""
