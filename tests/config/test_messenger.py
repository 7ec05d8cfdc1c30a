"""Descriptions of providers: the samples are whole, and a slip is told in words that name it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from config.messenger import load_messenger

SAMPLES = Path(__file__).parents[2] / "docs" / "sms"
GOOD = """
name = "示例"
url = "https://sms.example/send"
content = "form"
[fields]
to = "${to}"
text = "${text}"
[signature]
algorithm = "hmac-sha256"
field = "sign"
[answer]
path = "code"
success = ["0", 200]
"""


def test_there_are_samples_and_all_of_them_are_whole() -> None:
    found = sorted(SAMPLES.glob("*.toml"))
    assert [path.stem for path in found] == ["form-md5", "json-hmac-sha256", "query-hmac-sha1"]
    for path in found:
        provider = load_messenger(path)
        assert re.search(r"^https://[a-z-]+\.example/", provider.url)
        assert provider.signature is not None


def test_what_is_not_said_has_a_plain_default(tmp_path: Path) -> None:
    path = tmp_path / "provider.toml"
    path.write_text(GOOD, encoding="utf-8")
    provider = load_messenger(path)
    assert (provider.method, provider.number, provider.charset, provider.sign) == ("POST", "local", "utf-8", True)
    assert provider.repeatable is False, "nobody sends twice by default"
    assert provider.answer.success == {"0", "200"}


# label, what is replaced, by what, a piece of the words
BAD: list[tuple[str, str, str, str]] = [
    ("no TOML", "name =", "name", "无法读取"),
    ("in clear over the net", "https://", "http://", "url"),
    ("a name in the address", "https://", "https://user:key@", "url"),
    ("an unknown entry", "name =", 'nmae = "x"\nname =', "nmae"),
    ("an unknown placeholder", "${text}", "${words}", "${words}"),
    ("no number", '"${to}"', '"1"', "${to}"),
    ("no words", '"${text}"', '"1"', "${text}"),
    ("an unknown content", '"form"', '"xml"', "form、json、query"),
    ("a nested form", 'to = "${to}"', 'to = ["${to}"]', "fields.to"),
    ("a list in a form", 'text = "${text}"', 'text = "${values}"', "JSON"),
    ("a template nobody approved", '"${text}"', '"${params}"', "templates.acknowledgement"),
    ("an algorithm", "hmac-sha256", "sha3", "signature.algorithm"),
    ("a hash without the key", '"hmac-sha256"', '"md5"', "${secret}"),
    ("a signature that goes nowhere", 'field = "sign"', "", "signature.field"),
    ("a body that signs itself", 'field = "sign"', 'field = "sign"\ntext = "${body}"', "${body}"),
    ("two places for the code", 'path = "code"', 'path = "code"\npattern = "(?P<code>.)"', "pattern"),
    ("a pattern without a code", 'path = "code"', 'pattern = "[0-9]+"', "(?P<code>"),
    ("a broken pattern", 'path = "code"', 'pattern = "(?P<code>["', "answer.pattern"),
    ("no success", 'success = ["0", 200]', "success = []", "answer.success"),
    ("GET with a form", 'content = "form"', 'content = "form"\nmethod = "GET"', "GET"),
    ("a day of waiting", "[fields]", "timeout = 86400\n[fields]", "timeout"),
    ("repeatable without an id", "[fields]", "repeatable = true\n[fields]", "${id}"),
    ("a truth in quotes", "[fields]", 'sign = "no"\n[fields]', "sign"),
    ("a template of another kind", "[answer]", '[templates.other]\nid = "1"\n[answer]', "templates.other"),
    (
        "a value that is no secret to tell",
        "[answer]",
        '[templates.notice]\nid = "1"\nparams = {n = "name"}\n[answer]',
        "templates.notice.params.n",
    ),
]


@pytest.mark.parametrize(("old", "new", "words"), [row[1:] for row in BAD], ids=[row[0] for row in BAD])
def test_a_slip_is_named(tmp_path: Path, old: str, new: str, words: str) -> None:
    assert old in GOOD
    path = tmp_path / "provider.toml"
    path.write_text(GOOD.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ValueError, match=re.escape(words)) as told:
        load_messenger(path)
    assert "provider.toml" in str(told.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="无法读取"):
        load_messenger(tmp_path / "none.toml")
