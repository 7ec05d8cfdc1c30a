"""The hotline's operations (热线接口文档) of the OpenAPI document: work orders, and calls for the seats."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from channels import hotline, hotline_calls
from gateway.api.schema import exactly, text

_JSON = "application/json"
_TAG = "政务服务热线"
_SECURED: list[dict[str, list[str]]] = [{"apiKey": []}]

Problems = Callable[..., dict[str, Any]]


def paths(ref: str, number: Callable[[], dict[str, Any]], problems: Problems) -> dict[str, Any]:
    """The paths. ref: where the schemas stand; number: the headers of every answer; problems: by status."""

    def found(words: str, schema: dict[str, Any]) -> dict[str, Any]:
        return {"description": words, "headers": number(), "content": {_JSON: {"schema": schema}}}

    one = {"$ref": f"{ref}OrderForm"}
    batch = {
        "type": "object",
        "properties": {"orders": {"type": "array", "items": one, "maxItems": hotline.ORDERS_MAX}},
        "required": ["orders"],
        "additionalProperties": False,
    }
    procedure = exactly({"case_no": text("已在办理的信访编号"), "status": text("办理状态，给人看的话")})
    entered = {
        "type": "object",
        "required": ["order_no", "case_no", "linked"],
        "properties": {"in_procedure": procedure},
    }
    orders = {
        "operationId": "hotline_orders",
        "tags": [_TAG],
        "summary": "报送12345工单，单件或成批",
        "description": (
            "以工单编号为准，重发不会重复登记；同一编号内容有变的（补充、催办、撤单、状态变化），并入同一事项。"
            "同一人的同一事项已在办理的，应答带 in_procedure：已有的编号和状态；新工单照样登记并关联，"
            "是否并入由工作人员决定。成批时逐件告知结果。"
        ),
        "security": _SECURED,
        "requestBody": {"required": True, "content": {_JSON: {"schema": {"oneOf": [one, batch]}}}},
        "responses": {
            "200": found("并入已有事项", entered),
            "201": found("已登记", entered),
            "207": found("逐件结果", {"type": "object", "required": ["orders"]}),
            **problems(400, 401, 403, 409, 413, 415, 422, 429, 500, 503),
        },
    }
    told = exactly(
        {
            "call_id": text(),
            "event": text(enum=["ringing", "answered", "over"]),
            "seats_open": {"type": "boolean", "description": "现在有没有坐席在线；通话结束时不答"},
        },
        optional=("seats_open",),
    )
    example = {"call_id": "PBX-20261122-000123", "event": "ringing", "number": "15400000001", "line": "12345"}
    calls = {
        "operationId": "hotline_calls",
        "tags": [_TAG],
        "summary": "通报来电，供坐席弹屏",
        "description": (
            "振铃、接起、挂断各报一次，次序不限，重报无妨。没有人接的来电转为回呼任务；"
            "有人接起而没有填写工单的也一样。wish 为来电人要求回呼时说的话。"
        ),
        "security": _SECURED,
        "requestBody": {
            "required": True,
            "content": {_JSON: {"schema": {"$ref": f"{ref}CallEvent"}, "example": example}},
        },
        "responses": {"200": found("已通报", told), **problems(400, 401, 403, 413, 415, 422, 429, 500, 503)},
    }
    return {hotline.PATH: {"post": orders}, hotline_calls.PATH: {"post": calls}}
