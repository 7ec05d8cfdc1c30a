"""The keys (附注): what the doorkeeper writes on a request, and what the web root hangs on the application."""

from __future__ import annotations

from aiohttp import web

from channels.door import Door, Hall

ADDRESS = web.RequestKey("address", str)  # of whoever asks, behind trusted proxies
CSRF = web.RequestKey("csrf", str)  # the token for the forms of this browser
HALL = web.AppKey("hall", Hall)
KIOSK = web.RequestKey("kiosk", object)  # the terminal this page is for; None for every other browser
DOORS = web.AppKey("doors", tuple[Door, ...])
