"""`siems sla`: what is due, what was missed, why, and how fast each client is served."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from siems import errors
from siems.cli.context import Door, leaf, new_app
from siems.cli.pages import drawn_again
from siems.cli.show import Column, Item, at, field, show_list, show_one
from siems.cli.sla_policy import policy

app = new_app("SLA: board, check, report, explain, policy list, policy show, policy set.")
app.add_typer(policy, name="policy")

Query = Annotated[str, typer.Option("--query", help="only these: see siems help query")]


def _left(item: Item) -> str:
    from datetime import UTC, datetime

    from siems.present import duration, instant

    if item["standing"] == "paused":
        return "= hold"
    left = (instant(item["due_at"]) - datetime.now(UTC)).total_seconds()
    return f"{'x' if left < 0 else '!' if left < 600 else ' '} {duration(left)}"


def _severity(item: Item) -> str:
    return {"CRITICAL": "bold red", "HIGH": "yellow", "LOW": "dim"}.get(item["severity"], "")


def _pace(item: Item) -> str | None:
    forecast = item["forecast"]
    return None if forecast is None else forecast["verdict"]


def _pace_told(item: Item) -> str:
    f = item["forecast"]
    if f is None:
        return ""
    from siems.present import took

    return f"{f['verdict']} (usually {took(f['median_seconds'])}, {f['cases']} cases)"


BOARD = (
    Column("LEFT", lambda i: i["left_seconds"], _left),
    field("CLOCK", "clock"),
    Column("SEVERITY", lambda i: i["severity"], style=_severity),
    field("ID", "id"),
    Column("STATE", lambda i: i["state"], lambda i: "ON HOLD" if i["incident"]["on_hold"] else str(i["state"]), drop=3),
    Column("COMPANY", lambda i: i["company_id"], lambda i: str(i["incident"]["company"]), grows=True, drop=1),
    field("TITLE", "title", grows=True),
    Column("WHO", lambda i: i["assignee"], lambda i: i["incident"]["assignee_name"] or "--", grows=True, drop=2),
    Column("FORECAST", _pace, _pace_told, drop=4),
    field("DUE", "due_at", wide=True),
    field("STANDING", "standing", wide=True),
)


@app.command()
@leaf
def board(
    door: Door,
    query: Query = "",
    limit: Annotated[int, typer.Option("--limit", help="how many")] = 100,
    watch: Annotated[bool, typer.Option("--watch", help="draw it again every 5 seconds")] = False,
) -> None:
    """What is open by its next deadline, and what to expect at the pace of the last 90 days.

    siems sla board --query '#acme' --watch
    """

    def draw() -> None:
        show_list(door, _board(door, query, limit), BOARD)

    if watch:
        drawn_again(door, draw, hint="siems watch --types sla -o jsonl")
    else:
        draw()


def _board(door: Door, query: str, limit: int) -> list[dict[str, Any]]:
    """Each line with what identifies it at its top."""
    kept = ("id", "severity", "state", "company_id", "title", "assignee")
    lines = door.client.sla_board(query, limit=limit)
    return [{**{name: line["incident"][name] for name in kept}, **line} for line in lines]


MATCHES = (
    Column("LEFT", lambda i: i["left_seconds"], _left),
    field("CLOCK", "clock"),
    field("STANDING", "standing"),
    Column("SEVERITY", lambda i: i["severity"], style=_severity),
    field("ID", "id"),
    field("STATE", "state", drop=3),
    Column("COMPANY", lambda i: i["company_id"], lambda i: str(i["company"]), grows=True, drop=1),
    field("TITLE", "title", grows=True),
    Column("WHO", lambda i: i["assignee"], lambda i: i["assignee_name"] or "--", grows=True, drop=2),
    field("DUE", "due_at", wide=True),
)


@app.command()
@leaf
def check(
    door: Door,
    breached: Annotated[bool, typer.Option("--breached", help="has missed a deadline, and is open")] = False,
    within: Annotated[str, typer.Option("--within", help="falls due within, or is over: 30m")] = "",
    query: Query = "",
    once: Annotated[str, typer.Option("--once", help="a word: each match is told once under it")] = "",
) -> int:
    """Exit 9 when an open incident has missed a deadline, or will soon; without flags both, within 30m. For cron.

    siems sla check --within 15m -q
    siems sla check --breached --query '#acme' --once nightly || mail -s late boss@example.com
    """
    from siems.moments import seconds

    found = door.client.sla_check(
        breached=breached, within_seconds=seconds(within or None), query=query, once=once
    )  # fmt: skip
    if door.format == "name":  # both clocks of one incident are one line
        found = list({item["id"]: item for item in found}.values())
    if found or door.json:
        show_list(door, found, MATCHES)
    elif not once:
        door.note("nothing is due, nothing was missed")
    return 9 if found else 0


def _share(name: str, short: str) -> tuple[Column, ...]:
    """The columns of one clock."""
    return (
        Column(
            name.upper(), lambda i: i[name]["percent"],
            lambda i: "--" if i[name]["percent"] is None else f"{i[name]['percent']:g} %",
        ),
        Column(f"{short}_IN_TIME", lambda i: len(i[name]["in_time"]), drop=1),
        Column(f"{short}_BREACHED", lambda i: len(i[name]["breached"]), drop=1),
    )  # fmt: skip


REPORT = (
    Column("GROUP", lambda i: i["group"], lambda i: str(i["name"]), grows=True),
    field("INCIDENTS", "incidents"),
    *_share("response", "RESP"),
    *_share("resolution", "RESO"),
    Column("CANCELLED", lambda i: len(i["response"]["cancelled"]), drop=3),
    Column("RUNNING", lambda i: len(i["resolution"]["running"]), drop=2),
)


@app.command()
@leaf
def report(
    door: Door,
    span: Annotated[str, typer.Option("--range", help="opened within: 7d, 30d")] = "30d",
    by: Annotated[str, typer.Option("--by", help="company, technician or severity")] = "company",
    company: Annotated[str, typer.Option("--company", help="only this client: acme")] = "",
    until: Annotated[str, typer.Option("--until", help="the end of the range, else now")] = "",
) -> None:
    """How well deadlines were kept; --json names the incidents behind each number.

    siems sla report --range 30d --by technician
    siems sla report --range 7d -o csv > week.csv
    """
    import sys
    from datetime import UTC, datetime

    from siems.clock import rfc3339
    from siems.grammar import parse_span
    from siems.moments import moment

    end = moment(until) if until else datetime.now(UTC)
    found = door.client.sla_report(
        since=rfc3339(end - parse_span(span)), until=rfc3339(end) if until else "", by=by, company=company
    )
    if door.json:
        show_one(door, found, lambda _: [], id="by")
        return
    total = [found["total"]] if sys.stdout.isatty() and len(found["lines"]) > 1 else []
    show_list(door, [*found["lines"], *total], REPORT, id="group")


# --- the arithmetic --------------------------------------------------------------------------------------------


@app.command()
@leaf
def explain(door: Door, ref: Annotated[str, typer.Argument(help="INC-12 or 12")]) -> None:
    """How both deadlines come about: what counted, what was paused, what lay outside of hours, and whose it was."""
    try:
        found = door.client.sla_account(ref)
    except errors.NotFound as why:
        why.hint = why.hint or "siems incident list"
        raise
    show_one(door, found, _told)


def _told(a: Item) -> list[str]:
    from siems.present import safe

    paused = f"paused by {', '.join(a['pausing'])}" if a["pausing"] else "never paused"
    return [
        f"{a['id']}  {a['severity']}  {a['state']}  {safe(a['title'])}   {safe(a['company'])} ({a['company_id']})",
        f"clock: {safe(a['hours'])}; {paused}",
        *_account(a["response"], a["severity"]),
        *_account(a["resolution"], a["severity"]),
    ]


_STANDINGS = {
    "running": "running", "over": "missed, and still running", "paused": "on hold", "met": "met in time",
    "late": "met late", "cancelled": "no longer asked for", "merged": "goes on in another incident",
}  # fmt: skip


def _account(c: Item, severity: str) -> list[str]:
    from siems.present import safe

    lines = ["", f"{c['clock']}: {_STANDINGS[c['standing']]}"]
    if c["before"]:
        lines.append("  before that:")
        lines += [_line(line, " ") for line in c["before"]]
    lines.append(f"  {'':11}  {_second(c['starts_at'])}  {safe(c['basis'])}: {_span(c['target_seconds'])}")
    lines += [_line(line, "+") for line in c["lines"]]
    lines.append(f"= {'':11}  {_second(c['due_at'])}  deadline")
    if c["corrected_seconds"]:
        more = "more" if c["corrected_seconds"] > 0 else "less"
        why = "the deadline moved after it was missed, or an act was taken back"
        lines.append(f"  {_span(abs(c['corrected_seconds']))} {more} than the target counted: {why}")
    if c["late"]:
        lines.append("  after the deadline:")
        lines += [_line(line, " ") for line in c["late"]]
    if c["met_at"]:
        lines.append(f"  stopped at {_second(c['met_at'])}")
    if c["due_if_resumed"]:
        lines.append(f"  the deadline moves on while this is on hold; resumed now it is {at(c['due_if_resumed'])}")
    whose = _whose(c)
    if whose:
        lines.append(f"  whose: {whose}")
    return [*lines, *_foreseen(c["forecast"], severity)]


_KINDS = {
    "counted": "counted", "paused": "paused", "resolved": "resolved", "outside": "outside of hours",
    "left": "left", "unused": "not used", "ahead": "outside of hours, to come",
}  # fmt: skip


def _line(line: Item, sign: str) -> str:
    from siems.present import safe

    who = f"  {safe(line['who'])}" if line["kind"] == "counted" and line["who"] else ""
    hold = f"  for {safe(line['why'])}" if line["kind"] == "paused" else ""
    by = f", by {safe(line['who'])}" if line["kind"] == "paused" and line["who"] else ""
    return f"{sign} {_span(line['seconds']):>11}  {_KINDS[line['kind']]}{who}{hold}{by}"


def _whose(c: Item) -> str:
    """Who had it for how long, of the time that counted."""
    from siems.present import safe

    held: dict[str, int] = {}
    for line in (*c["lines"], *c["late"]):
        if line["kind"] == "counted" and line["who"]:
            held[line["who"]] = held.get(line["who"], 0) + line["seconds"]
    return ", ".join(f"{safe(who)} {_span(seconds)}" for who, seconds in held.items())


def _foreseen(f: Item | None, severity: str) -> list[str]:
    if f is None:
        return []
    word = {"late": "will breach at the current pace", "tight": "tight", "in time": "in time"}[f["verdict"]]
    return [
        f"  forecast: {word}. Of the last {f['cases']} {severity} cases of {f['of']} half took at most"
        f" {_span(f['median_seconds'])}, nine of ten {_span(f['p90_seconds'])};"
        f" this one took {_span(f['spent_seconds'])} so far"
    ]


def _second(text: str) -> str:
    return f"{text[:19]}Z"


def _span(seconds: int) -> str:
    sign, whole = ("-" if seconds < 0 else ""), abs(seconds)
    return f"{sign}{whole // 3600}h{whole // 60 % 60:02d}m{whole % 60:02d}s"
