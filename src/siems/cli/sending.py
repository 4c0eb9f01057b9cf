"""`siems alert send` and `siems alert replay`: alerts that people send."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Annotated, Any

import typer

from siems import errors
from siems.cli.context import Door, leaf
from siems.cli.show import Item, field, show_list, show_one, when

VERBS: list[Callable[..., Any]] = []
POLL_SECONDS = 0.3
SHORT = 120
"""Characters of a message that stand for what is wrong, where nothing else says it."""
REPLAYED = (
    when("AT", "at"),
    field("SOURCE", "source"),
    field("ALERT", "alert_id"),
    field("INCIDENT", "incident_id"),
    field("ANSWER", "message", grows=True),
)
WAITING = (when("AT", "at"), field("SOURCE", "source"), field("BODY", "body", grows=True))


def verb(command: Callable[..., Any]) -> Callable[..., Any]:
    """A command of `siems alert`, which gathers them."""
    VERBS.append(leaf(command))
    return command


@verb
def send(
    door: Door,
    company: Annotated[str, typer.Option("--company", help="acme")],
    file: Annotated[str, typer.Option("--file", help="a body as it is; - for standard input")] = "",
    source: Annotated[str, typer.Option("--source", help="whose body it is: zabbix")] = "generic",
    severity: Annotated[str, typer.Option("--severity", help="low, medium, high, critical")] = "medium",
    asset: Annotated[str, typer.Option("--asset", help="what is ill")] = "",
    signature: Annotated[str, typer.Option("--signature", help="what is wrong with it; else the message")] = "",
    message: Annotated[str, typer.Option("--message", help="for people")] = "",
    label: Annotated[list[str] | None, typer.Option("--label", help="k=v; several")] = None,
    resolve: Annotated[bool, typer.Option("--resolve", help="it is over")] = False,
    wait: Annotated[
        bool, typer.Option("--wait", help="until it has an incident, as long as --timeout; else 8")
    ] = False,
) -> None:
    """An alert of your own: siems alert send --company acme --severity critical --asset dc01 --message "no power"

    It goes the way of every alert; the audit log says who sent it.
    """
    if file:
        if asset or signature or message or label or resolve:
            raise errors.UsageError("--file holds the whole alert", hint="leave out what else says what it is about")
        body = _read(file)
    else:
        if not asset:
            raise errors.UsageError("what is it about?", hint="--asset dc01, or --file F with a whole body")
        body = json.dumps(
            {
                "asset_name": asset, "signature": signature or " ".join(message.split())[:SHORT] or "manual",
                "severity": severity,
                "message": message or signature or "sent by hand", "tool_source": "siems",
                "labels": _labels(label or []), "status": "resolved" if resolve else "firing",
            }
        )  # fmt: skip
    said = door.client.send_alert(
        company=company, source=source, body=body, reason=door.reason, idempotency_key=door.idempotency_key
    )
    shown = _with_incident(door, said) if wait and not door.dry_run else said
    show_one(door, shown, lambda said: _told(said, door.dry_run), id="alert_id")


def _read(file: str) -> str:
    try:
        if file == "-":
            return sys.stdin.read()
        with open(file) as handle:
            return handle.read()
    except (OSError, UnicodeDecodeError) as why:
        what = why.strerror if isinstance(why, OSError) else "no UTF-8 text"
        raise errors.UsageError(f"{file} cannot be read ({what})", hint="name a file of text, or -") from why


def _labels(words: list[str]) -> dict[str, str]:
    found = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not name:
            raise errors.UsageError(f"{word!r} is no label", hint="--label site=oslo")
        found[name] = value
    return found


def _with_incident(door: Door, said: Item) -> Item:
    """The answer, once its alert is in an incident. Raises Pending."""
    ref = said.get("alert_id")
    if not ref or said["incident_id"]:
        return said
    end = time.monotonic() + door.timeout
    while not (found := door.client.alert(ref)["incident_id"]):
        if time.monotonic() >= end:
            raise errors.Pending(f"{ref} has no incident after {door.timeout:g} s", hint=f"siems alert show {ref}")
        time.sleep(POLL_SECONDS)
    return {**said, "incident_id": found}


def _told(said: Item, dry_run: bool) -> list[str]:
    from siems.present import safe

    lines = []
    rehearsed = " (dry run, nothing is written)" if dry_run else ""
    for one in said.get("alerts", [said]):
        where = f" in {one['incident_id']}" if one["incident_id"] else ""
        which = f"{one['alert_id']}{where}: " if one["alert_id"] else ""
        lines.append(f"{which}{safe(one['message'])}{rehearsed}")
        lines += [f"  note: {safe(text)}" for text in one["warnings"]]
    return lines


# --- once more -------------------------------------------------------------------------------------------------


@verb
def replay(
    door: Door,
    since: Annotated[str, typer.Option("--since", help="what came within: 1h")] = "",
    company: Annotated[str, typer.Option("--company", help="whose alerts: acme")] = "",
    to: Annotated[str, typer.Option("--to", help="send them to this client instead: demo")] = "",
    file: Annotated[str, typer.Option("--file", help="lines of JSON, as --dry-run -o jsonl prints them; -")] = "",
    speed: Annotated[float, typer.Option("--speed", help="1 as it was, 10 ten times as fast; 0 at once")] = 0.0,
) -> None:
    """Send bodies that came before once more: siems alert replay --since 1h --company acme --to demo --speed 10

    What opened an alert is kept as it came; repeats and recoveries are only counted, so they are not sent again.
    """
    if bool(file) == bool(since) or (since and not company) or (file and not (to or company)):
        raise errors.UsageError(
            "what is to be replayed, and where?", hint="--since 1h --company acme [--to demo], or --file F --to demo"
        )
    if not 0 <= speed <= 1_000_000:
        raise errors.UsageError("--speed is 0 or more", hint="--speed 10")
    bodies = list(_from_file(file) if file else _kept(door, company, since))
    if door.dry_run:
        show_list(door, bodies, WAITING, id="at")
        door.note(f"{len(bodies)} would be sent to {to or company}")
        return
    show_list(door, _sent(door, bodies, to or company, speed), REPLAYED, id="alert_id")


def _kept(door: Door, company: str, since: str) -> Iterator[Item]:
    from siems.grammar import parse_span

    began = datetime.fromisoformat(door.client.server_time()) - parse_span(since)
    after = 0
    while page := door.client.bodies(company, since=began.isoformat(), after=after):
        yield from page
        after = page[-1]["id"]


def _from_file(file: str) -> Iterator[Item]:
    for number, line in enumerate(_read(file).splitlines(), 1):
        if not line.strip():
            continue
        try:
            found = json.loads(line)
        except ValueError as why:
            raise errors.UsageError(f"line {number} of {file} is no JSON", hint="one object a line") from why
        if isinstance(found, dict) and isinstance(found.get("body"), str) and isinstance(found.get("source"), str):
            yield found
        else:  # a bare alert of the contract
            yield {"at": None, "source": "generic", "body": line, "base64": False}


def _sent(door: Door, bodies: list[Item], to: str, speed: float) -> list[Item]:
    results: list[Item] = []
    before: datetime | None = None
    for body in bodies:
        at = datetime.fromisoformat(body["at"]) if body.get("at") else None
        if speed and at is not None and before is not None and at > before:
            time.sleep((at - before) / timedelta(seconds=1) / speed)
        before = at or before
        said = door.client.send_alert(
            company=to, source=body["source"], body=body["body"], base64=bool(body.get("base64")), replay=True,
            reason=door.reason, at=body.get("at"),
        )  # fmt: skip
        taken = said.get("alerts", [said])
        results += [{"at": body.get("at"), "source": body["source"], **one} for one in taken]
    return results
