"""`siems correlation`: how alerts become incidents, and what they would have become under other settings."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from siems import errors
from siems.cli.context import Door, leaf, new_app
from siems.cli.show import Column, Item, at, show_list, show_one
from siems.cli.silence import company_of

app = new_app("How alerts become incidents: list, show, edit, enable, disable, preview.")

Company = Annotated[str, typer.Option("--company", help="acme; may be left out where you see only one")]
Strategy = Annotated[
    str | None, typer.Option("--strategy", help="auto, asset|signature, asset|signature|tool, signature, asset")
]
Window = Annotated[str | None, typer.Option("--window", help="5m to 60m")]
Least = Annotated[int | None, typer.Option("--min-alerts", help="so many before an incident opens")]
Quiet = Annotated[str | None, typer.Option("--quiet-delay", help="after the last recovery: 5m")]
Resolve = Annotated[bool | None, typer.Option("--auto-resolve/--no-auto-resolve", help="resolve what has recovered")]
Reopen = Annotated[str | None, typer.Option("--reopen", help="how long a firing reopens: 30m")]
Close = Annotated[str | None, typer.Option("--close-after", help="72h")]
Cascades = Annotated[bool | None, typer.Option("--cascades/--no-cascades", help="auto: along depends_on")]
Texts = Annotated[bool | None, typer.Option("--texts/--no-texts", help="auto: near-identical texts")]


def _of(key: str) -> Any:
    return lambda c: c["correlation"][key]


COLUMNS = (
    Column("COMPANY", lambda c: c["id"]),
    Column("ON", _of("enabled"), lambda c: "yes" if c["correlation"]["enabled"] else "no"),
    Column("STRATEGY", _of("strategy"), grows=True),
    Column("WINDOW", _of("window_minutes"), lambda c: f"{c['correlation']['window_minutes']} min"),
    Column("MIN", _of("min_alerts"), drop=2),
    Column("QUIET", _of("quiet_minutes"), lambda c: f"{c['correlation']['quiet_minutes']} min", drop=3),
    Column("REOPEN", _of("reopen_minutes"), lambda c: f"{c['correlation']['reopen_minutes']} min", drop=4),
)


@app.command("list")
@leaf
def list_(door: Door) -> None:
    """The settings of each company."""
    show_list(door, door.client.correlations(), COLUMNS)


@app.command()
@leaf
def show(door: Door, company: Company = "") -> None:
    """One company's settings: siems correlation show --company acme"""
    show_one(door, door.client.correlation(company_of(door, company)), _card)


def _card(c: Item) -> list[str]:
    from siems.present import safe

    return [f"{safe(c['company'])} ({c['id']})", *(f"  {line}" for line in settings_lines(c["correlation"]))]


def settings_lines(k: Item) -> list[str]:
    """Settings in words."""
    if not k["enabled"]:
        return ["off: one incident for each different alert"]
    lines = [f"{k['strategy']}: {_MEANING[k['strategy']]}"]
    if k["strategy"] == "auto":
        lines.append(f"failures along depends_on: {'on' if k['cascades'] else 'off'}")
        lines.append(f"near-identical texts: {'on' if k['texts'] else 'off'}")
    least = "at the first alert" if k["min_alerts"] == 1 else f"with {k['min_alerts']} alerts, CRITICAL at once"
    lines.append(f"window {k['window_minutes']} min from the last alert; opens {least}")
    resolves = f"after {k['quiet_minutes']} min of quiet" if k["auto_resolve"] else "only by hand"
    return [
        *lines,
        f"resolves {resolves}; reopens within {k['reopen_minutes']} min; closes after {k['close_hours']} h",
    ]


_MEANING = {
    "auto": "the same on one asset, one signature on three or more, one cause",
    "asset|signature": "the same signature on the same asset",
    "asset|signature|tool": "the same signature on the same asset, per tool",
    "signature": "the same signature on any asset, within the window",
    "asset": "everything on one asset, within the window",
}


# --- changing --------------------------------------------------------------------------------------------------


def asked(
    *, strategy: str | None, window: str | None, min_alerts: int | None, quiet_delay: str | None,
    auto_resolve: bool | None, reopen: str | None, close_after: str | None, cascades: bool | None, texts: bool | None,
) -> dict[str, Any]:  # fmt: skip
    """`wire.CorrelationAsk`, as far as flags say it."""
    from siems.moments import seconds

    def minutes(text: str | None) -> int | None:
        return None if text is None else (seconds(text) or 0) // 60

    close = minutes(close_after)
    return {
        "strategy": strategy, "window_minutes": minutes(window), "min_alerts": min_alerts,
        "quiet_minutes": minutes(quiet_delay), "auto_resolve": auto_resolve, "reopen_minutes": minutes(reopen),
        "close_hours": None if close is None else close // 60, "cascades": cascades, "texts": texts,
    }  # fmt: skip


