"""The region table: codes, levels, full names, pickers, and clear refusals of bad files."""

from __future__ import annotations

import lzma
from pathlib import Path

import pytest

from config.regions import Level, Regions, contains, level_of, load_regions, significant

DATA = Path(__file__).parents[2] / "config" / "data"
HEAD = "code,name\n"
GOOD = HEAD + "620000,甘肃省\n620100,兰州市\n620102,城关区\n620102001,酒泉路街道\n"


@pytest.fixture(scope="module")
def regions() -> Regions:
    """The shipped snapshot."""
    return load_regions(DATA)


def test_the_snapshot_is_whole(regions: Regions) -> None:
    levels = [level_of(code) for code in regions.codes]
    assert levels.count(Level.PROVINCE) == 34
    assert levels.count(Level.TOWNSHIP) == 41351  # and one row that repeats a county (350527000)
    assert len(regions.children("620000")) == 14
    assert sum(place.level is Level.COUNTY for place in regions.under("620000")) == 88


FULL_NAMES = [
    ("620102", "甘肃省兰州市城关区"),
    ("620102001", "甘肃省兰州市城关区酒泉路街道"),
    ("620102001000", "甘肃省兰州市城关区酒泉路街道"),
    ("620100", "甘肃省兰州市"),
    ("110101", "北京市东城区"),
    ("419001", "河南省济源市"),
    ("441900", "广东省东莞市"),
    ("820000", "澳门特别行政区"),
    ("620199", ""),
    ("not a code", ""),
    ("６２０１０２", ""),
]


@pytest.mark.parametrize(("code", "name"), FULL_NAMES)
def test_full_names(regions: Regions, code: str, name: str) -> None:
    assert regions.full_name(code) == name


CONTAINS = [
    ("620000", "620102", True),
    ("620100", "620102001", True),
    ("620102", "620102", True),
    ("620102", "620103", False),
    ("620102", "620100", False),
    ("", "620102", False),
    ("620102", "", False),
]


@pytest.mark.parametrize(("outer", "inner", "expected"), CONTAINS)
def test_containment(outer: str, inner: str, expected: bool) -> None:
    assert contains(outer, inner) is expected


SIGNIFICANT = [
    ("620000", "62"),
    ("620100", "6201"),
    ("620102", "620102"),
    ("620102000", "620102"),
    ("620102001000", "620102001"),
]


@pytest.mark.parametrize(("code", "stem"), SIGNIFICANT)
def test_significant_digits(code: str, stem: str) -> None:
    assert significant(code) == stem


@pytest.mark.parametrize("code", ["", "62", "62010", "62010x", "甘肃"])
def test_what_is_no_code_has_no_level(code: str) -> None:
    with pytest.raises(ValueError, match="not a region code"):
        level_of(code)


def test_county_of(regions: Regions) -> None:
    found = [regions.county_of(code) for code in ("620102001", "620102", "620100", "999999")]
    assert found == ["620102", "620102", "", ""]


def test_pickers_skip_the_placeholders(regions: Regions) -> None:
    assert {place.level for place in regions.children("110000")} == {Level.COUNTY}
    assert regions.children("620102")[0].name == "酒泉路街道"
    assert len(regions.children("")) == 34
    assert regions.children("620102001") == ()


def test_search_puts_wider_places_first(regions: Regions) -> None:
    found = regions.search("城关", within="620000", limit=3)
    assert found[0].code == "620102"
    assert all(place.code.startswith("62") for place in found)
    assert regions.search("  ") == ()
    assert regions.search("城关", limit=0) == ()


def test_a_plain_csv_and_a_packed_one_say_the_same(tmp_path: Path) -> None:
    (tmp_path / "regions.csv.xz").write_bytes(lzma.compress(GOOD.encode()))
    packed = load_regions(tmp_path)
    (tmp_path / "regions.csv").write_text(GOOD, encoding="utf-8")
    assert load_regions(tmp_path) == packed
    assert packed.find("620102001") is not None


BAD = [
    ("code;name\n", "heading"),
    (HEAD, "no region"),
    (HEAD + "620000,甘肃省\n62010,短\n", "line 3"),
    (HEAD + "620000,\n", "line 2"),
    (HEAD + "620000,甘肃省\n620000,甘肃省\n", "out of order or doubled"),
    (HEAD + "620100,兰州市\n", "no province"),
]


@pytest.mark.parametrize(("text", "words"), BAD)
def test_bad_files_are_refused_with_the_line(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "regions.csv").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=words):
        load_regions(tmp_path)


def test_a_missing_or_broken_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no region table"):
        load_regions(tmp_path)
    (tmp_path / "regions.csv.xz").write_bytes(b"not packed")
    with pytest.raises(ValueError, match=r"regions\.csv\.xz cannot be read"):
        load_regions(tmp_path)
