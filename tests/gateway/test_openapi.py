"""The documents of the API: up to date, true, and kept by every answer that schemathesis can provoke."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest
import requests
import schemathesis
from schemathesis.checks import negative_data_rejection
from schemathesis.config import SchemathesisConfig

from channels import rest_form
from channels.registry import DOORS
from channels.rest import KEY
from config.settings import Settings
from gateway import errors
from gateway.api.events import EVENT_MAX
from gateway.api.openapi import KEY_EXAMPLE, document, form_example
from gateway.api.schema import PETITION_ID, petition_schema
from gateway.commands.export import masked
from gateway.routes import GUARDS
from normalizer.intake import IdempotencyConflict
from petition.errors import LowDisk, PetitionError
from scripts.api_docs import ROOT, documents
from store import petitions
from store.records import Records
from tests.houses import API_KEY, Rig, running_house
from tests.signing import SECRET, signed

# aiohttp-jinja2 1.6 still names its request values by words.
pytestmark = pytest.mark.filterwarnings("ignore::aiohttp.web_exceptions.NotAppKeyWarning")

OPENAPI = ROOT / "docs" / "api" / "openapi.json"
EXAMPLES = 25  # a request of random data costs some 8 ms

# Data may fit the schema and still be wrong: a check digit, a place that does not exist, a case nobody knows.
CONFIG: dict[str, Any] = {
    "seed": 20261122,
    "generation": {"mode": "all", "deterministic": True, "max-examples": EXAMPLES, "database": "none"},
    "checks": {
        "positive_data_acceptance": {"expected-statuses": ["2xx", "400", "401", "404", "409", "413", "422", "429"]},
        "missing_required_header": {"expected-statuses": ["401"]},
    },
}


def _schema() -> Any:
    return schemathesis.openapi.from_path(OPENAPI, config=SchemathesisConfig.from_dict(CONFIG))


schema = _schema()


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    data = tmp_path_factory.mktemp("document")
    keys = (f"sample:{API_KEY}",)
    proxies = ("127.0.0.0/8",)
    with running_house(
        data,
        way_out_too=True,
        api_keys=keys,
        routing_secret=SECRET,
        trusted_proxies=proxies,
        channels=tuple(DOORS),
    ) as running:
        yield running


@pytest.fixture(scope="module")
def seen(rig: Rig) -> Iterator[Counter[str]]:
    """How often each answer came; at the end it is said, and must show that the tests reached the inside."""
    counted: Counter[str] = Counter()
    yield counted
    print(f"\nschemathesis: {sum(counted.values())} requests: {dict(sorted(counted.items()))}")


@pytest.fixture(scope="module")
def session() -> Iterator[requests.Session]:
    with requests.Session() as opened:
        opened.trust_env = False
        yield opened


def elsewhere(seen: Counter[str]) -> dict[str, str]:
    """A new address for every request, as a trusted proxy reports it: nobody asks too often."""
    number = sum(seen.values())
    return {"X-Forwarded-For": f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"}


@pytest.mark.slow
@schema.parametrize()  # type: ignore[untyped-decorator]
def test_every_answer_is_declared(case: Any, rig: Rig, session: requests.Session, seen: Counter[str]) -> None:
    if case.headers.get(KEY) == KEY_EXAMPLE:  # the petition before it had the same key
        case.headers[KEY] = f"sample-{sum(seen.values()):08}"
    # The text of a part has no type: what breaks the schema as a value may be a good file as bytes.
    untyped = [negative_data_rejection] if case.media_type == "multipart/form-data" else []
    answer = case.call_and_validate(base_url=rig.url, session=session, headers=elsewhere(seen), excluded_checks=untyped)
    seen[f"{case.method} {case.path} {answer.status_code}"] += 1


EVENTS = schema.include(path="/api/v1/routing/events")


@pytest.mark.slow
@EVENTS.parametrize()  # type: ignore[untyped-decorator]
def test_signed_events_of_every_kind(case: Any, rig: Rig, session: requests.Session, seen: Counter[str]) -> None:
    """With a good seal the body is looked at; without it the test above learns nothing but 401."""
    how = case.as_transport_kwargs(base_url=rig.url)
    prepared = requests.Request(**{name: how.get(name) for name in ("method", "url", "json", "data")}).prepare()
    body: Any = prepared.body or b""
    sealed = signed(body.encode() if isinstance(body, str) else body, f"evt-{sum(seen.values())}")
    answer = case.call_and_validate(
        base_url=rig.url,
        session=session,
        headers={**elsewhere(seen), **sealed},
        excluded_checks=[negative_data_rejection],
    )
    seen[f"signed event {answer.status_code}"] += 1


@pytest.mark.slow
@schema.include(path="/api/v1/petitions", method="POST").parametrize()  # type: ignore[untyped-decorator]
def test_good_petitions_come_in(case: Any, rig: Rig, session: requests.Session, seen: Counter[str]) -> None:
    """Random data around a good petition: now and then one must be taken in, or the tests never see a 201."""
    if case.media_type != "application/json" or not isinstance(case.body, dict):
        return
    kept = {name: case.body[name] for name in ("title", "headcount", "purpose", "is_public") if name in case.body}
    case.body = {**form_example(), **kept}
    case.headers[KEY] = f"sample-{sum(seen.values()):08}"
    answer = case.call_and_validate(
        base_url=rig.url, session=session, headers=elsewhere(seen), excluded_checks=[negative_data_rejection]
    )
    seen[f"good petition {answer.status_code}"] += 1


@pytest.mark.slow
def test_the_machine_reached_the_inside(seen: Counter[str], rig: Rig) -> None:
    """Last of the random tests: enough was asked, the answers of interest came, nothing was unexpected, no gap."""
    assert sum(seen.values()) > 300
    for wanted in ("good petition 201", "POST /api/v1/petitions 422", "signed event 404", "signed event 422"):
        assert seen[wanted], wanted
    assert rig.stumbles() == []
    assert rig.gap() == 0


def test_the_documents_are_up_to_date() -> None:
    for path, text in documents().items():
        assert path.read_text(encoding="utf-8") == text, f"{path.name}: run `python -m scripts.api_docs --write`"


def test_every_machine_route_is_documented() -> None:
    paths = json.loads(OPENAPI.read_bytes())["paths"]
    told = {(method.upper(), path) for path, methods in paths.items() for method in methods}
    machines = ("/api/", "/healthz", "/readyz", "/metrics")
    assert told == {route for route in GUARDS if route[1].startswith(machines)}


def test_only_open_doors_are_documented() -> None:
    assert "/api/v1/petitions" not in document(Settings(channels=("web",)))["paths"]


def test_the_house_serves_the_same_documents(rig: Rig) -> None:
    for path, name in (("openapi.json", "openapi.json"), ("petition-1.schema.json", "petition-1.schema.json")):
        served = rig.client.get(f"/api/v1/{path}").json()
        assert served == json.loads((ROOT / "docs" / "api" / name).read_bytes())


@pytest.fixture(scope="module")
def validator() -> Any:
    return jsonschema_rs.Draft202012Validator(petition_schema(Records()), validate_formats=True)


class TestPetitionSchema:
    def test_it_says_what_it_is(self) -> None:
        made = petition_schema(Records())
        assert (made["$id"], made["title"]) == (PETITION_ID, "petition/1")
        assert made["$schema"].endswith("2020-12/schema")
        jsonschema_rs.meta.validate(made)

    def test_every_petition_in_the_house_fits(self, rig: Rig, validator: Any) -> None:
        assert rig.client.post("/api/v1/petitions", json=form_example()).status_code == 201
        records = rig.house.store.records
        cases = rig.house.store.read_now(lambda tx: list(petitions.every(tx)))
        assert cases
        for case in cases:
            for petition in (case.petition, masked(case.petition)):
                validator.validate(json.loads(records.petition_to_json(petition)))

    @pytest.mark.parametrize(
        ("label", "change"),
        [
            ("another format", {"schema": "petition/2"}),
            ("an unknown form", {"form": "TELEX"}),
            ("a date that is none", {"petition_date": "yesterday"}),
            ("a moment without day", {"received_at": "09:30"}),
            ("a headcount in words", {"headcount": "三"}),
            ("people as text", {"petitioners": ["张示例"]}),
            ("no raw id", {"raw_id": None}),
        ],
    )
    def test_what_is_no_petition_does_not_fit(
        self, rig: Rig, validator: Any, label: str, change: dict[str, Any]
    ) -> None:
        assert rig.client.post("/api/v1/petitions", json=form_example()).status_code == 201
        case = next(iter(rig.house.store.read_now(lambda tx: list(petitions.every(tx)))))
        good = json.loads(rig.house.store.records.petition_to_json(case.petition))
        assert validator.is_valid(good)
        assert not validator.is_valid({**good, **change}), label
        missing = {name: value for name, value in good.items() if name != next(iter(change))}
        assert not validator.is_valid(missing), "every field is always written"


class TestPage:
    """docs/api.md for people says the same as the documents for machines."""

    PAGE = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")

    def test_every_path_and_error_stands_there(self) -> None:
        told = json.loads(OPENAPI.read_bytes())
        for path in told["paths"]:
            assert path in self.PAGE
        codes = {kind.code for kind, _ in errors.STATUS} | set(errors.CODES.values())
        for code in codes | {PetitionError.code, LowDisk.code, IdempotencyConflict.code}:
            assert f"`{code}`" in self.PAGE, code

    def test_every_field_of_a_petition_stands_there(self) -> None:
        form = json.loads(OPENAPI.read_bytes())["components"]["schemas"]["PetitionForm"]
        assert [name for name in form["properties"] if f"`{name}" not in self.PAGE] == []

    def test_the_example_is_taken_in(self, rig: Rig) -> None:
        body = re.search(r"-d '(\{.*?\n  \})'", self.PAGE, re.S)
        assert body is not None
        answer = rig.client.post(
            "/api/v1/petitions", content=body[1].encode(), headers={"Content-Type": "application/json"}
        )
        assert answer.status_code == 201, answer.text
        receipt = re.search(r'```json\n(\{"case_no".*?\})\n```', self.PAGE, re.S)
        assert receipt is not None
        assert json.loads(receipt[1]).keys() == answer.json().keys()

    def test_the_limits_are_the_defaults(self) -> None:
        fields = Settings.model_fields
        assert (fields["max_body"].default, fields["max_upload"].default) == (1 << 20, 50 << 20)
        assert (fields["rate_per_minute"].default, rest_form.FILES_MAX, EVENT_MAX) == (300, 70, 64 << 10)