@app.command()
@leaf
def edit(
    door: Door, company: Company = "", strategy: Strategy = None, window: Window = None, min_alerts: Least = None,
    quiet_delay: Quiet = None, auto_resolve: Resolve = None, reopen: Reopen = None, close_after: Close = None,
    cascades: Cascades = None, texts: Texts = None,
) -> None:  # fmt: skip
    """Change what is given; what is open stays as it is: siems correlation edit --company acme --window 10m"""
    ask = asked(
        strategy=strategy, window=window, min_alerts=min_alerts, quiet_delay=quiet_delay, auto_resolve=auto_resolve,
        reopen=reopen, close_after=close_after, cascades=cascades, texts=texts,
    )  # fmt: skip
    if all(value is None for value in ask.values()):
        raise errors.UsageError("nothing was given that could be changed", hint="siems correlation edit --help")
    _change(door, company, **ask)


def _change(door: Door, company: str, **ask: Any) -> None:
    ref = company_of(door, company)
    changed = door.client.edit_correlation(
        ref, idempotency_key=door.idempotency_key, reason=door.reason or None, **ask
    )  # fmt: skip
    show_one(door, changed, _card)
    if door.dry_run:
        door.note("dry run, nothing is written")


@app.command()
@leaf
def enable(door: Door, company: Company = "") -> None:
    """Correlate again: siems correlation enable --company acme"""
    _change(door, company, enabled=True)


@app.command()
@leaf
def disable(door: Door, company: Company = "") -> None:
    """One incident for each different alert from now on: siems correlation disable --company acme"""
    _change(door, company, enabled=False)


# --- what it would have been -----------------------------------------------------------------------------------


@app.command()
@leaf
def preview(
    door: Door,
    company: Company = "",
    since: Annotated[str, typer.Option("--since", help="how far back: 24h, 7d")] = "24h",
    show: Annotated[int, typer.Option("--show", help="so many of the differences")] = 5,
    strategy: Strategy = None,
    window: Window = None,
    min_alerts: Least = None,
    quiet_delay: Quiet = None,
    auto_resolve: Resolve = None,
    reopen: Reopen = None,
    close_after: Close = None,
    cascades: Cascades = None,
    texts: Texts = None,
) -> None:
    """What the alerts since then become under other settings; nothing is changed.

    siems correlation preview --company acme --since 24h --strategy asset
    """
    from siems.moments import seconds

    ask = asked(
        strategy=strategy, window=window, min_alerts=min_alerts, quiet_delay=quiet_delay, auto_resolve=auto_resolve,
        reopen=reopen, close_after=close_after, cascades=cascades, texts=texts,
    )  # fmt: skip
    found = replayed(door, company_of(door, company), since_seconds=seconds(since), show=show, **ask)
    show_one(door, found, preview_lines)


def replayed(door: Door, company: str, **ask: Any) -> Item:
    """`wire.CorrelationPreview`, with a line on a terminal that tells how far it is."""
    shown = sys.stderr.isatty() and not door.quiet

    def told(done: int, of: int) -> None:
        if shown:
            print(f"\r{company}: {done} of {of} alerts placed", end="", file=sys.stderr, flush=True)

    try:
        return door.client.preview_correlation(company, told=told, **ask)
    finally:
        if shown:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)


def preview_lines(p: Item) -> list[str]:
    """A comparison for people."""
    from siems.present import plural, safe

    before, after = p["before"], p["after"]
    more = ", the newest of more" if p["more"] else ""
    lines = [
        f"{p['id']}: {plural(p['alerts'], 'alert')} since {at(p['since'])}, seen {p['firings']} times{more}",
        f"  they are in {plural(p['incidents'], 'incident')} now",
        f"  as it is set:  {_side(before)}",
    ]
    if before["settings"] == after["settings"]:
        lines.append("  nothing else was asked for; try  --strategy asset  or  --window 30m")
        return lines
    lines.append(f"  as asked:      {_side(after)}")
    lines.append(f"  {_differences(p)}")
    for word, found, total in (("joined", p["joins"], p["joined"]), ("split", p["splits"], p["split"])):
        for one in found:
            parts = f"{one['parts']} incidents into one" if word == "joined" else f"one into {one['parts']} incidents"
            where = f" ({', '.join(one['incidents'][:3])})" if one["incidents"] else ""
            lines.append(f"  {word}: {plural(one['count'], 'alert')} from {safe(one['first'])} on: {parts}{where}")
            together = "by" if word == "joined" else "together now by"
            lines.append(f"    {together} {safe(one['rule'])}: {safe(one['evidence'])}")
        if total > len(found):
            lines.append(f"  {word}: {total - len(found)} more, --show {total} tells all")
    return lines


def _side(s: Item) -> str:
    from siems.present import plural

    waiting = f", {plural(s['waiting'], 'alert')} waiting" if s["waiting"] else ""
    return f"{plural(s['incidents'], 'incident')}, {s['noise_reduction']:.1f} % less noise{waiting}"


def _differences(p: Item) -> str:
    from siems.present import plural

    if not p["joined"] and not p["split"]:
        return "no difference: every alert would be with the same others"
    joined = f"{plural(p['joined'], 'incident')} would hold what are several" if p["joined"] else "nothing would join"
    return f"{joined}, {plural(p['split'], 'incident')} would fall apart"
