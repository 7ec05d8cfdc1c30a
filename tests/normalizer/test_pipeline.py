"""The pipeline as a whole: the twelve samples, a hundred letters, hostile texts, order, failure and time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from normalizer.candidates import NoCandidates
from normalizer.draft import Draft
from normalizer.pipeline import Pipeline, ReadingParts, StageFailed, build
from petition.people import Person, Role
from petition.petition import Lane, Purpose
from tests.normalizer.conftest import arrival
from tests.normalizer.fresh_letters import FRESH, HELD_OUT
from tests.normalizer.letters import TUNED, Letter
from tests.normalizer.samples import SAMPLES, Sample

Read = Callable[..., Draft]


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.title[:12])
def test_the_twelve_samples(read: Read, sample: Sample) -> None:
    people = (sample.person,) if sample.person else ()
    draft = read(
        form=sample.form,
        petitioners=people,
        title=sample.title,
        content=sample.content,
        requests=(sample.request,),
    )
    assert draft.problem_region[:6] == sample.region
    assert draft.category_proposals[0].code == sample.category
    assert draft.category == sample.category
    assert draft.purpose is sample.purpose
    assert draft.urgency is sample.urgency
    assert draft.legal_path is sample.path
    assert draft.headcount == sample.headcount
    for flag in ("is_group", "is_joint_letter", "is_anonymous", "confidential", "litigation_related"):
        expected = flag in sample.flags or (flag == "is_group" and sample.headcount >= 5)
        assert getattr(draft, flag) is expected, flag
    assert sample.notes <= {note.code for note in draft.notes}
    assert draft.lane is (Lane.SEALED if sample.purpose is Purpose.ACCUSATION else Lane.NORMAL)
    assert not draft.problems


def test_the_agent_of_sample_twelve_is_a_person_of_the_case(read: Read) -> None:
    sample = SAMPLES[11]
    assert sample.person is not None
    draft = read(petitioners=(sample.person,), title=sample.title, content=sample.content)
    principal, agent = draft.petitioners
    assert (principal.role, principal.name) == (Role.PRINCIPAL, "吴样例")
    assert (agent.role, agent.name) == (Role.AGENT, "钱代理")
    assert (agent.mobile, agent.id_no) == ("+8615400000012", "620199198704040158")


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.title[:12])
def test_what_was_stated_wins(read: Read, sample: Sample) -> None:
    draft = read(
        title=sample.title,
        content=sample.content,
        purpose=Purpose.CONSULT,
        category="17",
        problem_region="650102",
        headcount=3,
        confidential=False,
    )
    assert (draft.purpose, draft.category, draft.problem_region) == (Purpose.CONSULT, "17", "650102")
    assert (draft.headcount, draft.confidential) == (3, False)
    assert draft.category_proposals[0].code == sample.category
    for field in ("purpose", "category", "problem_region", "headcount", "confidential"):
        assert (draft.evidence[field].source, draft.evidence[field].confidence) == ("stated", 1.0)


def _figures(read: Read, letters: tuple[Letter, ...]) -> dict[str, float]:
    right: dict[str, int] = dict.fromkeys(("top1", "top3", "region", "purpose", "urgency", "litigation"), 0)
    for letter in letters:
        people = (Person(name="张示例", address=letter.address),)
        draft = read(petitioners=people, content=letter.content, title=letter.title)
        proposals = [row.code for row in draft.category_proposals]
        wanted = letter.category.split()
        right["top1"] += bool(proposals) and proposals[0] in wanted
        right["top3"] += any(code in wanted for code in proposals)
        places = letter.region.split()
        right["region"] += draft.problem_region[:6] in places if places else not draft.problem_region
        right["purpose"] += draft.purpose is not None and draft.purpose.value in letter.purpose.split()
        right["urgency"] += draft.urgency.value in letter.urgency.split()
        right["litigation"] += draft.litigation_related is letter.litigation
    return {name: count / len(letters) for name, count in right.items()}


FLOORS = [
    ("known letters", TUNED + FRESH, {"top1": 0.95, "top3": 0.97, "region": 1.0, "purpose": 0.97, "urgency": 0.97}),
    ("held out", HELD_OUT, {"top1": 0.75, "top3": 0.83, "region": 0.95, "purpose": 0.9, "urgency": 0.9}),
]


@pytest.mark.parametrize(("label", "letters", "floors"), FLOORS, ids=[row[0] for row in FLOORS])
def test_letters_are_read_well_enough(
    read: Read, label: str, letters: tuple[Letter, ...], floors: dict[str, float]
) -> None:
    figures = _figures(read, letters)
    assert {name: figures[name] for name, floor in floors.items() if figures[name] < floor} == {}
    assert figures["litigation"] >= 0.95


def test_evidence_points_at_the_words(read: Read) -> None:
    draft = read(title="反映欠薪", content="我在肃州区示例工地干活,欠我工资3万元,电话15400000001。")
    place = draft.evidence["problem_region"]
    assert place.span is not None
    assert draft.content[slice(*place.span)] == "肃州区"
    record = draft.to_petition("620000W2026112200001X", draft.received_at)
    assert record.evidence == draft.evidence
    assert record.notes == tuple(draft.notes)
    assert record.amounts == (30000.0,)


def test_the_order_is_visible(pipeline: Pipeline) -> None:
    names = [stage.name for stage in pipeline.stages]
    before, after = ["text", "people", "region", "purpose", "category", "urgency"], ["legal_path", "repeats", "remit"]
    assert names == [*before, "theme", *after]


def test_a_broken_stage_is_named() -> None:
    class Broken:
        name = "broken"

        def __call__(self, draft: Draft) -> None:
            raise ZeroDivisionError("inside")

    with pytest.raises(StageFailed) as caught:
        Pipeline((Broken(),)).read(Draft.of(arrival(content="字")))
    assert (caught.value.stage, caught.value.code) == ("broken", "stage_failed")
    assert isinstance(caught.value.cause, ZeroDivisionError)


HOSTILE = [
    ("nothing", ""),
    ("nul", "欠薪\x00三万\x00元"),
    ("bidi", "请\u202e三万元\u202c支付\u2066"),
    ("emoji", "👨‍👩‍👧‍👦工资😡拖欠" * 50),
    ("rare han", "𠮷𪚥龘" * 500 + "欠薪"),
    ("a megabyte", "城关镇工资" * 210_000),
    ("digits", "1" * 100_000),
    ("han digits", "一百万" * 33_000),
    ("marks", "a" + "\u0316\u0301" * 200_000),
    ("surrogate", "工资\ud800拖欠"),
    ("brackets", "(((" * 30_000),
    ("towns", "城关镇" * 6_000),
    ("greetings", "尊敬的领导您好," * 20_000),
    ("items", "1、2、3、" * 20_000),
    ("years", "2026年1月至" * 10_000),
    ("lines", "\r\n" * 200_000),
    ("agents", "委托代理人示例," * 10_000),
    ("headings", "诉求:" * 30_000),
    ("accused", "举报举报的的" * 20_000),
    ("blanks", "你 " * 100_000),
]


@pytest.mark.parametrize("text", [row[1] for row in HOSTILE], ids=[row[0] for row in HOSTILE])
def test_hostile_texts_take_bounded_time(read: Read, text: str) -> None:
    started = time.process_time()
    draft = read(content=text, title=text[:300], requests=(text[:5000],), petitioners=(Person(name=text[:50]),))
    assert time.process_time() - started < 2.0
    assert not {"\x00", "\u202e", "\ud800"} & set(draft.content)
    draft.content.encode()
    draft.to_petition("620000W2026112200001X").title.encode()


def test_a_long_text_is_kept_whole(read: Read) -> None:
    text = "我反映供暖不热。" * 10_000
    draft = read(content=text)
    assert draft.content == text
    assert "TEXT_LONG" in {note.code for note in draft.notes}


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    content=st.one_of(
        st.text(max_size=400),
        st.text("年月日零一二三四五六七八九十百千万亿元块0123456789.,至-名人户等县市区镇省的(\n：、１", max_size=200),
    ),
    name=st.text(max_size=30),
    number=st.text("0123456789X-+ 转", max_size=30),
)
def test_any_text_can_be_read(pipeline: Pipeline, content: str, name: str, number: str) -> None:
    numbers: dict[str, Any] = dict.fromkeys(("id_no", "mobile", "landline", "uscc", "region_code"), number)
    person = Person(name=name, address=content, **numbers)
    draft = pipeline.read(Draft.of(arrival(content=content, petitioners=(person,), problem_region=number)))
    record = draft.to_petition("620000W2026112200001X")
    record.content.encode()
    passages = {passage.source: passage.text for passage in draft.passages}
    for evidence in record.evidence.values():
        assert 0 <= evidence.confidence <= 1
        if evidence.span is not None and evidence.source in passages:
            assert 0 <= evidence.span[0] < evidence.span[1] <= len(passages[evidence.source])


def test_reading_is_fast(parts: ReadingParts) -> None:
    """The measured figures are a third of these. The best of a few rounds counts: other work may share the cores."""
    pipeline = build(parts, NoCandidates())
    assert min(_cost(lambda: build(parts, NoCandidates())) for _ in range(4)) < 0.4
    content = "".join(letter.content for letter in TUNED)[:600]
    people = (Person(name="张示例", address="兰州市城关区"),)
    event = arrival(content=content, title="反映几件事", petitioners=people)
    assert min(_cost(lambda: pipeline.read(Draft.of(event))) for _ in range(50)) < 0.004


def _cost(work: Callable[[], object]) -> float:
    """Processor seconds of one run."""
    started = time.process_time()
    work()
    return time.process_time() - started
