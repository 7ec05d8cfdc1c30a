"""Complaints (设置有误): what is wrong with a setting, in words for whoever runs the house."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# By pydantic's stable error type. {} is the limit, where there is one.
_WORDS = {
    "int_parsing": "应为整数 (must be a whole number)",
    "int_from_float": "应为整数 (must be a whole number)",
    "float_parsing": "应为数字 (must be a number)",
    "finite_number": "应为有限的数字 (must be a finite number)",
    "greater_than_equal": "不得小于 {} (must be at least {})",
    "greater_than": "必须大于 {} (must be more than {})",
    "less_than_equal": "不得大于 {} (must be at most {})",
    "literal_error": "应为 {} 之一 (must be one of these)",
    "string_too_short": "不能为空 (must not be empty)",
    "string_type": "应为文字 (must be text)",
    "byte_size": "应为字节数,例如 20MiB (must be a number of bytes such as 20MiB)",
    "byte_size_unit": "不认识的单位,例如 20MiB (unknown unit; write it like 20MiB)",
    "path_type": "应为文件夹路径 (must be a folder)",
    "extra_forbidden": "没有这项设置 (there is no such setting)",
}


class BadSettings(ValueError):
    """Settings that cannot be used; `lines` name each setting and what is wrong, without any secret."""

    def __init__(self, lines: tuple[str, ...]) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


def complaint(error: Mapping[str, Any], prefix: str) -> str:
    """One pydantic error as a line that names the setting; the value itself is never shown."""
    if error["type"] == "value_error":
        words = str(error["ctx"]["error"])
    else:
        limits = [
            f"{value:g}" if isinstance(value, int | float) else str(value) for value in error.get("ctx", {}).values()
        ]
        words = _WORDS.get(error["type"], "写法不对 (not valid): " + error["msg"])
        words = words.replace("{}", limits[0]) if limits else words
    if not error["loc"]:
        return words
    return f"{prefix}{str(error['loc'][0]).upper()}: {words}"
