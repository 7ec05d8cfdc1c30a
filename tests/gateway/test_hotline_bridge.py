"""A whole house bridged to a 12345 platform: changes both ways, and a matter that is in procedure already."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from petition.petition import RelatedKind
from store import petitions
from store.petitions import Case
from tests.fakes.hotline_platform import Platform, serving
from tests.houses import API_KEY, Rig, running_house, until
from tests.signing import SECRET

ORDERS = "/api/v1/hotline/orders"
HEATING = "我家住在兰州市城关区演示小区三号楼，入冬以来暖气一直不热，室温只有十三度，物业和供热公司互相推诿。"
AGAIN = "兰州市城关区演示小区三号楼入冬以来暖气一直不热，室温只有十三度，供热公司和物业还在互相推诿，请尽快解决。"
LAMP = "演示小区门口的路灯坏了半个月，晚上老人摔倒了，请维修路灯。"


@pytest.fixture(scope="module")
def platform() -> Platform:
    return Platform(answers=[503])


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory, platform: Platform) -> Iterator[Rig]:
    folder = tmp_path_factory.mktemp("bridge")
    with (
        serving(platform) as url,
        running_house(
            folder,
            way_out_too=True,
            channels=("web", "hotline"),
            api_keys=(f"hotline:{API_KEY}",),
            hotline_url=url,
            hotline_secret=SECRET,
        ) as opened,
    ):
        yield opened


def send(rig: Rig, order_no: str, content: str, mobile: str = "15400000001", **more: Any) -> dict[str, Any]:
    body = {"order_no": order_no, "content": content, "caller": {"mobile": mobile}, "place_region": "620102", **more}
    answer = rig.client.post(ORDERS, json=body, headers={"X-API-Key": API_KEY})
    assert answer.status_code in (200, 201), answer.text
    return {"http": answer.status_code, **answer.json()}


def case_of(rig: Rig, told: dict[str, Any]) -> Case:
    return rig.house.store.read_now(lambda tx: petitions.get(tx, told["case_no"]))


def test_back_to_what_it_said_before_is_a_change_and_no_repeat(rig: Rig) -> None:
    before = rig.balance("hotline")
    first = send(rig, "GD-ABA", LAMP, "15400000011")
    assert send(rig, "GD-ABA", LAMP, "15400000011")["http"] == 201, "a repeat"
    second = send(rig, "GD-ABA", LAMP + "已报修。", "15400000011")
    third = send(rig, "GD-ABA", LAMP, "15400000011")
    again = send(rig, "GD-ABA", LAMP, "15400000011")
    assert [one["http"] for one in (second, third, again)] == [200, 200, 200]
    assert len({one["case_no"] for one in (first, second, third, again)}) == 1
    content = ""

    def joined() -> bool:
        nonlocal content
        content = case_of(rig, first).petition.content
        return content.count("热线更改了这件工单") == 2

    assert until(joined), content
    after = rig.balance("hotline")
    assert (after.petitions - before.petitions, after.received - before.received, rig.gap()) == (1, 5, 0)


def test_an_urge_joins_the_case_in_words(rig: Rig) -> None:
    first = send(rig, "GD-URGE", LAMP, "15400000012")
    assert send(rig, "GD-URGE", LAMP, "15400000012", event="催办", state="办理中")["linked"] is True
    assert until(lambda: "热线催办这件工单" in case_of(rig, first).petition.content)
    assert "工单状态：办理中" in case_of(rig, first).petition.content


def test_a_matter_in_procedure_is_told_and_linked_and_never_refused(rig: Rig) -> None:
    first = send(rig, "GD-HEAT-1", HEATING)
    assert "in_procedure" not in first
    second = send(rig, "GD-HEAT-2", AGAIN)
    assert second["in_procedure"]["case_no"] == first["case_no"]
    assert second["in_procedure"]["status"]
    assert second["case_no"] != first["case_no"], "a guess of reading joins nothing: an officer decides"
    links = [(link.case_no, link.kind) for link in case_of(rig, second).petition.related]
    assert (first["case_no"], RelatedKind.LINK) in links
    batch = {"orders": [{"order_no": "GD-HEAT-3", "content": AGAIN, "caller": {"mobile": "15400000001"},
                         "place_region": "620102"}]}  # fmt: skip
    [line] = rig.client.post(ORDERS, json=batch, headers={"X-API-Key": API_KEY}).json()["orders"]
    assert line["in_procedure"]["case_no"] in (first["case_no"], second["case_no"])


@pytest.mark.parametrize(
    ("order_no", "content", "mobile"),
    [("GD-OTHER-1", LAMP, "15400000001"), ("GD-OTHER-2", AGAIN, "15400000099")],
    ids=["another matter", "another caller"],
)
def test_another_matter_is_a_matter_of_its_own(rig: Rig, order_no: str, content: str, mobile: str) -> None:
    send(rig, f"{order_no}-first", HEATING)
    assert "in_procedure" not in send(rig, order_no, content, mobile)


def test_an_accusation_in_procedure_is_not_told(rig: Rig) -> None:
    words = "举报演示街道办干部王某某收受礼金，贪污低保款，请纪委查处。"
    send(rig, "GD-SECRET-1", words, "15400000055", kind="举报")
    assert "in_procedure" not in send(rig, "GD-SECRET-2", words + "请严查。", "15400000055", kind="举报")


def test_the_platform_learns_of_every_status_and_a_busy_one_is_told_again(rig: Rig, platform: Platform) -> None:
    told = send(rig, "GD-STATUS", LAMP, "15400000013")

    def heard() -> list[dict[str, Any]]:
        return [event for event in platform.events if event["case_no"] == told["case_no"]]

    assert until(lambda: bool(heard()), 15)
    assert heard()[0]["orders"] == ["GD-STATUS"]
    assert heard()[0]["status"] in ("FORWARDED", "ASSIGNED")
    assert platform.forged == 0
    assert platform.answers == [], "the first was answered 503"
    assert until(lambda: len(platform.keys) > len(set(platform.keys)), 15), "and came again under the same key"
