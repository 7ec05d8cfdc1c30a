"""What is typed into the correction form becomes values, or words beside the field."""

from __future__ import annotations

from typing import Any

import pytest

from casework.corrections import Corrections
from petition.clock import now
from petition.people import Accused
from petition.petition import Form, LegalPath, LitigationStage, Petition, Purpose, Urgency
from tests.casework.samples import PERSON, WHOLE, Parts


@pytest.fixture(scope="module")
def corrections(parts: Parts) -> Corrections:
    return parts.decisions.corrections


@pytest.fixture(scope="module")
def petition() -> Petition:
    moment = now()
    return Petition(
        case_no="x", form=Form.WEB, raw_id="1", petition_date=moment.date(), received_at=moment, **{**WHOLE}
    )


GOOD: list[tuple[str, str, Any]] = [
    ("title", " 新\u202e标题 ", "新标题"),
    ("requests", "一\n\n 二 \n", ("一", "二")),
    ("purpose", "SUGGESTION", Purpose.SUGGESTION),
    ("purpose", "", None),
    ("urgency", "MAJOR", Urgency.MAJOR),
    ("legal_path", "P2", LegalPath.P2),
    ("litigation_stage", "COURT", LitigationStage.COURT),
    ("category", "04.01", "04.01"),
    ("category", "", ""),
    ("problem_region", "620105", "620105"),
    ("problem_region", "兰州市安宁区", "620105"),
    ("problem_region", "甘肃省 兰州市 安宁区", "620105"),
    ("problem_region", "", ""),
    ("headcount", "１２", 12),
    ("accused", "示例局 / 王 示例 / 局长\n / 李示例\n/\n", (
        Accused(unit="示例局", name="王示例", post="局长"), Accused(name="李示例"))),
    ("confidential", "yes", True),
    ("is_public", "yes", True),
    ("occur_place", "演示路", "演示路"),
    ("content", "第一行\r\n第二行", "第一行\n第二行"),
]  # fmt: skip


@pytest.mark.parametrize(("key", "typed", "value"), GOOD, ids=[f"{key}={typed[:12]!r}" for key, typed, _ in GOOD])
def test_good_values(corrections: Corrections, petition: Petition, key: str, typed: str, value: Any) -> None:
    done = corrections.apply(petition, {key: typed})
    assert (getattr(done.petition, key), done.changed, done.problems) == (value, (key,), ())


BAD = [
    ("title", "长" * 61, "too_long"),
    ("purpose", "EVERYTHING", "choice_unknown"),
    ("urgency", "", "choice_unknown"),
    ("category", "99.99", "category_unknown"),
    ("problem_region", "999999", "region_unknown"),
    ("problem_region", "没有的地方", "region_unknown"),
    ("problem_region", "城关镇", "region_unknown"),  # there are many
    ("headcount", "0", "headcount_shape"),
    ("headcount", "-1", "headcount_shape"),
    ("headcount", "9" * 30, "headcount_shape"),
    ("headcount", "两个", "headcount_shape"),
    ("petitioners.0.id_no", "620199198503120013", "id_check"),
    ("petitioners.0.mobile", "12345", "mobile_invalid"),
    ("petitioners.0.landline", "1", "landline_invalid"),
    ("petitioners.0.email", "nobody", "email_invalid"),
]


@pytest.mark.parametrize(("key", "typed", "code"), BAD, ids=[f"{key}={typed[:12]!r}" for key, typed, _ in BAD])
def test_bad_values_are_said_at_their_field(
    corrections: Corrections, petition: Petition, key: str, typed: str, code: str
) -> None:
    assert [(one.field, one.code) for one in corrections.apply(petition, {key: typed}).problems] == [(key, code)]


def test_people_are_normalised(corrections: Corrections, petition: Petition) -> None:
    typed = {
        "petitioners.0.name": "李 演示",
        "petitioners.0.mobile": "154 0000 0002",
        "petitioners.0.id_type": "PASSPORT",
        "petitioners.0.id_no": "e1234567",
        "petitioners.0.address": "",
    }
    done = corrections.apply(petition, typed)
    person = done.petition.petitioners[0]
    assert done.changed == ("petitioners",)
    assert (person.name, person.mobile, person.id_no, person.address) == ("李演示", "+8615400000002", "E1234567", "")
    assert person.landline == PERSON.landline


def test_the_form_as_shown_changes_nothing(corrections: Corrections, petition: Petition) -> None:
    done = corrections.apply(petition, corrections.typed_of(petition))
    assert (done.petition, done.changed, done.problems) == (petition, (), ())


def test_unknown_fields_and_people_who_are_not_there_are_left_alone(
    corrections: Corrections, petition: Petition
) -> None:
    typed = {"case_no": "other", "status": "CONCLUDED", "petitioners.7.name": "多余", "petitioners.0.role": "AGENT"}
    assert corrections.apply(petition, typed).petition == petition


def test_fields_that_are_not_in_the_form_stay(corrections: Corrections, petition: Petition) -> None:
    assert corrections.apply(petition, {"title": "新"}).petition.category == petition.category
