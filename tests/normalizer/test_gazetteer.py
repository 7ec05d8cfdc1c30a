"""Place names in text: chains, short names, everyday words, and names with several meanings."""

from __future__ import annotations

import pytest

from config.regions import Level
from normalizer.gazetteer import Gazetteer, short_names
from normalizer.pipeline import ReadingParts

SHORT = [
    ("内蒙古自治区", Level.PROVINCE, ("内蒙古",)),
    ("广西壮族自治区", Level.PROVINCE, ("广西",)),
    ("甘肃省", Level.PROVINCE, ("甘肃",)),
    ("甘南藏族自治州", Level.CITY, ("甘南州", "甘南")),
    ("黔东南苗族侗族自治州", Level.CITY, ("黔东南州", "黔东南")),
    ("大兴安岭地区", Level.CITY, ("大兴安岭",)),
    ("东乡族自治县", Level.COUNTY, ("东乡县", "东乡")),
    ("积石山保安族东乡族撒拉族自治县", Level.COUNTY, ("积石山县", "积石山")),
    ("阿克塞哈萨克族自治县", Level.COUNTY, ("阿克塞县", "阿克塞")),
    ("城关区", Level.COUNTY, ("城关",)),
    ("成县", Level.COUNTY, ()),
]


@pytest.mark.parametrize(("name", "level", "forms"), SHORT)
def test_short_names(name: str, level: Level, forms: tuple[str, ...]) -> None:
    assert short_names(name, level) == forms


@pytest.fixture(scope="module")
def gazetteer(parts: ReadingParts) -> Gazetteer:
    """The house's own gazetteer, office Gansu."""
    return Gazetteer(parts.regions, "620000", parts.words.groups["region.common"])


TEXTS = [
    ("甘肃省兰州市城关区酒泉路街道", ["620102001"]),
    ("兰州市、城关区", ["620102"]),
    ("城关区", ["620102"]),
    ("西藏拉萨市城关区", ["540102"]),
    ("甘南州夏河县", ["623027"]),
    ("临夏州东乡族自治县", ["622926"]),
    ("酒泉市敦煌市莫高镇", ["620982103"]),
    ("邮戳为定西", ["621100"]),
    ("榆中的村子", ["620123"]),
    ("甘南合作", ["623001"]),
    ("希望部门之间合作,社会安定,人民康乐", []),
    ("黄河南岸", []),
    ("天水路和兰州街", []),
    ("北京路派出所", []),
    ("广汉的工厂", []),
    ("四川广汉的工厂", ["510681"]),
    ("嘉峪关市雄关街道", ["620201001"]),
    ("广东省东莞市", ["441900"]),
]


@pytest.mark.parametrize(("text", "expected"), TEXTS)
def test_places(gazetteer: Gazetteer, text: str, expected: list[str]) -> None:
    assert [place.codes[0] for place in gazetteer.places(text)] == expected


def test_a_town_of_many_counties_stays_open(gazetteer: Gazetteer) -> None:
    place = gazetteer.places("城关镇的街上")[0]
    assert len(place.codes) > 10
    assert all(code.startswith("62") for code in place.codes)


def test_the_text_and_the_residence_tell_towns_apart(gazetteer: Gazetteer) -> None:
    assert gazetteer.places("城关镇街上的积水,永登县一直不修")[0].codes == ("620121100",)
    assert gazetteer.places("城关镇街上", near=["620123"])[0].codes == ("620123100",)


ADDRESSES = [
    ("兰州市城关区示例街道演示小区1号楼", "620102"),
    ("张掖市甘州区样本镇示例村三社", "620702"),
    ("甘肃省兰州市", "620100"),
    ("某某路五号", ""),
    ("", ""),
]


@pytest.mark.parametrize(("address", "code"), ADDRESSES)
def test_addresses(gazetteer: Gazetteer, address: str, code: str) -> None:
    assert gazetteer.resolve(address) == code
