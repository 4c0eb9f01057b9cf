"""`siems report`: measures over a range, in groups, compared with another range, and the incidents behind them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from typing import Annotated, Any

import typer

from siems import errors
from siems.cli.context import Door, leaf, new_app
from siems.cli.show import Column, Item, field, show_list, show_one, when

app = new_app("Reports: sla, volume, workload, noise, mttr, causes.")

Span = Annotated[str, typer.Option("--range", help="so far back: 24h, 7d, 52w")]
By = Annotated[str, typer.Option("--by", help="company, technician, severity, tool, hour, day or weekhour")]
Compare = Annotated[str, typer.Option("--compare", help="prior, or a range: 2026-02-01..2026-03-01")]
Only = Annotated[str, typer.Option("--company", help="only this client: acme")]
Query = Annotated[str, typer.Option("--query", help="only these incidents: see siems help query")]
Until = Annotated[str, typer.Option("--until", help="the end of the range, else now")]
Zone = Annotated[str, typer.Option("--zone", help="whose hours and days: Europe/Oslo, else UTC")]
Trend = Annotated[int, typer.Option("--trend", help="the same for so many ranges, this one last: 8")]
Behind = Annotated[str, typer.Option("--behind", help="the incidents behind a number: mttr, response_breached")]
Group = Annotated[str, typer.Option("--group", help="with --behind: of one line, by its first column")]
Limit = Annotated[int, typer.Option("--limit", help="with --behind: how many")]
Out = Annotated[str, typer.Option("--out", help="write to a file: week.csv, week.json")]

HEADERS = {
    "opened": "OPENED", "resolved": "RESOLVED", "reopened": "REOPENED", "open_now": "OPEN_NOW", "alerts": "ALERTS",
    "noise_reduction": "LESS_NOISE", "self_healed": "SELF_HEALED", "self_healed_rate": "HEALED",
    "escalated": "ESCALATED", "escalation_rate": "ESC_RATE", "answered": "ANSWERED", "mtta": "MTTA",
    "mtta_median": "MEDIAN_A", "mtta_p90": "P90_A", "mttr": "MTTR", "mttr_median": "MEDIAN_R", "mttr_p90": "P90_R",
    "response": "RESPONSE", "response_in_time": "RESP_OK", "response_breached": "RESP_LATE",
    "response_cancelled": "CANCELLED", "response_running": "RESP_OPEN", "resolution": "RESOLUTION",
    "breaches": "MISSED", "nobody_on_call": "NOBODY_ON_CALL", "not_answered": "NOT_ANSWERED",
    "waiting_approval": "APPROVAL", "waiting_client": "CLIENT", "waiting_vendor": "VENDOR", "waiting_parts": "PARTS",
    "waiting_scheduled": "SCHEDULED", "unowned": "UNOWNED", "handed_on": "HANDED_ON", "work": "WORK",
    "resolution_in_time": "RESO_OK", "resolution_breached": "RESO_LATE", "resolution_running": "RESO_OPEN",
}  # fmt: skip
_DROPPED = {
    "response_running": 5, "response_cancelled": 5, "resolution_running": 4, "response_in_time": 3,
    "resolution_in_time": 3, "mtta_median": 4, "mttr_median": 2, "reopened": 2, "escalated": 3, "breaches": 0,
}  # fmt: skip
EMPTY = 6
"""A cause that nothing had goes first where there is no room."""


@app.command()
@leaf
def sla(
    door: Door, span: Span = "30d", by: By = "company", compare: Compare = "", trend: Trend = 0,
    company: Only = "", query: Query = "", until: Until = "", zone: Zone = "UTC", behind: Behind = "",
    group: Group = "", limit: Limit = 100, out: Out = "",
) -> None:  # fmt: skip
    """How well deadlines were kept, of what opened in the range.

    siems report sla --range 30d --by severity --compare prior
    siems report sla --behind resolution_breached --group acme
    """
    _report(door, "sla", locals())


@app.command()
@leaf
def volume(
    door: Door, span: Span = "30d", by: By = "company", compare: Compare = "", trend: Trend = 0,
    company: Only = "", query: Query = "", until: Until = "", zone: Zone = "UTC", behind: Behind = "",
    group: Group = "", limit: Limit = 100, out: Out = "",
) -> None:  # fmt: skip
    """Alerts, incidents opened and resolved, and how many are open now.

    siems report volume --range 7d --by company -o csv --out weekly.csv
    siems report volume --by hour --zone Europe/Oslo
    """
    _report(door, "volume", locals())


@app.command()
@leaf
def workload(
    door: Door, span: Span = "30d", by: By = "technician", compare: Compare = "", trend: Trend = 0, company: Only = "",
    query: Query = "", until: Until = "", zone: Zone = "UTC", behind: Behind = "", group: Group = "",
    limit: Limit = 100, out: Out = "",
) -> None:  # fmt: skip
    """How much each technician has, how fast and how well it is done: siems report workload --range 30d"""
    _report(door, "workload", locals())


@app.command()
@leaf
def noise(
    door: Door, span: Span = "30d", by: By = "company", compare: Compare = "", trend: Trend = 0,
    company: Only = "", query: Query = "", until: Until = "", zone: Zone = "UTC", behind: Behind = "",
    group: Group = "", limit: Limit = 100, out: Out = "",
) -> None:  # fmt: skip
    """How many alerts became how few incidents, and what healed by itself: siems report noise --by tool"""
    _report(door, "noise", locals())


@app.command()
@leaf
def mttr(
    door: Door, span: Span = "30d", by: By = "severity", compare: Compare = "", trend: Trend = 0,
    company: Only = "", query: Query = "", until: Until = "", zone: Zone = "UTC", behind: Behind = "",
    group: Group = "", limit: Limit = 100, out: Out = "",
) -> None:  # fmt: skip
    """Time to acknowledge and to resolve: mean, median, and what nine of ten stay below.

    siems report mttr --range 30d --by technician --compare prior
    siems report mttr --behind mttr --group CRITICAL --limit 10
    """
    _report(door, "mttr", locals())


@app.command()
@leaf
def causes(
    door: Door, span: Span = "30d", by: By = "company", compare: Compare = "", trend: Trend = 0,
    company: Only = "", query: Query = "", until: Until = "", zone: Zone = "UTC", behind: Behind = "",
    group: Group = "", limit: Limit = 100, out: Out = "",
) -> None:  # fmt: skip
    """Why targets were missed: what most of their time was spent on, by what is on record.

    siems report causes --range 30d --by company --compare prior
    siems report causes --behind waiting_vendor --group acme
    """
    _report(door, "causes", locals())


# --- what all of them do ---------------------------------------------------------------------------------------


def _report(door: Door, kind: str, given: dict[str, Any]) -> None:
    asked = _asked(given)
    with _into(door, given["out"]):
        if given["behind"]:
            _show_behind(door, kind, given, asked)
        elif given["group"]:
            raise errors.UsageError("--group goes with --behind", hint=f"siems report {kind} --behind opened")
        else:
            _show_report(door, kind, asked)


def _asked(given: dict[str, Any]) -> dict[str, str]:
    from datetime import UTC, datetime

    from siems.clock import rfc3339
    from siems.grammar import parse_span
    from siems.moments import moment

    end = moment(given["until"]) if given["until"] else datetime.now(UTC)
    asked = {
        "since": rfc3339(end - parse_span(given["span"])), "until": rfc3339(end) if given["until"] else "",
        **{name: given[name] for name in ("by", "company", "query", "zone")},
        "trend": str(given["trend"] or ""),
    }  # fmt: skip
    first, dots, last = given["compare"].partition("..")
    if dots:
        return asked | {"prior_since": rfc3339(moment(first)), "prior_until": rfc3339(moment(last))}
    return asked | {"compare": first}


def _show_report(door: Door, kind: str, asked: dict[str, str]) -> None:
    import sys

    found = door.client.report(kind, **asked)
    if door.format in ("json", "jsonl", "yaml"):
        show_one(door, found, lambda _: [], id="kind")
        return
    columns = [Column(asked["by"].upper(), lambda i: i["group"], lambda i: str(i["name"]), grows=True)]
    compared = found["prior_since"] is not None
    for measure in found["measures"]:
        name = measure["name"]
        nothing = kind == "causes" and not any(line["figures"][name]["value"] for line in found["lines"])
        drop = EMPTY if nothing else _DROPPED.get(name, 1)
        columns += _columns(name, measure["unit"], compared=compared, trend=bool(asked["trend"]), drop=drop)
    lines = list(found["lines"])
    if sys.stdout.isatty() and len(lines) > 1:
        lines.append(found["total"])
    show_list(door, lines, columns, id="group")
    if compared:
        door.note(f"compared with {found['prior_since'][:16]}Z to {found['prior_until'][:16]}Z")


def _columns(name: str, unit: str, *, compared: bool, trend: bool, drop: int) -> list[Column]:
    header = HEADERS[name]

    def figure(item: Item) -> Any:
        return item["figures"][name]

    def human(item: Item) -> str:
        moved = _moved(figure(item)["change"], unit) if compared else ""
        return f"{said(figure(item)['value'], unit)}{moved and f' {moved}'}"

    found = [Column(header, lambda i: plain(figure(i)["value"], unit), human, drop=drop)]
    if compared:
        found.append(Column(f"{header}_PRIOR", lambda i: plain(figure(i)["prior"], unit), wide=True))
        found.append(Column(f"{header}_CHANGE", lambda i: figure(i)["change"], wide=True))
    if trend:
        words = Column(
            f"{header}_TREND", lambda i: _course(figure(i)["trend"], unit), lambda i: _drawn(figure(i)), drop=drop
        )
        found.append(words)
    return found


def _course(values: list[float | None] | None, unit: str) -> str:
    """What it was, the oldest first: 98,97.5,,100."""
    return ",".join("" if value is None else f"{plain(value, unit):g}" for value in values or ())


def _drawn(figure: Item) -> str:
    from siems.present import sparkline

    known = [value for value in figure["trend"] or () if value is not None]
    return sparkline(known, len(known)) if known else ""


def said(value: float | None, unit: str) -> str:
    """A figure for people: 4m12s, 96.2 %, 214."""
    from siems.present import took

    if value is None:
        return "--"
    if unit == "seconds":
        return took(value)
    return f"{value:g} %" if unit == "percent" else f"{value:,.0f}".replace(",", " ")


def plain(value: float | None, unit: str) -> float | int | None:
    """A figure for scripts: whole where it counts."""
    return int(value) if value is not None and unit == "count" else value


def _moved(change: float | None, unit: str) -> str:
    if change is None:
        return ""
    return f"({change:+g})" if unit == "percent" else f"({change:+.0f} %)"


def _show_behind(door: Door, kind: str, given: dict[str, Any], asked: dict[str, str]) -> None:
    kept = {
        name: value for name, value in asked.items() if name not in ("compare", "trend", "prior_since", "prior_until")
    }
    found = door.client.report_incidents(kind, given["behind"], group=given["group"], limit=given["limit"], **kept)
    columns = (
        Column(given["behind"].upper(), lambda i: plain(i["value"], found["unit"]),
               lambda i: said(i["value"], found["unit"])),
        *([] if kind != "causes" else [field("TARGET", "clock"), Column("WHY", lambda i: i["why"], drop=1)]),
        Column("MET", lambda i: i["met"], lambda i: {True: "yes", False: "NO", None: "--"}[i["met"]], drop=4),
        field("ID", "id"),
        field("SEVERITY", "severity"),
        field("STATE", "state", drop=3),
        Column("COMPANY", lambda i: i["company_id"], lambda i: str(i["company"]), grows=True, drop=1),
        field("TITLE", "title", grows=True),
        Column("WHO", lambda i: i["assignee"], lambda i: i["assignee_name"] or "--", grows=True, drop=2),
        when("OPENED", "created_at", drop=2),
    )  # fmt: skip
    show_list(door, found["items"], columns, total=found["total"])
    door.note(found["meaning"])


@contextmanager
def _into(door: Door, out: str) -> Iterator[None]:
    """Standard output into a file, in the form that its name asks for; without a name as ever. Raises UsageError."""
    if out in ("", "-"):
        yield
        return
    if door.format == "table" and out.endswith((".csv", ".json")):
        door.format = out.rpartition(".")[2]
    try:
        file = open(out, "w", newline="")  # noqa: SIM115
    except OSError as why:
        raise errors.UsageError(f"{out} cannot be written ({why.strerror})", hint="--out week.csv") from why
    with file, redirect_stdout(file):
        yield
    door.note(f"written to {out}")
