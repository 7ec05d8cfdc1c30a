"""The keys (请求附注): what the doorkeeper writes on a request for those who handle it."""

from __future__ import annotations

from aiohttp import web

ADDRESS = web.RequestKey("address", str)  # of whoever asks, behind trusted proxies
CSRF = web.RequestKey("csrf", str)  # the token for the forms of this browser
