"""The page behind a link in a message: it shows how things stand, and does something only when its button is pressed.

Mail programs and scanners open links by themselves, so opening one changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import Any
from urllib.parse import parse_qs

from aiohttp import web

from siems.daemon.http.middleware import RUNTIME, body_of, not_draining
from siems.daemon.runtime import Runtime
from siems.domain.answer import Answerable, AnswerVerb, read_token, verbs_of
from siems.errors import Conflict, NotFound, SiemsError
from siems.present import safe
from siems.services import answering
from siems.services.answering import Answered
from siems.storage.unit_of_work import UnitOfWork

HEADERS = {
    "Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex",
    "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'",
}  # fmt: skip
STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:38rem;margin:2rem auto;padding:0 1rem;color:#111;"
    "background:#fff}button{font:inherit;padding:.6rem 1.2rem;margin:.5rem .5rem 0 0}textarea{font:inherit;"
    "width:100%}li{margin:.4rem 0}small{color:#555}@media(prefers-color-scheme:dark){body{color:#eee;"
    "background:#111}small{color:#aaa}}"
)
LABELS = {
    AnswerVerb.ACK: "Acknowledge", AnswerVerb.RESOLVE: "Resolve", AnswerVerb.ESCALATE: "Escalate",
}  # fmt: skip
NEEDED = {AnswerVerb.RESOLVE: "What was done?", AnswerVerb.ESCALATE: "Why?"}


async def show(request: web.Request) -> web.Response:
    """What the link is about, and its button."""
    runtime = request.app[RUNTIME]
    try:
        asked = _asked(request, runtime)
        name, found = await runtime.database.write(answering.look, asked, companies=(asked.company_id,))
    except SiemsError as why:
        return _page("This link does not work", [f"<p>{escape(safe(why.message))}</p>"], status=why.status)
    verbs = verbs_of(asked.object) if asked.verb is AnswerVerb.LOOK else (asked.verb,)
    return _page(f"siems, for {name}", [_list(found), *(_form(verb) for verb in verbs)])


async def press(request: web.Request) -> web.Response:
    """The button was pressed."""
    runtime = request.app[RUNTIME]
    try:
        not_draining(runtime)
        asked = _asked(request, runtime)
        fields = parse_qs((await body_of(request)).decode("utf-8", "replace"), max_num_fields=10)
        verb = _verb(asked, fields)
        note = (fields.get("note") or [""])[0].strip()[:4_000]
        if verb in NEEDED and not note:
            return _page(f"{LABELS[verb]}: {NEEDED[verb]}", [_form(verb)], status=400)

        def work(uow: UnitOfWork) -> list[Answered]:
            answering.use_up(uow, asked, verb, request.match_info["token"])
            return answering.answer(uow, asked, verb, note=note, by="link")

        done = await runtime.database.write(work, companies=(asked.company_id,))
    except Conflict as why:
        _, found = await runtime.database.write(answering.look, asked, companies=(asked.company_id,))
        return _page("Already answered", [f"<p>{escape(safe(why.message))}</p>", _list(found)], status=why.status)
    except SiemsError as why:
        return _page("That did not work", [f"<p>{escape(safe(why.message))}</p>"], status=why.status)
    return _page("Done" if any(one.changed for one in done) else "Nothing was changed", [_list(done)])


def _asked(request: web.Request, runtime: Runtime) -> Answerable:
    asked = read_token(runtime.vault.derived("answers"), request.match_info["token"])
    if asked.until < runtime.clock.now():
        raise NotFound("this link is too old")
    return asked


def _verb(asked: Answerable, fields: dict[str, list[str]]) -> AnswerVerb:
    said = (fields.get("verb") or [""])[0] if asked.verb is AnswerVerb.LOOK else asked.verb.value
    if said not in verbs_of(asked.object):
        raise NotFound("this link cannot do that")
    return AnswerVerb(said)


def _form(verb: AnswerVerb) -> str:
    need = ""
    if verb in NEEDED:
        need = f'<p><label>{NEEDED[verb]}<br><textarea name="note" rows="3" required></textarea></label></p>'
    return (
        f'<form method="post"><input type="hidden" name="verb" value="{verb.value}">{need}'
        f"<button>{LABELS[verb]}</button></form>"
    )


def _list(found: Iterable[Answered]) -> str:
    lines = "".join(
        f"<li><b>{escape(one.object)}</b> {escape(safe(one.title))}<br><small>{escape(safe(one.text))}</small></li>"
        for one in found
    )
    return f"<ul>{lines or '<li>There is nothing left.</li>'}</ul>"


def _page(title: str, parts: Iterable[str], *, status: int = 200) -> web.Response:
    shown = escape(safe(title))
    body = (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{shown}</title><style>{STYLE}</style><h1>{shown}</h1>{''.join(parts)}</html>"
    )
    return web.Response(text=body, status=status, content_type="text/html", headers=HEADERS)


ADDRESSES: tuple[tuple[str, str, Any], ...] = (("GET", "/a/{token}", show), ("POST", "/a/{token}", press))
