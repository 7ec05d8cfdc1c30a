"""The schemas (接口结构): petition/1 as a JSON Schema document, and the shapes of what the API answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from store.records import Records

DIALECT = "https://json-schema.org/draft/2020-12/schema"
PETITION_ID = "urn:xinfang-gateway:schema:petition-1"
PETITION_VERSION = "1.0.0"  # a new optional field: 1.x.0; another meaning of an old one: petition/2

Schema = dict[str, Any]


def petition_schema(records: Records) -> Schema:
    """JSON Schema (2020-12) of petition/1, the one case format. Every field is always written, empty when not known."""
    schema: Schema = dict(records.petition_schema())
    for one in (schema, *schema["$defs"].values()):
        if one["type"] == "object":
            one["required"] = list(one["properties"])
    del schema["title"]
    return {
        "$schema": DIALECT,
        "$id": PETITION_ID,
        "title": "petition/1",
        "version": PETITION_VERSION,
        **schema,
    }


def text(words: str = "", **more: Any) -> Schema:
    """A string."""
    return {"type": "string", **({"description": words} if words else {}), **more}


def exactly(properties: Mapping[str, Schema], *, optional: tuple[str, ...] = (), **more: Any) -> Schema:
    """An object with these fields and no others."""
    required = [name for name in properties if name not in optional]
    return {
        "type": "object",
        **more,
        "properties": dict(properties),
        "required": required,
        "additionalProperties": False,
    }


def answers() -> dict[str, Schema]:
    """The shapes of all answers, by name."""
    moment = text(format="date-time")
    unit = {
        "oneOf": [{"type": "null"}, exactly({"code": text(), "name": text()})],
        "description": "承办单位，尚未转送或依法保密时为 null",
    }
    step = exactly({"at": moment, "status_words": text(), "words": text(), "unit": unit, "document": text()})
    deadline = exactly(
        {
            "title": text(),
            "state": text("waiting 未开始， running 进行中， late 超期， done 已完成"),
            "words": text(),
            "last_day": {"oneOf": [{"type": "null"}, text(format="date")]},
            "article": text("依据条款"),
            "provisional": {"type": "boolean", "description": "当年放假安排公布前为暂定"},
        }
    )
    return {
        "Problem": exactly(
            {
                "type": text(),
                "title": text(),
                "status": {"type": "integer", "minimum": 400, "maximum": 599},
                "code": text("固定不变的代码，程序据此判断", pattern="^[a-z0-9_]+$"),
                "detail": text("给人看的说明"),
                "retryable": {"type": "boolean", "description": "原样重试是否可能成功"},
                "errors": {
                    "type": "array",
                    "description": "需要修改之处，最多列50处",
                    "items": exactly({"field": text("路径，如 petitioners.0.id_no"), "code": text(), "detail": text()}),
                },
            },
            optional=("retryable", "errors"),
            description="RFC 9457",
        ),
        "Receipt": exactly(
            {
                "case_no": text("信访编号，末位为校验码"),
                "query_code": text("查询码；只在这里告知，系统只保存摘要", pattern="^[0-9A-HJKMNP-TV-Z-]{12,14}$"),
                "received_at": moment,
                "track_url": text(format="uri"),
            },
            description="回执；登记已写入台账之后才会给出",
        ),
        "Standing": exactly(
            {
                "case_no": text(),
                "form": text("信访形式"),
                "received_at": moment,
                "status": text("办理状态；检举控告为空"),
                "status_words": text("办理状态，给信访人看的话"),
                "unit": unit,
                "timeline": {"type": "array", "items": step},
                "deadlines": {"type": "array", "items": deadline},
                "documents": {"type": "array", "items": exactly({"at": moment, "code": text(), "name": text()})},
            },
            description="办理进度",
        ),
        "Applied": exactly(
            {
                "case_no": text(),
                "result": text(enum=["moved", "noted", "waiting", "late", "repeated"]),
                "status": text(),
            },
            description="状态回传的结果",
        ),
        "Health": exactly({"status": text()}),
    }
