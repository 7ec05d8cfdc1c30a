"""The guards of the house: floors, sizes, names, documents and secrets, checked on the whole tree."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from channels.registry import DOORS
from config.settings import Settings
from gateway.auth import guarded_by
from gateway.house import open_house
from gateway.line import COMMANDS
from gateway.metrics import Metrics
from gateway.middleware import Drain
from gateway.routes import GUARDS, Guard
from gateway.web import build_app
from gateway.worker import way_out

ROOT = Path(__file__).parent.parent
ROOMS = ("petition", "config", "channels", "store", "normalizer", "casework", "dispatch", "video", "gateway")
LONGEST = 350
FORBIDDEN_NAMES = frozenset({"utils", "util", "helpers", "helper", "manager", "managers", "misc", "common", "base"})


@cache
def modules() -> tuple[Path, ...]:
    """Every Python file of the nine rooms."""
    return tuple(sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py")))


@cache
def tracked() -> tuple[Path, ...]:
    """Every file git would keep: what is committed and what is new and not ignored."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    return tuple(path for name in names if name and (path := ROOT / name).is_file())


def name_of(path: Path) -> str:
    """The file as the messages of these tests name it."""
    return path.relative_to(ROOT).as_posix()


def python_files() -> Iterator[tuple[str, ast.Module, str]]:
    """(name, tree, text) of every tracked Python file."""
    for path in tracked():
        if path.suffix == ".py":
            text = path.read_text(encoding="utf-8")
            yield name_of(path), ast.parse(text), text


def test_imports_run_downwards_only() -> None:
    run = subprocess.run([Path(sys.executable).with_name("lint-imports"), "--no-cache"], cwd=ROOT, capture_output=True)
    assert run.returncode == 0, run.stdout.decode()


def test_a_module_is_one_noun_of_bearable_length() -> None:
    too_long = [f"{name}: {text.count(chr(10))}" for name, _, text in python_files() if text.count("\n") > LONGEST]
    assert not too_long


def test_a_module_says_in_one_line_what_it_is() -> None:
    first = re.compile(r'"""[^"\n]*[^\s"][.。]("""\n|\n)')
    assert not [name for name, _, text in python_files() if not first.match(text)]


def test_names_are_nouns_of_the_house() -> None:
    assert not [name_of(path) for path in modules() if FORBIDDEN_NAMES & {*path.parts, path.stem}]


def test_a_room_begins_with_its_docstring_only() -> None:
    bad = [
        name_of(path)
        for path in modules()
        if path.name == "__init__.py" and len(ast.parse(path.read_text(encoding="utf-8")).body) != 1
    ]
    assert not bad


def test_the_tests_hold_no_packages() -> None:
    assert not list((ROOT / "tests").rglob("__init__.py"))


def test_a_channel_is_one_file_and_one_test() -> None:
    assert DOORS
    for name in DOORS:
        assert (ROOT / f"channels/{name}.py").is_file()
        assert (ROOT / f"tests/channels/test_{name}.py").is_file()


def test_no_module_is_dead() -> None:
    """Each module is imported by another one or by a test; a command by its name in the table of commands."""
    imported = {f"gateway.commands.{module}" for module in COMMANDS.values()}
    for _, tree, _ in python_files():
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module:
                imported |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
            elif isinstance(node, ast.Import):
                imported |= {alias.name for alias in node.names}
    dead = []
    for path in modules():
        dotted = name_of(path).removesuffix(".py").replace("/", ".")
        entered = path.name in ("__init__.py", "__main__.py") or "migrations" in path.parts
        if not entered and dotted not in imported:
            dead.append(dotted)
    assert not dead


def test_nothing_says_of_itself_that_it_is_not_done() -> None:
    words = re.compile(
        "NotImplemented" + "Error|TO" + "DO|FIX" + "ME|XX" + r"X|pytest\.mark\.(?:skip|xfail)|pytest\.skip\("
    )
    assert not [name for name, _, text in python_files() if words.search(text)]


