"""The page behind a link in a message: it shows how things stand, and does something only when its button is pressed.

Mail programs and scanners open links by themselves, so opening one changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any
from urllib.parse import parse_qs

from aiohttp import web

from siems.daemon.http.middleware import RUNTIME, body_of, not_draining
from siems.daemon.runtime import Runtime
from siems.domain.answer import Answerable, AnswerVerb, read_token, verbs_of
from siems.errors import Conflict, InvalidField, NotFound, SiemsError
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
    "background:#111}small{color:#aaa}}pre{overflow-x:auto;border:1px solid #888;padding:.6rem;font-size:13px}"
    "input{font:inherit}"
)
LABELS = {
    AnswerVerb.ACK: "Acknowledge", AnswerVerb.RESOLVE: "Resolve", AnswerVerb.ESCALATE: "Escalate",
    AnswerVerb.APPROVE: "Approve", AnswerVerb.REJECT: "Reject",
}  # fmt: skip
NEEDED = {AnswerVerb.RESOLVE: "What was done?", AnswerVerb.ESCALATE: "Why?", AnswerVerb.REJECT: "Why not?"}
LARGEST = 60_000
TOO_OLD = "This link is too old"
OF_RUNS = (AnswerVerb.APPROVE, AnswerVerb.REJECT)


async def show(request: web.Request) -> web.Response:
    """What the link is about, and its button."""
    runtime = request.app[RUNTIME]
    try:
        asked = _asked(request, runtime)
        name, found = await _look(runtime, asked)
    except SiemsError as why:
        return _page("This link does not work", [f"<p>{escape(safe(why.message))}</p>"], status=why.status)
    if _old(asked, runtime):
        return _page(TOO_OLD, [_list(found)], status=NotFound.status)
    verbs = verbs_of(asked.object) if asked.verb is AnswerVerb.LOOK else (asked.verb,)
    forms = [_form(verb, found) for verb in verbs if all(one.waits for one in found)]
    return _page(f"siems, for {name}", [_list(found), *forms])


async def press(request: web.Request) -> web.Response:
    """The button was pressed."""
    runtime = request.app[RUNTIME]
    try:
        not_draining(runtime)
        asked = _asked(request, runtime)
        if _old(asked, runtime):
            raise Conflict(TOO_OLD)
        fields = parse_qs((await body_of(request)).decode("utf-8", "replace"), max_num_fields=10)
        verb = _verb(asked, fields)
        note = (fields.get("note") or [""])[0].strip()[:4_000]
        if verb in NEEDED and not note:
            _, found = await _look(runtime, asked)
            return _page(f"{LABELS[verb]}: {NEEDED[verb]}", [_form(verb, found)], status=400)

        def work(uow: UnitOfWork) -> list[Answered]:
            answering.use_up(uow, asked, verb, request.match_info["token"])
            if verb in OF_RUNS:
                typed = (fields.get("typed") or [""])[0].strip()[:100]
                return answering.decide(uow, asked, verb, note=note, typed=typed, by="link")
            return answering.answer(uow, asked, verb, note=note, by="link")

        done = await runtime.database.write(work, companies=(asked.company_id,))
    except Conflict as why:
        return await _settled(runtime, asked, why)
    except InvalidField as why:
        _, found = await _look(runtime, asked)
        return _page("Not yet", [f"<p>{escape(safe(why.message))}</p>", _list(found), _form(verb, found)], status=400)
    except SiemsError as why:
        return _page("That did not work", [f"<p>{escape(safe(why.message))}</p>"], status=why.status)
    return _page("Done" if any(one.changed for one in done) else "Nothing was changed", [_list(done)])


async def _look(runtime: Runtime, asked: Answerable) -> tuple[str, list[Answered]]:
    found: tuple[str, list[Answered]] = await runtime.database.write(
        answering.look, asked, companies=(asked.company_id,)
    )
    return found


async def _settled(runtime: Runtime, asked: Answerable, why: Conflict) -> web.Response:
    """Nothing can be done by this link any more: who did what, and when."""
    try:
        _, found = await _look(runtime, asked)
    except SiemsError as gone:
        return _page("That did not work", [f"<p>{escape(safe(gone.message))}</p>"], status=gone.status)
    return _page("Already answered", [f"<p>{escape(safe(why.message))}</p>", _list(found)], status=why.status)


def _old(asked: Answerable, runtime: Runtime) -> bool:
    return asked.until < runtime.clock.now()


def _asked(request: web.Request, runtime: Runtime) -> Answerable:
    asked = read_token(runtime.vault.derived("answers"), request.match_info["token"])
    if _old(asked, runtime) and asked.verb not in OF_RUNS:  # who has decided can be looked up later on
        raise NotFound(TOO_OLD)
    return asked


def _verb(asked: Answerable, fields: dict[str, list[str]]) -> AnswerVerb:
    said = (fields.get("verb") or [""])[0] if asked.verb is AnswerVerb.LOOK else asked.verb.value
    if said not in verbs_of(asked.object):
        raise NotFound("this link cannot do that")
    return AnswerVerb(said)


def _form(verb: AnswerVerb, found: Sequence[Answered]) -> str:
    need = ""
    typed = next((one.typed for one in found if one.typed), "") if verb is AnswerVerb.APPROVE else ""
    if typed:
        need = (
            f"<p><label>High risk: type the id of the company, <b>{escape(typed)}</b>, to approve<br>"
            '<input name="typed" autocomplete="off" required></label></p>'
        )
    if verb in NEEDED:
        need = f'<p><label>{NEEDED[verb]}<br><textarea name="note" rows="3" required></textarea></label></p>'
    return (
        f'<form method="post"><input type="hidden" name="verb" value="{verb.value}">{need}'
        f"<button>{LABELS[verb]}</button></form>"
    )


def _list(found: Iterable[Answered]) -> str:
    lines = "".join(
        f"<li><b>{escape(one.object)}</b> {escape(safe(one.title))}<br><small>{escape(safe(one.text))}</small>"
        f"{_details(one)}</li>"
        for one in found
    )
    return f"<ul>{lines or '<li>There is nothing left.</li>'}</ul>"


def _details(one: Answered) -> str:
    if not one.details:
        return ""
    cut = one.details.index("") if "" in one.details else len(one.details)
    told, exact = (escape("\n".join(map(safe, part))[:LARGEST]) for part in (one.details[:cut], one.details[cut + 1 :]))
    return f"<pre>{told}</pre><details><summary>Every command, exactly</summary><pre>{exact}</pre></details>"


def _page(title: str, parts: Iterable[str], *, status: int = 200) -> web.Response:
    shown = escape(safe(title))
    body = (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{shown}</title><style>{STYLE}</style><h1>{shown}</h1>{''.join(parts)}</html>"
    )
    return web.Response(text=body, status=status, content_type="text/html", headers=HEADERS)


ADDRESSES: tuple[tuple[str, str, Any], ...] = (("GET", "/a/{token}", show), ("POST", "/a/{token}", press))
