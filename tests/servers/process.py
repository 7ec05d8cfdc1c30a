"""Server processes of the tests: started here, on a free port, and gone when the tests are gone."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

_START_SECONDS = 20


class MissingServer(RuntimeError):
    """A server program is not on this machine. Not a reason to skip: the test command installs it."""

    def __init__(self, program: str) -> None:
        super().__init__(f"{program} is not installed; `make test` installs it (as root or with sudo)")


def find_program(name: str, folders: tuple[Path, ...] = ()) -> Path:
    """The program in one of the folders, else on the path; raises MissingServer."""
    for folder in folders:
        if (folder / name).is_file():
            return folder / name
    found = shutil.which(name)
    if found is None:
        raise MissingServer(name)
    return Path(found)


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def other_user(name: str) -> str | None:
    """The user to run a server as: `name` when we are root and it exists, else ourselves (None)."""
    if os.geteuid() != 0:
        return None
    try:
        pwd.getpwnam(name)
    except KeyError:
        return None
    return name


@contextmanager
def own_folder(prefix: str, user: str | None) -> Iterator[Path]:
    """A folder with a short path (for sockets) that the server's user may enter; pytest's own are closed to others."""
    with tempfile.TemporaryDirectory(prefix=prefix, ignore_cleanup_errors=True) as name:
        if user is not None:
            shutil.chown(name, user)
        yield Path(name)


@contextmanager
def running(command: list[str], *, user: str | None, folder: Path, ready: Callable[[], bool]) -> Iterator[int]:
    """The command as a child process until the end of the block; gives its process id.

    The kernel stops it too when this process dies without saying so (kill -9). Raises RuntimeError with the
    server's own words when it does not get ready.
    """
    log = folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "INT", *command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=folder,
            user=user,
            extra_groups=[] if user else None,
            start_new_session=True,  # Ctrl-C is for the tests, which then stop the server in order
        )
    try:
        end = time.monotonic() + _START_SECONDS
        while not ready():
            if process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"{command[0]} did not start:\n{log.read_text(errors='replace')[-2000:]}")
            time.sleep(0.02)
        yield process.pid
    finally:
        process.send_signal(2)  # fast and clean for both servers
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