def test_no_registry_host_and_no_machine_path() -> None:
    hosts = ["py" + "pi.org", "python" + "hosted", "npm" + "js.", "registry.np" + "m", "deb.de" + "bian"]
    paths = ["/wo" + "rk/", "/fa" + "rm/", "/ro" + "ot/", "/ho" + "me/"]
    words = re.compile("|".join(map(re.escape, hosts)) + "|(?<![\\w.-])(?:" + "|".join(paths) + ")")
    bad = []
    for path in tracked():
        raw = path.read_bytes()
        if b"\0" not in raw[:4096] and (found := words.search(raw.decode("utf-8", "replace"))):
            bad.append(f"{name_of(path)}: {found[0]}")
    assert not bad


def test_no_file_of_somebody_else() -> None:
    assert not [
        name_of(path) for path in tracked() if re.search(r"\.min\.(js|css)$|/node_modules/|/vendor/", str(path))
    ]


def test_pages_fetch_nothing_from_elsewhere() -> None:
    """No CDN, no font, no picture of strangers; no inline style or script, which the policy would refuse."""
    elsewhere = re.compile(r"""(?:src|action|srcset)=["']?(?:https?:)?//|@import|url\(["']?(?:https?:)?//""")
    inline = re.compile(r"""<style|\sstyle=|\son[a-z]+=["']|<script(?![^>]*\ssrc=)(?![^>]*type="application/json")""")
    bad = []
    for folder in ("templates", "static"):
        for path in (ROOT / "gateway" / folder).rglob("*"):
            if path.suffix in (".html", ".css", ".js", ".svg"):
                text = path.read_text(encoding="utf-8")
                if elsewhere.search(text) or (path.suffix == ".html" and inline.search(text)):
                    bad.append(name_of(path))
    assert not bad


def test_dependencies_are_what_is_imported() -> None:
    """Nothing is imported that is not declared, nothing declared that is not imported."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = {_plain(requirement) for requirement in project["dependencies"]}
    by_module = packages_distributions()
    used: set[str] = set()
    for path in modules():
        for module in _outside_imports(ast.parse(path.read_text(encoding="utf-8"))):
            used |= {_plain(name) for name in by_module.get(module, [module])}
    # Not imported by name: kombu is Celery's, and SQLAlchemy loads psycopg by its address.
    used = (used - {"kombu"}) | {"psycopg"}
    assert used - {"psycopg-binary"} == declared


def _outside_imports(tree: ast.Module) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return found - set(ROOMS) - set(sys.stdlib_module_names)


def _plain(requirement: str) -> str:
    return re.split(r"[\[<>=!~; ]", requirement, maxsplit=1)[0].lower().replace("_", "-")


@pytest.mark.parametrize("file", ["requirements.txt", "requirements-dev.txt"])
def test_every_dependency_is_pinned_with_its_digest(file: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    text = (ROOT / file).read_text(encoding="utf-8")
    pins = re.split(r"\n(?=[a-z0-9])", text)
    pinned = {_plain(pin) for pin in pins if re.match(r"[a-z0-9._-]+==\S+ \\\n    --hash=sha256:[0-9a-f]{64}", pin)}
    assert len(pinned) == len(re.findall(r"(?m)^[a-z0-9]", text))
    wanted = project["dependencies"] + project["optional-dependencies"]["setup"]
    if "dev" in file:
        wanted = wanted + project["optional-dependencies"]["dev"]
    assert {_plain(requirement) for requirement in wanted} <= pinned


def test_the_two_pin_files_agree() -> None:
    pins = [
        set(re.findall(r"(?m)^[a-z0-9._-]+==[^\s;]+", (ROOT / file).read_text(encoding="utf-8")))
        for file in ("requirements.txt", "requirements-dev.txt")
    ]
    assert pins[0] <= pins[1]


def test_every_setting_is_read_by_somebody() -> None:
    """A setting that nothing reads would be a promise that nobody keeps."""
    through = {  # read by a property of this name
        "http": "http_address",
        "smtp": "smtp_address",
        "database_url": "database",
        "mail_addresses": "mailboxes",
        "mail_from": "mail_sender",
    }
    text = "\n".join(path.read_text(encoding="utf-8") for path in modules() if path.name != "settings.py")
    read = set(re.findall(r"\bsettings\.([a-z_]+)", text))
    assert {name for name in Settings.model_fields if not {name, through.get(name)} & read} == set()


def test_every_route_has_its_guard(tmp_path: Path) -> None:
    """The routes of the app and the table of guards name the same doors; an officer's page stands behind the gate."""
    settings = Settings(data=tmp_path, channels=tuple(DOORS))
    house = open_house(settings)
    way = way_out(settings, house.store, house.routing, house.reading)
    try:
        app = build_app(house, house.intake(), way, Drain(), Metrics())
    finally:
        way.stop()
        house.close()
    routes = {
        (route.method, route.resource.canonical): guarded_by(route.handler)
        for route in app.router.routes()
        if route.resource is not None and route.method != "HEAD" and route.resource.canonical != "/static"
    }
    assert set(routes) == set(GUARDS)
    behind_the_gate = {route for route, gate in routes.items() if gate == "officer"}
    assert behind_the_gate == {route for route, guard in GUARDS.items() if guard is Guard.OFFICER}


