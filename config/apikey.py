"""API keys (接口密钥): who may file or ask by the API."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pydantic import SecretStr


@dataclass(frozen=True, slots=True)
class ApiKey:
    """The key of one machine that files or asks by the API. name: who it is, in logs and audit rows."""

    name: str
    key: SecretStr


def read_api_key(text: str) -> ApiKey:
    """`name:key`; raises ValueError with words that do not show the key."""
    name, colon, key = text.partition(":")
    if not colon or not re.fullmatch(r"[\w.-]{1,64}", name):
        raise ValueError("应写作 名称:密钥,逗号分隔 (must be name:key, separated by commas)")
    if len(key) < 16:
        raise ValueError(f"{name} 的密钥不足16个字符 (the key of {name} has fewer than 16 characters)")
    return ApiKey(name, SecretStr(key))
