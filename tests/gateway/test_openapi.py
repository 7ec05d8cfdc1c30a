"""The documents of the API: up to date, true, and kept by every answer that schemathesis can provoke."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest
import requests
import schemathesis
from schemathesis.config import SchemathesisConfig

from config.settings import Settings
from gateway.api.openapi import document, form_example
from gateway.api.schema import PETITION_ID, petition_schema
from gateway.commands.export import masked
from gateway.routes import GUARDS
from scripts.api_docs import ROOT, documents
from store import petitions
from store.records import Records
from tests.houses import API_KEY, Rig, running_house
from tests.signing import SECRET, signed

OPENAPI = ROOT / "docs" / "api" / "openapi.json"
EXAMPLES = 40  # a request of random data costs some 8 ms

# Data may fit the schema and still be wrong: a check digit, a place that does not exist, a case nobody knows.
CONFIG: dict[str, Any] = {
    "seed": 20261122,
    "generation": {"mode": "all", "deterministic": True, "max-examples": EXAMPLES, "database": "none"},
    "checks": {
        "positive_data_acceptance": {"expected-statuses": ["2xx", "400", "401", "404", "409", "413", "422"]},
        "missing_required_header": {"expected-statuses": ["401"]},
    },
}


def _schema() -> Any:
    return schemathesis.openapi.from_path(OPENAPI, config=SchemathesisConfig.from_dict(CONFIG))


schema = _schema()


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    data = tmp_path_factory.mktemp("document")
    with running_house(
        data, way_out_too=True, api_keys=(f"sample:{API_KEY}",), routing_secret=SECRET, max_body=1 << 20
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


@schema.parametrize()
def test_every_answer_is_declared(case: Any, rig: Rig, session: requests.Session, seen: Counter[str]) -> None:
    answer = case.call_and_validate(base_url=rig.url, session=session)
    seen[f"{case.method} {case.path} {answer.status_code}"] += 1