IMPORT_ALL = """
import json, os, sys, threading
rooms = json.loads(sys.argv[1])
import importlib, pkgutil
for name in ("asyncio", "ssl", "celery", "celery.worker", "sqlalchemy", "aiohttp.web", "httpx", "alembic.command"):
    importlib.import_module(name)  # what libraries open for themselves is not ours to judge
opened = []
def watch(event, arguments):
    if event in ("socket.__new__", "socket.bind", "socket.connect", "subprocess.Popen", "sqlite3.connect"):
        opened.append(event)
    elif event == "open" and isinstance(arguments[0], str):
        path, flags = arguments[0], arguments[2] or 0
        writes = flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        if writes and not path.endswith((".pyc", "/dev/null")) and ".pyc." not in path:
            opened.append(f"{event} {path}")
before = set(threading.enumerate())
sys.addaudithook(watch)
sys.dont_write_bytecode = True
for room in rooms:
    package = importlib.import_module(room)
    for module in pkgutil.walk_packages(package.__path__, room + "."):
        if not module.name.endswith(".__main__") and ".migrations" not in module.name:
            importlib.import_module(module.name)
print(json.dumps({
    "threads": [thread.name for thread in threading.enumerate() if thread not in before],
    "opened": opened,
    "ours": {room: sys.modules[room].__file__ for room in rooms},
}))
"""


def test_nothing_stands_at_import_time_and_the_rooms_are_ours() -> None:
    """Importing everything opens no file for writing, socket, database, process or thread; `config` is our own."""
    command = [sys.executable, "-W", "error", "-c", IMPORT_ALL, json.dumps(ROOMS)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    found = json.loads(run.stdout)
    assert found["threads"] == []
    assert found["opened"] == []
    assert found["ours"] == {room: str(ROOT / room / "__init__.py") for room in ROOMS}


def test_no_module_holds_what_can_change() -> None:
    """State belongs to objects of the composition roots: no `global`, no empty container waiting to be filled."""
    bad = []
    for path in modules():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        changing: list[ast.AST] = [node for node in ast.walk(tree) if isinstance(node, ast.Global)]
        for node in tree.body:
            if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
                words = ast.unparse(node.value)
                if re.fullmatch(r"\[\]|\{\}|(list|dict|set|OrderedDict|deque)\(\)|defaultdict\(.*\)", words):
                    changing.append(node)
        bad += [f"{name_of(path)}:{getattr(node, 'lineno', 0)}" for node in changing]
    assert not bad


@pytest.mark.parametrize("page", ["architecture", "glossary", "channels", "operations", "api"])
def test_the_documents_are_there_and_their_links_hold(page: str) -> None:
    path = ROOT / "docs" / f"{page}.md"
    for link in re.findall(r"\]\(([^)#\s]+)", path.read_text(encoding="utf-8")):
        assert "://" in link or (path.parent / link).exists(), f"{name_of(path)} points to {link}"


def test_the_readmes_first_words_are_the_two_commands() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"(?s)```\w*\n(.*?)```", text)
    assert "make run" in blocks[0]
    assert "make test" in blocks[0]


def test_make_help_lists_every_target_and_each_script_is_called() -> None:
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    shown = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    targets = re.findall(r"(?m)^([a-z-]+):.*## ", text)
    assert [line.split()[1] for line in shown.splitlines()] == targets
    called = set(re.findall(r"scripts[/.]([a-z_]+)", text)) | {"closing"}
    for path in (ROOT / "scripts").iterdir():
        if path.is_file():
            called |= set(re.findall(r"scripts/([a-z_]+)", path.read_text(encoding="utf-8")))
    there = {path.stem for path in (ROOT / "scripts").iterdir() if path.is_file()}
    assert there == called
