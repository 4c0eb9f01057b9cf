"""A past hour over HTTP: the board at a moment, what happened after it, and an incident as it stood."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from aiohttp import web

from siems.daemon.http.call import Call
from siems.daemon.http.middleware import answer
from siems.daemon.http.reports import time_of
from siems.daemon.runtime import retention_of
from siems.errors import InvalidField
from siems.services import playback, playback_steps


async def show_past_board(call: Call) -> web.Response:
    at = _past(call, "at", call.word("at"))
    work = partial(
        playback.board, at=at, kept=retention_of(call.runtime.settings), limit=call.limit(),
        cursor=call.word("cursor"), now=call.runtime.clock.now(),
    )  # fmt: skip
    return answer(await call.read(work, call.actor))


async def list_steps(call: Call) -> web.Response:
    span = playback_steps.Stretch(_past(call, "after", call.word("after")), _past(call, "until", call.word("until")))
    return answer(await call.read(partial(playback_steps.steps, limit=call.limit()), call.actor, span))


async def show_past_story(call: Call) -> web.Response:
    text = call.word("at")
    at = _past(call, "at", text) if text else call.runtime.clock.now()
    return answer(await call.read(playback.story, call.path("ref"), call.actor, at))


def _past(call: Call, name: str, text: str) -> datetime:
    """A time that is not to come. Raises InvalidField."""
    found = time_of(name, text)
    if found is None:
        raise InvalidField(f"{name} is missing", hint=f"?{name}=2026-03-10T14:00:00Z")
    if found > call.runtime.clock.now():
        raise InvalidField(f"{name} is still to come, and has no record", hint="a time that has passed")
    return found
