"""Address (监听地址): host and port of a door."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Address:
    """Where a door listens. Port 0 lets the system choose."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def read_address(text: str) -> Address:
    """`host:port` or `[::1]:port`; raises ValueError with words."""
    host, colon, port = text.strip().rpartition(":")
    bare = host.removeprefix("[").removesuffix("]")
    if not colon or not bare or (":" in bare and bare == host) or not re.fullmatch("[0-9]{1,5}", port):
        raise ValueError("应为 主机:端口 (must be host:port)")
    if int(port) > 65535:
        raise ValueError("端口不得大于 65535 (the port is beyond 65535)")
    return Address(bare, int(port))
