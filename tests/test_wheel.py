"""The wheel: built, put into an empty environment and started, with nothing of the source tree in sight."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import sysconfig
import time
import urllib.error
import urllib.request
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.process import free_port

ROOT = Path(__file__).parent.parent
ROOMS = ("petition", "config", "channels", "store", "normalizer", "casework", "dispatch", "video", "gateway")
START_SECONDS = 30
STOP_SECONDS = 10

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built wheel; hatchling is installed already, so no network is needed."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with our wheel; the libraries are lent by a .pth, behind which no other .pth is read."""
    folder = tmp_path_factory.mktemp("venv")
    venv.create(folder, with_pip=False, symlinks=True)
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    packages = folder / "lib" / version / "site-packages"
    command = [sys.executable, "-m", "pip", "--python", str(folder / "bin" / "python"), "--disable-pip-version-check"]
    command += ["install", "--quiet", "--no-deps", "--no-index", "--no-cache-dir", str(wheel)]
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    (packages / "lent.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder


def clean(environment: Path) -> dict[str, str]:
    """The environment variables of the child: no PYTHONPATH, no settings."""
    kept = {name: os.environ[name] for name in ("LANG", "TMPDIR") if name in os.environ}
    return kept | {"PATH": f"{environment / 'bin'}:/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE": "1"}


def test_the_wheel_holds_the_nine_rooms_with_their_data(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    tops = {name.partition("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == set(ROOMS)
    missing = []
    for room in ROOMS:
        for path in (ROOT / room).rglob("*"):
            name = path.relative_to(ROOT).as_posix()
            if path.is_file() and "__pycache__" not in name and name not in names:
                missing.append(name)
    assert not missing
    for folder in ("config/data", "gateway/templates", "gateway/static", "store/migrations"):
        assert any(name.startswith(f"{folder}/") for name in names), folder


def test_the_wheel_must_not_be_uploaded(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (metadata,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        assert "Classifier: Private :: Do Not Upload" in archive.read(metadata).decode().splitlines()


def test_the_rooms_come_from_the_wheel(environment: Path, tmp_path: Path) -> None:
    code = f"import sys, {', '.join(ROOMS)}; print(*{{sys.modules[n].__file__.rpartition(n)[0] for n in {ROOMS!r}}})"
    command = [str(environment / "bin" / "python"), "-c", code]
    run = subprocess.run(command, cwd=tmp_path, env=clean(environment), capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    (place,) = run.stdout.split()
    assert Path(place).is_relative_to(environment)


@pytest.fixture
def served(environment: Path, tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], str, Path]]:
    """`gateway serve` of the wheel on a free port: the process, its address, its log."""
    address = f"127.0.0.1:{free_port()}"
    log = tmp_path / "log"
    given = clean(environment) | {"GATEWAY_HTTP": address, "GATEWAY_DATA": str(tmp_path / "var")}
    with log.open("wb") as output:
        process = subprocess.Popen(
            [environment / "bin" / "gateway", "serve"], cwd=tmp_path, env=given, stdout=output, stderr=output
        )
    try:
        yield process, f"http://{address}", log
    finally:
        process.kill()
        process.wait()


def test_the_installed_gateway_serves_and_stops(served: tuple[subprocess.Popen[bytes], str, Path]) -> None:
    process, address, log = served
    end = time.monotonic() + START_SECONDS
    while _get(f"{address}/healthz") is None:
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < end, log.read_text()
        time.sleep(0.05)
    home = _get(f"{address}/")
    assert home is not None
    assert "<html" in home
    process.send_signal(signal.SIGTERM)
    assert process.wait(STOP_SECONDS) == 0, log.read_text()
    assert "Traceback" not in log.read_text()


def _get(url: str) -> str | None:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return str(answer.read().decode())
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return None
