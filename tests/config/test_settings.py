"""Settings: where they come from, what is refused and in which words, what is shown and what never is."""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
from ipaddress import ip_network
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from config.address import Address, read_address
from config.complaint import BadSettings
from config.dump import shown
from config.key import load_or_make_key
from config.settings import PREFIX, Settings, load, unknown
from scripts import settings_docs

ROOT = Path(__file__).parents[2]
SECRET = "whsec_" + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
KEY = "0123456789abcdef0123456789abcdef"

# label, environment, setting, value
GOOD = [
    ("channels are split at commas", {"CHANNELS": "web, rest,,email"}, "channels", ("web", "rest", "email")),
    ("an empty variable is the default", {"HTTP": ""}, "http", "127.0.0.1:8080"),
    ("an IPv6 address", {"HTTP": "[::1]:80"}, "http_address", Address("::1", 80)),
    ("sizes with units", {"MAX_UPLOAD": "20MiB"}, "max_upload", 20 << 20),
    ("a trailing slash goes", {"PUBLIC_URL": "https://example.com/xf/"}, "public_url", "https://example.com/xf"),
    ("https is known", {"PUBLIC_URL": "https://example.com"}, "over_tls", True),
    ("http is known", {}, "over_tls", False),
    ("SQLite lies in the data folder", {"DATA": "/srv/x"}, "database", "sqlite:////srv/x/gateway.db"),
    ("another database", {"DATABASE_URL": "postgresql+psycopg://h/d"}, "database", "postgresql+psycopg://h/d"),
    ("levels in any case", {"LOG_LEVEL": "debug"}, "log_level", "DEBUG"),
    (
        "networks",
        {"TRUSTED_PROXIES": "127.0.0.1, ::1"},
        "trusted_proxies",
        (ip_network("127.0.0.1"), ip_network("::1")),
    ),
    ("our numbers", {"TWILIO_NUMBERS": "+8615400000000, 12345"}, "twilio_numbers", ("+8615400000000", "12345")),
    ("the provider on this host", {"TWILIO_API_URL": "http://127.0.0.1:9/"}, "twilio_api_url", "http://127.0.0.1:9"),
    (
        "hosts of media",
        {"TWILIO_MEDIA_HOSTS": "A.example, b.example"},
        "twilio_media_hosts",
        ("a.example", "b.example"),
    ),
    ("text of the office", {"OFFICE_NAME": "演示市信访局"}, "office_name", "演示市信访局"),
]

