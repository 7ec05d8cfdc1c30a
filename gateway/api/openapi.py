"""The OpenAPI document (接口文档): what machines may ask of this house, and every answer they can get."""

from __future__ import annotations

import json
from datetime import date, datetime
from typing import Any

from aiohttp import web
from pydantic import TypeAdapter

from channels import hotline, rest
from channels.hotline_calls import CallEvent
from channels.hotline_form import OrderForm
from channels.rest_form import FILES_MAX, PetitionForm
from config.settings import Settings
from dispatch.events import StatusEvent
from gateway.api import hotline_document, petitions
from gateway.api.health import METRICS_TYPE
from gateway.api.schema import Schema, answers, petition_schema, text
from petition import numbering
from petition.clock import SHANGHAI
from petition.petition import Form
from store.records import Records

PATH = "/api/v1/openapi.json"
PETITION_PATH = "/api/v1/petition-1.schema.json"
VERSION = "1.0.0"
PROBLEM = "application/problem+json"
KEY_EXAMPLE = "3f1c2a9e-5b7d-4e0a-9c61-0d2f7a8b4e15"
_JSON = "application/json"
_REF = "#/components/schemas/"

# (status, code) -> words; the answers several operations share.
_PROBLEMS = {
    400: ("unreadable", "请求无法读取：不是 JSON，或多部分请求的写法有误。"),
    401: ("forged", "签名或接口密钥不对。"),
    403: ("forbidden", "没有设置接口密钥，或没有权限。"),
    404: ("not_found", "没有这个编号，或查询码不对；两种情况的应答相同。"),
    409: ("idempotency_conflict", "同一个 Idempotency-Key 已用于另一份内容。"),
    413: ("too_large", "请求正文、附件或附件个数超过限制。"),
    415: ("unsupported_type", "Content-Type 应为 application/json 或 multipart/form-data。"),
    422: ("invalid", "读得懂，但有字段需要修改；errors 逐一列出。"),
    429: ("too_many", "请求过于频繁，按 Retry-After 的秒数等待。"),
    500: ("error", "系统出错；来件若未收到201，请用同一个 Idempotency-Key 重试。"),
    503: ("unavailable", "系统繁忙或正在停止，按 Retry-After 的秒数等待后用同一个 Idempotency-Key 重试。"),
}


class OpenApi:
    """Serves the document and the schema of petition/1; both are made once, when the house is put together."""

    def __init__(self, records: Records, settings: Settings) -> None:
        self._document = _written(document(settings))
        self._petition = _written(petition_schema(records))

    def routes(self) -> list[web.RouteDef]:
        """Both documents."""
        return [web.get(PATH, self.show), web.get(PETITION_PATH, self.show_petition)]

    async def show(self, request: web.Request) -> web.Response:
        """The OpenAPI document."""
        return web.Response(body=self._document, content_type=_JSON)

    async def show_petition(self, request: web.Request) -> web.Response:
        """JSON Schema of petition/1."""
        return web.Response(body=self._petition, content_type="application/schema+json")


def document(settings: Settings) -> dict[str, Any]:
    """The OpenAPI 3.1 document for these settings: only the doors that are open."""
    schemas: dict[str, Schema] = answers()
    forms: tuple[tuple[str, Any], ...] = (
        ("PetitionForm", PetitionForm),
        ("OrderForm", OrderForm),
        ("CallEvent", CallEvent),
        ("StatusEvent", StatusEvent),
    )
    for name, kind in forms:
        # ref_template: pydantic's own definitions move to the components of the document.
        schema = TypeAdapter(kind).json_schema(ref_template=_REF + "{model}")
        schemas |= schema.pop("$defs", {})
        schemas[name] = schema
    paths = {
        f"{rest.PATH}/{{case_no}}": {"get": _track()},
        "/api/v1/routing/events": {"post": _event()},
        PATH: {"get": _document("openapi", "本文档", _JSON)},
        PETITION_PATH: {"get": _document("petition_schema", "petition/1 的 JSON Schema", "application/schema+json")},
        "/healthz": {"get": _health("alive", "进程是否活着")},
        "/readyz": {"get": _health("ready", "能否受理", 503)},
        "/metrics": {"get": _metrics()},
    }
    if rest.NAME in settings.channels:
        paths = {rest.PATH: {"post": _file(settings)}} | paths
    if hotline.NAME in settings.channels:
        paths |= hotline_document.paths(_REF, _number, _problems)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "信访受理网关接口 Petition gateway API",
            "version": VERSION,
            "description": "来件 → 台账 → petition/1 → 转送。201 表示已写入台账，不会丢失。时间均为北京时间。",
        },
        "servers": [{"url": settings.public_url}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "queryCode": _secret(petitions.CODE, "回执上的查询码"),
                "apiKey": _secret(petitions.KEY, "系统之间的接口密钥"),
            },
        },
    }


