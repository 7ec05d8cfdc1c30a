"""The intake benchmark (受理测速): durable petitions a second through the API, as ratios of one run.

python -m benchmarks.intake [--seconds 8] [--sqlite-only]   prints a table; exit 1 if a bound is missed

Against: a handler that does nothing, raw grouped commits, and the reading alone. The load comes from a process of its
own. Reading in line runs on one core; what reading alone allows there is the processor time that the very same texts
took to read in that run, with the same store to look for repeats in. Everything else runs on all cores.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.servers.postgres import private_postgres
from tests.servers.process import free_port

CONNECTIONS = 128
DURABLE, INLINE, P99 = 0.20, 0.80, 40.0  # the bounds of the house


@dataclass(frozen=True)
class Line:
    """One line of the table. ratio: of `of`; bound: what it must reach, None for a figure that is only told."""

    name: str
    rate: float
    p50: float | None = None
    p99: float | None = None
    ratio: float | None = None
    of: str = ""
    good: bool | None = None


def measure(module: str, *arguments: object, core: int | None = None) -> dict[str, Any]:
    """Run one of our scripts and read the JSON it prints."""
    command = [sys.executable, "-m", module, *map(str, arguments)]
    if core is not None:
        command = ["taskset", "-c", str(core), *command]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{module} failed:\n{done.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


@contextmanager
def serving(command: list[str], port: int, core: int | None = None, **settings: str) -> Iterator[None]:
    """A server process for the block, ready when it begins, stopped by SIGTERM when it ends."""
    if core is not None:
        command = ["taskset", "-c", str(core), *command]
    environment = {**os.environ, **{f"GATEWAY_{name}": value for name, value in settings.items()}}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait(port, process)
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(port: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(200):
        if process.poll() is not None:
            raise SystemExit(f"the server on port {port} ended at once")
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=1).close()
            return
        except urllib.error.HTTPError as answer:
            if answer.code in (404, 405):
                return
        except OSError:
            pass
        time.sleep(0.05)
    raise SystemExit(f"nothing answers on port {port}")


@contextmanager
def gateway(reading: str, database: str = "", core: int | None = None) -> Iterator[int]:
    """A gateway on a fresh folder; its port."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        settings = {
            "DATA": folder,
            "HTTP": f"127.0.0.1:{port}",
            "DATABASE_URL": database,
            "READING": reading,
            "RATE_PER_MINUTE": "1000000000",
            "LOG_LEVEL": "WARNING",
        }
        command = [sys.executable, "-m", "gateway", "serve", "--no-demo"]
        with serving(command, port, core, **settings):
            yield port


def figure(port: int, name: str) -> float:
    """One figure of a gateway's /metrics."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        text = answer.read().decode()
    return float(next(line.split()[-1] for line in text.splitlines() if line.startswith(name + " ")))


def run(seconds: float, *, postgres: bool) -> list[Line]:
    """Every measurement, one after the other on a machine that does nothing else."""
    port = free_port()
    with serving([sys.executable, "-m", "benchmarks.empty", str(port)], port):
        empty = measure("benchmarks.load", port, seconds, CONNECTIONS, 0)
    lines = [Line("handler that does nothing", empty["rate"], empty["p50_ms"], empty["p99_ms"])]
    lines += _on("SQLite", "", empty["rate"], seconds)
    if postgres:
        with private_postgres(fsync=True) as server, server.database() as url:
            lines += _on("PostgreSQL", url, empty["rate"], seconds)
    return lines


def _on(name: str, url: str, empty: float, seconds: float) -> list[Line]:
    lines = []
    with tempfile.TemporaryDirectory() as folder:
        where = url or f"sqlite:///{Path(folder) / 'raw.db'}"
        raw = measure("benchmarks.commits", where, min(seconds, 4), 32)
    lines.append(Line(f"{name}: raw commits of 32 rows of 5 KB", raw["rate"]))
    with gateway("deferred", url) as port:
        durable = measure("benchmarks.load", port, seconds, CONNECTIONS, 0)
    ratio = durable["rate"] / empty
    lines.append(_line(f"{name}: durable intake, reading deferred", durable, ratio, "empty handler", ratio >= DURABLE))
    lines.append(
        Line(
            "  the same against the raw commits", durable["rate"], ratio=durable["rate"] / raw["rate"], of="raw commits"
        )
    )
    with gateway("auto", url) as port:
        half = measure("benchmarks.load", port, seconds, CONNECTIONS, durable["rate"] / 2)
    good = half["p99_ms"] is not None and half["p99_ms"] <= P99 and not half["other"]
    lines.append(_line(f"{name}: half that load, reading as time allows", half, None, f"p99 <= {P99:.0f} ms", good))
    core = len(os.sched_getaffinity(0)) - 1
    with gateway("inline", url, core=core) as port:
        inline = measure("benchmarks.load", port, seconds, 32, 0, core=0)
        texts, worked = figure(port, "gateway_read_in_line_total"), figure(port, "gateway_read_in_line_seconds_total")
    alone = texts / worked
    lines.append(Line("  reading alone, one core, the same texts and store", alone))
    ratio = inline["rate"] / alone
    lines.append(
        _line(f"{name}: durable intake, reading in line, one core", inline, ratio, "reading alone", ratio >= INLINE)
    )
    return lines


def _line(name: str, found: dict[str, Any], ratio: float | None, of: str, good: bool) -> Line:
    if found["other"]:
        raise SystemExit(f"{name}: answers other than 201: {found['other']}")
    return Line(name, found["rate"], found["p50_ms"], found["p99_ms"], ratio, of, good)


def table(title: str, lines: list[Line]) -> Table:
    """The table of a run."""
    made = Table(title=title)
    made.add_column("what")
    for column in ("per second", "p50 ms", "p99 ms", "ratio"):
        made.add_column(column, justify="right")
    made.add_column("of")
    made.add_column("bound")
    for line in lines:
        made.add_row(
            line.name,
            f"{line.rate:,.0f}",
            "" if line.p50 is None else f"{line.p50:.1f}",
            "" if line.p99 is None else f"{line.p99:.1f}",
            "" if line.ratio is None else f"{line.ratio:.2f}",
            line.of,
            {None: "", True: "met", False: "MISSED"}[line.good],
        )
    return made


def main() -> int:
    """Measure and print; the exit code says whether every bound was met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--sqlite-only", action="store_true")
    options = parser.parse_args()
    lines = run(options.seconds, postgres=not options.sqlite_only)
    Console(width=130).print(table(f"Intake, {CONNECTIONS} connections, {os.cpu_count()} cores", lines))
    return 1 if any(line.good is False for line in lines) else 0


if __name__ == "__main__":
    sys.exit(main())