# label, environment, the setting that must be named, a piece of the words
BAD = [
    ("no port", {"HTTP": "localhost"}, "HTTP", "host:port"),
    ("a port beyond", {"HTTP": "localhost:70000"}, "HTTP", "65535"),
    ("IPv6 without brackets", {"SMTP": "::1:25"}, "SMTP", "host:port"),
    ("not a web address", {"PUBLIC_URL": "example.com"}, "PUBLIC_URL", "http(s)"),
    ("a web address with a query", {"PUBLIC_URL": "https://example.com/?a=1"}, "PUBLIC_URL", "http(s)"),
    ("a web address with a broken port", {"PUBLIC_URL": "http://h:99999/"}, "PUBLIC_URL", "http(s)"),
    ("another database", {"DATABASE_URL": "mysql://h/d"}, "DATABASE_URL", "postgresql+psycopg://"),
    ("PostgreSQL without its driver", {"DATABASE_URL": "postgresql://h/d"}, "DATABASE_URL", "postgresql+psycopg://"),
    ("another broker", {"BROKER_URL": "filesystem://"}, "BROKER_URL", "redis://"),
    ("a channel name", {"CHANNELS": "web,../x"}, "CHANNELS", "'../x'"),
    ("a channel twice", {"CHANNELS": "web,web"}, "CHANNELS", "重复"),
    ("no channel", {"CHANNELS": ","}, "CHANNELS", "至少"),
    ("a key without a name", {"API_KEYS": "0123456789abcdef"}, "API_KEYS", "name:key"),
    ("a short key", {"API_KEYS": "hotline:123"}, "API_KEYS", "hotline"),
    ("two keys of a name", {"API_KEYS": f"a:{KEY},a:{KEY}"}, "API_KEYS", "twice"),
    ("a short secret", {"SECRET_KEY": "short"}, "SECRET_KEY", "32"),
    ("a repeated secret", {"SECRET_KEY": "ab" * 20}, "SECRET_KEY", "32"),
    ("a region", {"REGION": "62"}, "REGION", "6位"),
    ("routing without a secret", {"ROUTING_URL": "https://example.com"}, "ROUTING_SECRET", "ROUTING_URL"),
    ("a secret that is no base64", {"ROUTING_SECRET": "whsec_äöü"}, "ROUTING_SECRET", "base64"),
    ("a secret too short", {"ROUTING_SECRET": "whsec_YWJj"}, "ROUTING_SECRET", "24"),
    ("a level", {"LOG_LEVEL": "LOUD"}, "LOG_LEVEL", "WARNING"),
    ("not a number", {"RATE_PER_MINUTE": "many"}, "RATE_PER_MINUTE", "整数"),
    ("too small", {"RATE_PER_MINUTE": "0"}, "RATE_PER_MINUTE", "不得小于 1"),
    ("too large", {"ROUTING_TIMEOUT": "61"}, "ROUTING_TIMEOUT", "不得大于 60"),
    ("not above zero", {"DRAIN_SECONDS": "0"}, "DRAIN_SECONDS", "必须大于 0"),
    ("a size", {"MAX_BODY": "lots"}, "MAX_BODY", "20MiB"),
    ("a unit", {"MAX_BODY": "3 parsecs"}, "MAX_BODY", "20MiB"),
    ("a choice", {"READING": "sometimes"}, "READING", "'inline'"),
    ("not a finite number", {"DRAIN_SECONDS": "nan"}, "DRAIN_SECONDS", "60"),
    ("credentials in the clear", {"TWILIO_API_URL": "http://api.example"}, "TWILIO_API_URL", "https://host"),
    ("credentials in an address", {"TWILIO_API_URL": "https://a:b@api.example"}, "TWILIO_API_URL", "https://host"),
    ("no account", {"TWILIO_ACCOUNT_SID": "AC12"}, "TWILIO_ACCOUNT_SID", "32"),
    ("no number", {"TWILIO_NUMBERS": "+8615400000000, office"}, "TWILIO_NUMBERS", "'office'"),
    ("rounds too far apart", {"TWILIO_RECONCILE_SECONDS": "86401"}, "TWILIO_RECONCILE_SECONDS", "86400"),
    ("no sender", {"TWILIO_FROM": "office"}, "TWILIO_FROM", "E.164"),
    ("no host", {"TWILIO_MEDIA_HOSTS": "https://a.example"}, "TWILIO_MEDIA_HOSTS", "a.example"),
    ("a network", {"TRUSTED_PROXIES": "10.0.0.0/99"}, "TRUSTED_PROXIES", "10.0.0.0/8"),
]


