"""`siems company`: clients, and all that a new one needs."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any, TextIO

import typer

from siems import errors
from siems.cli.context import Door, leaf, new_app
from siems.cli.show import Column, Item, field, show_list, show_one

app = new_app("Companies: onboard, list, show, edit.")

Ref = Annotated[str, typer.Argument(help="acme, comp-acme or the name")]
COLUMNS = (
    field("ID", "id"),
    field("NAME", "name", grows=True),
    Column("OPEN", lambda c: c["open_incidents"]),
    Column("BREACHED", lambda c: c["breached"]),
    Column("RATE", lambda c: f"{c['rate_per_minute']}/min", drop=1),
    Column("STRATEGY", lambda c: c["correlation"]["strategy"], drop=2),
)

CURL = """\
ts=$(date +%s)
body='{{"asset_name":"web-01","signature":"test_alert","severity":"low","message":"hello","tool_source":"curl"}}'
sig=$(printf '%s.%s' "$ts" "$body" | openssl dgst -sha256 -hmac '{secret}' -r | cut -d' ' -f1)
curl -fsS '{url}' -H 'X-API-Key: {key}' -H "X-Timestamp: $ts" -H "X-Signature: sha256=$sig" \\
  -H 'Content-Type: application/json' --data-raw "$body"
"""


@app.command()
@leaf
def onboard(
    door: Door,
    name: Annotated[str, typer.Argument(help="the client's name")],
    slug: Annotated[str, typer.Option("--slug", help="short name for ids and commands")] = "",
    rate: Annotated[str, typer.Option("--rate", help="alerts per minute: 600/min")] = "",
    secrets_file: Annotated[
        str, typer.Option("--secrets-file", help="write key and secret there, 0600; - for standard output")
    ] = "",
) -> None:
    """A new client: id, key, secret, URL, and a curl line to try it. Secrets are shown once.

    siems company onboard "Fjord Media" --secrets-file fjord.env
    """
    if not secrets_file or door.dry_run or (secrets_file == "-" and door.json):
        made = door.client.onboard(name=name, slug=slug, rate_per_minute=parse_rate(rate))
        show_one(door, _unsaid(made) if door.dry_run else made, _welcome, id="company_id")
        return
    with _secrets(secrets_file) as out:
        made = door.client.onboard(name=name, slug=slug, rate_per_minute=parse_rate(rate))
        out.write(_variables(made))
    if secrets_file == "-":
        return
    show_one(door, {**_unsaid(made), "secrets_file": secrets_file}, _welcome, id="company_id")


def _unsaid(made: Item) -> dict[str, Any]:
    return {key: value for key, value in made.items() if key not in ("api_key", "hmac_secret")}


@contextmanager
def _secrets(file: str) -> Iterator[TextIO]:
    """The file that secrets go to, opened before they exist: what is shown once must not be lost for a typing error.

    Raises Conflict for a file that exists, and UsageError for one that cannot be written.
    """
    if file == "-":
        yield sys.stdout
        return
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as why:
        raise errors.Conflict(
            f"{file} exists already", hint="name another file: secrets are never overwritten"
        ) from why
    except OSError as why:
        raise errors.UsageError(f"{file} cannot be written ({why.strerror})", hint="name another file") from why
    try:
        with os.fdopen(handle, "w") as out:
            yield out
    except errors.SiemsError:
        os.unlink(file)
        raise


def parse_rate(text: str) -> int | None:
    """600 from `600/min`; `10/s` is 600. Raises UsageError."""
    if not text:
        return None
    number, _, unit = text.partition("/")
    factor = {"min": 1, "m": 1, "s": 60, "sec": 60, "h": 1 / 60}.get(unit)
    if not number.isdigit() or factor is None:
        raise errors.UsageError(f"{text!r} is no rate", hint="write it like 600/min")
    return max(1, int(int(number) * factor))


def _variables(made: Item) -> str:
    """Id, URL, key and secret as lines that a shell reads."""
    return (
        f"SIEMS_COMPANY={made['company_id']}\nSIEMS_WEBHOOK={made['webhook_url']}\n"
        f"SIEMS_KEY={made['api_key']}\nSIEMS_HMAC='{made['hmac_secret']}'\n"
    )


def _welcome(made: Item) -> list[str]:
    from siems.present import safe

    c = made["correlation"]
    lines = [
        f"{safe(made['name'])} {'is ready' if 'api_key' in made or 'secrets_file' in made else 'would be ready'}.",
        "",
        f"  company id    {made['company_id']}",
        f"  webhook URL   {made['webhook_url']}",
    ]
    if "api_key" in made:
        lines += [
            f"  API key       {made['api_key']}",
            f"  HMAC secret   {made['hmac_secret']}",
            "                (shown this once: the key is kept as a hash, the secret encrypted)",
        ]
    else:
        lines.append(f"  secrets       {made.get('secrets_file', 'made when it is no dry run')}")
    lines += [
        f"  rate limit    {made['rate_per_minute']}/min, burst {made['burst']}",
        f"  correlation   {c['strategy']}, window {c['window_minutes']} min, minimum {c['min_alerts']}",
    ]
    if "api_key" in made:
        example = CURL.format(secret=made["hmac_secret"], url=made["webhook_url"], key=made["api_key"])
        lines += ["", "try it:", "", *example.splitlines()]
    return lines


@app.command("list")
@leaf
def list_(door: Door) -> None:
    """Every client that you may see."""
    show_list(door, door.client.companies(), COLUMNS)


@app.command()
@leaf
def show(door: Door, ref: Ref) -> None:
    """One client with its settings."""
    show_one(door, door.client.company(ref), _card)


def _card(c: Item) -> list[str]:
    from siems.present import safe

    k = c["correlation"]
    lines = [
        f"{safe(c['name'])} ({c['id']})   {c['open_incidents']} open, {c['breached']} breached",
        f"rate {c['rate_per_minute']}/min, burst {c['burst']}",
        f"correlation {'on' if k['enabled'] else 'off'}, {k['strategy']}, window {k['window_minutes']} min,"
        f" minimum {k['min_alerts']}, quiet {k['quiet_minutes']} min, reopen {k['reopen_minutes']} min,"
        f" close after {k['close_hours']} h",
    ]
    for target in c["sla"]:
        response, resolution = target["response_seconds"], target["resolution_seconds"]
        lines.append(f"SLA {target['severity']:<9} respond {_span(response):>6}   resolve {_span(resolution):>6}")
    return lines


def _span(seconds: int) -> str:
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "m")):
        if seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


@app.command()
@leaf
def edit(
    door: Door,
    ref: Ref,
    name: Annotated[str | None, typer.Option("--name")] = None,
    rate: Annotated[str, typer.Option("--rate", help="600/min")] = "",
    burst: Annotated[int | None, typer.Option("--burst")] = None,
    correlation: Annotated[bool | None, typer.Option("--correlation/--no-correlation")] = None,
    strategy: Annotated[
        str | None, typer.Option("--strategy", help="auto, asset|signature, asset|signature|tool, signature, asset")
    ] = None,
    window: Annotated[str | None, typer.Option("--window", help="5m to 60m")] = None,
    min_alerts: Annotated[int | None, typer.Option("--min-alerts")] = None,
    quiet_delay: Annotated[str | None, typer.Option("--quiet-delay", help="after the last recovery: 5m")] = None,
    auto_resolve: Annotated[bool | None, typer.Option("--auto-resolve/--no-auto-resolve")] = None,
    reopen: Annotated[str | None, typer.Option("--reopen", help="how long a firing reopens: 30m")] = None,
    close_after: Annotated[str | None, typer.Option("--close-after", help="72h")] = None,
) -> None:
    """Change what is given: siems company edit acme --rate 600/min --window 10m"""
    from siems.cli.times import seconds

    def minutes(text: str | None) -> int | None:
        return None if text is None else (seconds(text) or 0) // 60

    hours = None if close_after is None else (minutes(close_after) or 0) // 60
    changed = door.client.edit_company(
        ref, name=name, rate_per_minute=parse_rate(rate), burst=burst, correlation_enabled=correlation,
        strategy=strategy, window_minutes=minutes(window), min_alerts=min_alerts,
        quiet_minutes=minutes(quiet_delay), auto_resolve=auto_resolve, reopen_minutes=minutes(reopen),
        close_hours=hours, reason=door.reason,
    )  # fmt: skip
    show_one(door, changed, _card)
