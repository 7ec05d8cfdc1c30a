"""The registry: which doors open, and what stops the start."""

from __future__ import annotations

import pytest

from channels.registry import DOORS, UnknownChannel, open_doors


def test_doors_come_in_the_order_of_the_setting() -> None:
    assert [door.name for door in open_doors(("rest", "web"))] == ["rest", "web"]
    assert [door.name for door in open_doors(("web",))] == ["web"]


def test_a_door_bears_the_name_it_is_registered_by() -> None:
    assert {name: make().name for name, make in DOORS.items()} == {name: name for name in DOORS}


def test_an_unknown_name_stops_the_start_and_lists_what_there_is() -> None:
    with pytest.raises(UnknownChannel, match="telex") as caught:
        open_doors(("web", "telex"))
    assert all(name in str(caught.value) for name in DOORS)


def test_doors_are_made_for_each_house() -> None:
    assert open_doors(("rest",))[0] is not open_doors(("rest",))[0]
