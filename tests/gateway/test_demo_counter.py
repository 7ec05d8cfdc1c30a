"""The demo at the counter: a clerk signs in with both factors, a group's visit is one case however often it is sent."""

from __future__ import annotations

from pathlib import Path

import pyotp
import pytest
from argon2 import PasswordHasher

from gateway.auth import Passwords
from gateway.demo.browser import Stuck
from gateway.demo.counter import Clerk
from gateway.demo.doors import Place, file_by_visit
from gateway.demo.samples import Sample, load_samples
from gateway.officers import Credentials, add_officer
from store.petitions import get
from tests.houses import Rig, running_house

# aiohttp-jinja2 1.6 still names its request values by words.
pytestmark = pytest.mark.filterwarnings("ignore::aiohttp.web_exceptions.NotAppKeyWarning")

# label, what is said
NO_CLERKS: list[tuple[str, str]] = [
    ("nothing", ""),
    ("only a name", "clerk"),
    ("no address of a factor", "clerk abcd-abcd secret"),
    ("another scheme", "clerk abcd-abcd https://a.example/?secret=JBSWY3DPEHPK3PXP"),
]


@pytest.mark.parametrize("words", [case[1] for case in NO_CLERKS], ids=[case[0] for case in NO_CLERKS])
def test_what_is_no_clerk_is_none(words: str) -> None:
    assert Clerk.read(words) is None


def hired(rig: Rig) -> Credentials:
    """A registrar of this house."""
    reference = rig.house.reference
    return add_officer(
        rig.house.store,
        reference.roles,
        reference.units,
        Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)).hash_now,
        name="clerk",
        display_name="登记示例",
        role_keys=("registrar",),
        region="620000",
        unit="620000-xinfang",
        with_totp=True,
    )


def the_group() -> Sample:
    """Thirteen who sent one."""
    return next(sample for sample in load_samples() if sample.channel == "visit")


def test_a_group_is_taken_down_once(tmp_path: Path) -> None:
    with running_house(tmp_path, channels=("web", "visit")) as rig:
        made = hired(rig)
        clerk = Clerk.read(f"{made.name} {made.password} {made.otpauth}")
        assert clerk == Clerk(made.name, made.password, str(pyotp.parse_uri(made.otpauth).secret))
        filed = file_by_visit(Place(rig.url, clerk=clerk), the_group())
        assert filed.repeat == filed.case_no
        case = rig.house.store.read_now(lambda tx: get(tx, filed.case_no))
        assert (case.petition.headcount, len(case.petition.petitioners)) == (13, 1)


def test_a_stranger_takes_down_nothing(tmp_path: Path) -> None:
    with running_house(tmp_path, channels=("web", "visit")) as rig:
        made = hired(rig)
        for clerk in (None, Clerk(made.name, "wrong-wrong-wrong", "JBSWY3DPEHPK3PXP")):
            with pytest.raises(Stuck):
                file_by_visit(Place(rig.url, clerk=clerk), the_group())