def set_all(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(PREFIX + name, value)


@pytest.mark.parametrize(("label", "environment", "name", "value"), GOOD, ids=[row[0] for row in GOOD])
def test_what_is_read(
    label: str, environment: dict[str, str], name: str, value: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_all(monkeypatch, environment)
    assert getattr(load(), name) == value


@pytest.mark.parametrize(("label", "environment", "name", "piece"), BAD, ids=[row[0] for row in BAD])
def test_what_is_refused(
    label: str, environment: dict[str, str], name: str, piece: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_all(monkeypatch, environment)
    with pytest.raises(BadSettings) as problem:
        load()
    assert len(problem.value.lines) == 1
    assert PREFIX + name in problem.value.lines[0]
    assert piece in problem.value.lines[0]


def test_every_mistake_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    set_all(monkeypatch, {"HTTP": "x", "REGION": "x", "RATE_PER_MINUTE": "x"})
    with pytest.raises(BadSettings) as problem:
        load()
    assert [line.partition(":")[0] for line in problem.value.lines] == [
        "GATEWAY_HTTP",
        "GATEWAY_REGION",
        "GATEWAY_RATE_PER_MINUTE",
    ]


def test_a_complaint_does_not_tell_the_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    set_all(monkeypatch, {"SECRET_KEY": "hush-hush", "ROUTING_SECRET": "hush-hush", "API_KEYS": "a:hush-hush"})
    with pytest.raises(BadSettings) as problem:
        load()
    assert len(problem.value.lines) == 3
    assert "hush" not in str(problem.value)


def test_the_environment_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "gateway.toml"
    file.write_text('http = "127.0.0.1:1"\nregion = "620100"\nchannels = ["web"]\nmax_body = 2048\n')
    monkeypatch.setenv("GATEWAY_HTTP", "127.0.0.1:2")
    monkeypatch.setenv("GATEWAY_REGION", "")
    settings = load(file)
    assert (settings.http, settings.region, settings.channels, settings.max_body) == (
        "127.0.0.1:2",
        "620100",
        ("web",),
        2048,
    )


@pytest.mark.parametrize(
    ("text", "piece"),
    [
        ('htpp = "x"\n', "GATEWAY_HTPP"),
        ("http = \n", "无法读取"),
        ("http = 8080\n", "GATEWAY_HTTP: 应为文字"),
        ('public_url = ""\n', "GATEWAY_PUBLIC_URL: 不能为空"),
    ],
    ids=["an unknown name", "not TOML", "a wrong type", "nothing"],
)
def test_a_bad_file_is_refused(text: str, piece: str, tmp_path: Path) -> None:
    file = tmp_path / "gateway.toml"
    file.write_text(text)
    with pytest.raises(BadSettings, match=piece):
        load(file)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadSettings, match="cannot be read"):
        load(tmp_path / "none.toml")


def test_unknown_variables_are_told_with_the_nearest_name() -> None:
    told = unknown({"GATEWAY_CHANELS": "web", "GATEWAY_HTTP": "x", "GATEWAY_": "", "PATH": "x"})
    assert len(told) == 2
    assert "GATEWAY_CHANNELS" in told[1]
    assert told[0].startswith("GATEWAY_: ")


def test_the_dump_shows_every_setting_and_no_secret() -> None:
    hush = "correct-horse-battery-staple-9"
    settings = Settings(
        secret_key=SecretStr(hush + "-key"),
        routing_url=f"https://user:{hush}@example.com/in",
        routing_secret=SecretStr(SECRET),
        database_url=f"postgresql+psycopg://user:{hush}@db.example.com/gateway",
        broker_url=f"redis://:{hush}@db.example.com:6379/0",
        api_keys=f"hotline:{hush}",
    )
    rows = dict(shown(settings))
    assert set(rows) == {PREFIX + name.upper() for name in Settings.model_fields}
    for text in (str(rows), repr(settings), str(settings)):
        assert hush not in text
        assert SECRET not in text
    assert rows["GATEWAY_DATABASE_URL"] == "postgresql+psycopg://******@db.example.com/gateway"
    assert rows["GATEWAY_API_KEYS"] == "hotline:******"
    assert rows["GATEWAY_SECRET_KEY"] == "****** (34)"
    assert rows["GATEWAY_MAX_UPLOAD"] == "50MiB"


def test_settings_do_not_change() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Settings().http = "127.0.0.1:1"  # type: ignore[misc]


def test_api_keys_from_text() -> None:
    keys = Settings(api_keys=f"hotline:{KEY}, letters:{KEY}:with:colons").api_keys
    assert [(entry.name, entry.key.get_secret_value()) for entry in keys] == [
        ("hotline", KEY),
        ("letters", f"{KEY}:with:colons"),
    ]


@pytest.mark.parametrize("text", ["", ":80", "h:", "h:x", "h:-1", "::1:80", "[]:80", "h:8 0", "h:\u0661"])
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(ValueError, match="host:port"):
        read_address(text)


def test_every_default_is_valid_and_has_words() -> None:
    settings = Settings()
    assert Settings(**{name: getattr(settings, name) for name in Settings.model_fields}) == settings
    for name, field in Settings.model_fields.items():
        chinese, slash, english = (field.description or "").partition(" / ")
        assert all((chinese, slash, english)), f"{name} needs help text: Chinese / English"
        assert english.isascii(), name


def test_the_documents_list_every_setting_as_it_is() -> None:
    assert (ROOT / ".env.example").read_text() == settings_docs.env_example(), "run `make docs`"
    page = (ROOT / "docs/operations.md").read_text()
    assert page == settings_docs.with_table(page), "run `make docs`"


def test_the_example_means_the_defaults(tmp_path: Path) -> None:
    """With every # taken away the shell reads back exactly the defaults."""
    lines = (ROOT / ".env.example").read_text().replace("#GATEWAY_", "GATEWAY_").splitlines()
    file = tmp_path / "env"
    file.write_text("\n".join(lines) + "\n")
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    code = "from config.dump import shown; from config.settings import load; print(shown(load()))"
    script = f"set -a; . {file}; exec {sys.executable} -c '{code}'"
    read = subprocess.run(["bash", "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert read.stdout.strip() == str(shown(Settings()))


def test_the_key_is_made_once(tmp_path: Path) -> None:
    data = tmp_path / "new" / "var"
    key = load_or_make_key(data)
    assert load_or_make_key(data) == key
    assert len(key) >= 32
    assert [path.name for path in data.iterdir()] == ["secret.key"]
    assert stat.S_IMODE((data / "secret.key").stat().st_mode) == 0o600
    Settings(secret_key=SecretStr(key.decode()))  # the same text serves in the environment
    assert load_or_make_key(tmp_path / "other") != key


def test_two_starts_at_once_agree_on_a_key(tmp_path: Path) -> None:
    code = f"import pathlib, config.key; print(config.key.load_or_make_key(pathlib.Path({str(tmp_path)!r})).decode())"
    starts = [
        subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(4)
    ]
    keys = {start.communicate()[0] for start in starts}
    assert keys == {(tmp_path / "secret.key").read_text()}


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    load_or_make_key(tmp_path)
    (tmp_path / "secret.key").chmod(0o640)
    with pytest.raises(BadSettings, match="chmod 600"):
        load_or_make_key(tmp_path)


def test_a_cut_key_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "secret.key"
    path.write_text("abc\n")
    path.chmod(0o600)
    with pytest.raises(BadSettings, match="backup"):
        load_or_make_key(tmp_path)
    assert path.read_text() == "abc\n"


def test_records_without_their_key_get_no_new_one(tmp_path: Path) -> None:
    (tmp_path / "gateway.db").touch()
    with pytest.raises(BadSettings, match="missing"):
        load_or_make_key(tmp_path)
    assert not (tmp_path / "secret.key").exists()


def test_what_is_written_about_settings_names_settings() -> None:
    """Documents and deployment files name no setting that does not exist, by a slip or from an older day."""
    known = {PREFIX + name.upper() for name in Settings.model_fields} | {"GATEWAY_CONFIG"}
    wrong = []
    for path in [*(ROOT / "deploy").iterdir(), *(ROOT / "docs").rglob("*.md"), *ROOT.glob("*.md")]:
        names = re.findall(r"\bGATEWAY_[A-Z_]+[A-Z]\b(?!\*)", path.read_text(encoding="utf-8"))
        wrong += [f"{path.name}: {name}" for name in names if name not in known and f"{name}_*" not in names]
    assert not wrong