def _file(settings: Settings) -> dict[str, Any]:
    form = {"$ref": f"{_REF}PetitionForm"}
    body, upload = int(settings.max_body), int(settings.max_upload)
    limits = f"正文最大 {body} 字节；附件最多 {FILES_MAX} 个，每个最大 {upload} 字节；合计最大 {body + upload} 字节。"
    parts = {
        "type": "object",
        "properties": {
            "petition": form,
            "attachments": {
                "type": "array",
                "maxItems": FILES_MAX,
                "items": text(format="binary", minLength=1),
            },
        },
        "required": ["petition"],
        "additionalProperties": False,
    }
    created = {
        **_json("Receipt", "已登记。同样的请求再来一次，得到同一份回执。", receipt_example(settings)),
        "headers": {"Location": {"schema": text(), "description": "查询进度的路径"}},
    }
    return {
        "operationId": "file_petition",
        "tags": ["信访事项"],
        "summary": "提交信访事项",
        "description": f"只有 content 必填；没有说的由网关识别或由工作人员询问。{limits}",
        "parameters": [
            {
                "name": rest.KEY,
                "in": "header",
                "required": False,
                "description": "8到200个可见ASCII字符，建议用UUID；超时后用同一个值重试，不会重复登记",
                "schema": text(pattern="^[!-~]{8,200}$"),
                "example": KEY_EXAMPLE,
            }
        ],
        "requestBody": {
            "required": True,
            "content": {
                _JSON: {"schema": form, "examples": {"suggestion": {"value": form_example()}}},
                "multipart/form-data": {
                    "schema": parts,
                    "encoding": {"petition": {"contentType": _JSON}},
                },
            },
        },
        "responses": {"201": created, **_problems(400, 409, 413, 415, 422, 429, 500, 503)},
    }


def _track() -> dict[str, Any]:
    return {
        "operationId": "track_petition",
        "tags": ["信访事项"],
        "summary": "查询办理进度",
        "description": "信访人凭查询码，系统凭接口密钥。检举控告只显示已转有权机关（《信访工作条例》第三十条）。",
        "security": [{"queryCode": []}, {"apiKey": []}],
        "parameters": [
            {
                "name": "case_no",
                "in": "path",
                "required": True,
                "description": "信访编号；空格、连字符、全角和小写都可以",
                "schema": text(minLength=1),
                "example": _case_no(),
            }
        ],
        "responses": {"200": _json("Standing", "办理进度"), **_problems(401, 404, 429, 500, 503)},
    }


def _event() -> dict[str, Any]:
    signed = (
        ("webhook-id", "事件编号，重发时不变", "msg_2f8c1d"),
        ("webhook-timestamp", "秒，与本机时间相差不超过五分钟", "1795000000"),
        ("webhook-signature", "v1,base64(HMAC-SHA256(id.timestamp.body))", "v1,c2FtcGxl"),
    )
    example = {"case_no": _case_no(), "event_id": "evt-0001", "event": "accept", "at": "2026-11-25T09:30:00+08:00"}
    return {
        "operationId": "routing_event",
        "tags": ["转送系统"],
        "summary": "转送系统回传办理状态",
        "description": "按 Standard Webhooks 签名；同一事件编号只生效一次，状态不会倒退。没有设置转送系统时答404。",
        "parameters": [
            {"name": name, "in": "header", "required": True, "description": words, "schema": text(), "example": one}
            for name, words, one in signed
        ],
        "requestBody": {
            "required": True,
            "content": {_JSON: {"schema": {"$ref": f"{_REF}StatusEvent"}, "example": example}},
        },
        "responses": {"200": _json("Applied", "已记录"), **_problems(400, 401, 404, 413, 422, 429, 500, 503)},
    }


