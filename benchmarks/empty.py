"""A handler that does nothing: what aiohttp alone can do on this machine. `python -m benchmarks.empty PORT`."""

from __future__ import annotations

import sys

from aiohttp import web

ANSWER = b'{"case_no": "620000A2026112200001K", "query_code": "AAAA-BBBB-CCCC"}'


async def answer(request: web.Request) -> web.Response:
    """Read the body, say 201."""
    await request.read()
    return web.Response(status=201, body=ANSWER, content_type="application/json")


def main() -> None:
    """Serve until terminated."""
    app = web.Application()
    app.router.add_post("/api/v1/petitions", answer)
    web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), access_log=None, print=None)


if __name__ == "__main__":
    main()
