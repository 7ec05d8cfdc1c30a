"""A real gateway for the browser: `gateway serve` on a folder of its own and a port the system chose."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.servers.process import running

ROOT = Path(__file__).parent.parent.parent
_URL = re.compile(r"http://127\.0\.0\.1:[1-9]\d*")
_OFFICER = r"(?m)^ +({}) +(\S+-\S+) .*\n +(otpauth://\S+)"


@dataclass(frozen=True)
class Officer:
    """Who may sign in. otpauth: empty when the second factor is set up at the first sign-in."""

    name: str
    password: str
    otpauth: str = ""


@dataclass(frozen=True)
class House:
    """A data folder and what is run on it. settings: more settings, by their name without GATEWAY_."""

    folder: Path
    settings: Mapping[str, str] = field(default_factory=dict)

    def command(self, *words: str) -> list[str]:
        """The command line of `gateway ...` on this folder."""
        given = {"DATA": str(self.folder / "var"), "HTTP": "127.0.0.1:0", **self.settings}
        names = [f"GATEWAY_{name}={value}" for name, value in given.items()]
        return ["env", f"--chdir={ROOT}", "PYTHONUNBUFFERED=1", *names, sys.executable, "-m", "gateway", *words]

    def run(self, *words: str) -> str:
        """What the command prints; AssertionError with its own words when it fails."""
        run = subprocess.run(self.command(*words), capture_output=True, text=True)
        assert run.returncode == 0, run.stdout + run.stderr
        return run.stdout

    @contextmanager
    def serve(self, *words: str) -> Iterator[str]:
        """The address of the running gateway until the end of the block. words: more of the command line."""
        log = self.folder / "log"

        def url() -> str:
            found = _URL.search(log.read_text(errors="replace"))
            return found[0] if found else ""

        with running(self.command("serve", *words), user=None, folder=self.folder, ready=lambda: bool(url())):
            yield url()

    def petitions(self, channel: str = "web") -> int:
        """How many petitions the ledger knows of the channel; fails when anything is missing."""
        told = json.loads(self.run("reconcile", "--json"))
        found = told["channels"].get(channel, {"petitions": 0})
        return int(found["petitions"])

    def add_registrar(self, name: str, *more: str) -> Officer:
        """A new account, before the gateway is started. more: options of `gateway officer add`."""
        whom = ("--display-name", "登记样本", "--role", "registrar", "--unit", "620000-xinfang")
        told = self.run("officer", "add", name, *whom, *more)
        words = re.findall(r"\b(?:[0-9a-z]{4}-){3}[0-9a-z]{4}\b|otpauth://\S+", told)
        return Officer(name, *words)

    def demo_officer(self, name: str = "registrar") -> Officer | None:
        """The demo officer of that name, once the gateway has printed it."""
        found = re.search(_OFFICER.format(name), (self.folder / "log").read_text(errors="replace"))
        return Officer(*found.groups()) if found else None