def _document(name: str, words: str, media_type: str) -> dict[str, Any]:
    found = {"description": words, "headers": _number(), "content": {media_type: {"schema": {"type": "object"}}}}
    return {
        "operationId": name,
        "tags": ["运维"],
        "summary": words,
        "responses": {"200": found, **_problems(500, 503)},
    }


def _health(name: str, words: str, *statuses: int) -> dict[str, Any]:
    return {
        "operationId": name,
        "tags": ["运维"],
        "summary": words,
        "responses": {"200": _json("Health", words), **_problems(500, *(statuses or (503,)))},
    }


def _metrics() -> dict[str, Any]:
    found = {"description": "Prometheus 文本", "headers": _number(), "content": {METRICS_TYPE: {"schema": text()}}}
    return {
        "operationId": "metrics",
        "tags": ["运维"],
        "summary": "运行指标",
        "responses": {"200": found, **_problems(500, 503)},
    }


def _json(name: str, words: str, example: object = None) -> dict[str, Any]:
    content: dict[str, Any] = {"schema": {"$ref": _REF + name}}
    if example is not None:
        content["example"] = example
    return {"description": words, "headers": _number(), "content": {_JSON: content}}


def _problems(*statuses: int) -> dict[str, Any]:
    return {str(status): _problem(status) for status in statuses}


def _problem(status: int) -> dict[str, Any]:
    code, words = _PROBLEMS[status]
    example: dict[str, Any] = {"type": "about:blank", "title": code, "status": status, "code": code, "detail": words}
    if status == 422:
        example["errors"] = [{"field": "petitioners.0.mobile", "code": "mobile", "detail": "手机号码应为11位数字。"}]
    headers = _number()
    if status in (429, 503):
        headers["Retry-After"] = {"schema": {"type": "integer", "minimum": 1}, "description": "秒"}
    schema = {"$ref": f"{_REF}Problem"}
    return {"description": words, "headers": headers, "content": {PROBLEM: {"schema": schema, "example": example}}}


def _secret(name: str, words: str) -> dict[str, str]:
    return {"type": "apiKey", "in": "header", "name": name, "description": words}


def _number() -> dict[str, Any]:
    return {"X-Request-Id": {"schema": text(), "description": "本次请求的编号，报障时请提供"}}


def form_example() -> dict[str, Any]:
    """A fictional petition as an app sends it."""
    return {
        "form": "APP",
        "petitioners": [
            {
                "name": "李演示",
                "id_type": "RESIDENT_ID",
                "id_no": "620199199007260029",
                "mobile": "15400000002",
                "address": "兰州市安宁区样例路2号",
            }
        ],
        "title": "建议在样例小学门口增设红绿灯",
        "content": "样例小学门口是丁字路口，上放学时段车多人多，建议增设信号灯并施划等候区。",
        "requests": ["论证增设信号灯"],
        "purpose": "SUGGESTION",
        "problem_region": "620105",
        "is_public": True,
        "privacy_notice_version": "2026-11",
    }


def receipt_example(settings: Settings) -> dict[str, str]:
    """A fictional receipt."""
    number = _case_no()
    return {
        "case_no": number,
        "query_code": "7M2K-9QXA-4TBD",
        "received_at": datetime(2026, 11, 22, 9, 30, tzinfo=SHANGHAI).isoformat(),
        "track_url": f"{settings.public_url}/track?no={number}",
    }


def _case_no() -> str:
    return numbering.case_no("620000", Form.APP, date(2026, 11, 22), 1)


def _written(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
