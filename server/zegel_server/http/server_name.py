"""What the server calls itself: the product alone. aiohttp would tell its own version and that of Python."""

from __future__ import annotations

from typing import TypeVar

from aiohttp import hdrs, web

R = TypeVar("R", bound=web.StreamResponse)

SERVER_NAME = "Zegel"


def with_name(response: R) -> R:
    """Names the server in a response whose headers were not sent yet; returns it."""
    if not response.prepared:
        response.headers[hdrs.SERVER] = SERVER_NAME
    return response
