"""The key (主密钥): what seals identity data, made once beside the data and never overwritten."""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path

from config.complaint import BadSettings

_FILE = "secret.key"


def load_or_make_key(data: Path) -> bytes:
    """The bytes of `data`/secret.key, made at the first start; raises `BadSettings`.

    The file holds one line of text; that same text in GATEWAY_SECRET_KEY is the same key. It is readable by its owner
    only. A data folder that already holds records but no key is refused: a new key could open none of them.
    """
    path = data / _FILE
    if not path.exists():
        if (data / "gateway.db").exists():
            raise BadSettings((f"{path}: 数据文件夹已有记录,但密钥不见了 (records are here but their key is missing)",))
        _make(path)
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        raise BadSettings((f"{path}: 其他用户可以读取密钥,请执行 chmod 600 (others may read the key; run chmod 600)",))
    key = path.read_bytes().strip()
    if len(key) < 32:
        raise BadSettings((f"{path}: 密钥不完整,请从备份恢复 (the key is cut short; restore it from a backup)",))
    return key


def _make(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f".{_FILE}-{secrets.token_hex(8)}")
    handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as target:
            target.write(secrets.token_hex(32).encode() + b"\n")
            target.flush()
            os.fsync(target.fileno())
        # A link, not a rename: of two processes that start together one wins and the other takes the winner's key.
        os.link(new, path)
    except FileExistsError:
        pass
    finally:
        new.unlink()
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
