"""Searching over HTTP."""

from __future__ import annotations

from functools import partial

from aiohttp import web

from siems.daemon.http.call import Call
from siems.daemon.http.middleware import answer
from siems.services.search import search


async def search_all(call: Call) -> web.Response:
    """`GET /search?query=...&type=incident,note`: the newest first, within what the reader may see."""
    kinds = [word.strip() for word in call.word("type").split(",") if word.strip()]
    work = partial(search, kinds=kinds, limit=call.limit())
    return answer(await call.runtime.database.peek(work, call.actor, call.word("query")))
