"""Records (记录编码): petitions and statements to JSON bytes and back, exactly."""

from __future__ import annotations

from pydantic import TypeAdapter

from petition.arrival import Statement
from petition.petition import Petition


class Records:
    """The codec of petition/1; one per process, because building it takes some ten milliseconds."""

    def __init__(self) -> None:
        self._petition = TypeAdapter(Petition)
        self._statement = TypeAdapter(Statement)

    def petition_to_json(self, petition: Petition) -> bytes:
        """petition/1 as UTF-8 JSON, every field there: what other systems get."""
        return self._petition.dump_json(petition)

    def petition_to_store(self, petition: Petition) -> bytes:
        """The same without fields that say nothing: half the bytes to seal, to write and to read."""
        return self._petition.dump_json(petition, exclude_defaults=True)

    def petition_from_json(self, body: bytes) -> Petition:
        """The petition of either form; raises pydantic's ValidationError for anything else."""
        return self._petition.validate_json(body)

    def statement_to_json(self, statement: Statement) -> bytes:
        """What the sender said, as UTF-8 JSON."""
        return self._statement.dump_json(statement)

    def statement_from_json(self, body: bytes) -> Statement:
        """The statement of `statement_to_json`."""
        return self._statement.validate_json(body)

    def petition_schema(self) -> dict[str, object]:
        """JSON Schema (2020-12) of petition/1."""
        return self._petition.json_schema(mode="serialization")
