"""multipart/form-data as bytes, so that a test knows every one of them."""

from __future__ import annotations


def multipart(*parts: tuple[str, bytes, str | None], kind: str = "application/octet-stream") -> tuple[bytes, str]:
    """(body, content type) of multipart/form-data. parts: (field, body, file name or None for a plain field)."""
    boundary = "----sample-boundary"
    body = b""
    for name, piece, file in parts:
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"'
        head += f'; filename="{file}"\r\nContent-Type: {kind}' if file is not None else ""
        body += head.encode() + b"\r\n\r\n" + piece + b"\r\n"
    return body + f"--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"
