"""`siems advice`, and what `siems incident` tells of advice: what is advised, what looked alike, how good it was."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from siems import errors
from siems.cli.acts import Ref
from siems.cli.context import Door, leaf, new_app
from siems.cli.show import Column, Item, at, field, show_list, show_one, when

app = new_app("Advice on incidents: what it was worth, and what it has cost.")


def insight_lines(insight: Item | None, ref: str = "") -> list[str]:
    """An insight for people; with `ref` also what to type about it."""
    from siems.present import safe

    if insight is None:
        return []
    i = insight
    lines = [
        f"insight  {i['pattern']}  {i['confidence']:.2f}  by {safe(i['provider'])}, {at(i['at'])}",
        f"  cause     {safe(i['root_cause'])}",
    ]
    if i["recommendation"]:
        lines.append(f"  try       {safe(i['recommendation'])}")
    if i["evidence"]:
        lines.append(f"  evidence  {' '.join(map(safe, i['evidence']))}")
    if i["similar"]:
        lines.append(f"  similar   {' '.join(map(safe, i['similar']))}")
    lines += [line for name in ("severity", "category") if (line := _value(name, i[name]))]
    if i["waiting"] and ref:
        lines.append(f"  it waits for you:  siems incident advice {ref} --accept   (or --dismiss)")
    return lines


_STANDINGS = {
    "waiting": "waits for a manager or an admin",
    "applied": "applied at once",
    "accepted": "accepted",
    "dismissed": "declined",
}


def _value(name: str, value: Item | None) -> str:
    from siems.present import safe

    if value is None or value["standing"] not in _STANDINGS:
        return ""
    why = f": {safe(value['why'])}" if value["why"] else ""
    before = f"{safe(value['before'])} -> " if value["before"] else ""
    return (
        f"  {name:<9} {before}{safe(value['value'])} ({value['confidence']:.2f}), {_STANDINGS[value['standing']]}{why}"
    )


def advice(
    door: Door,
    ref: Ref,
    accept: Annotated[bool, typer.Option("--accept", help="what waits comes into force")] = False,
    dismiss: Annotated[
        bool, typer.Option("--dismiss", help="decline what waits; if nothing waits, take back what is in force")
    ] = False,
    useful: Annotated[
        bool | None, typer.Option("--useful/--not-useful", help="whether it helped you; your last word counts")
    ] = None,
    comment: Annotated[str, typer.Option("--comment", help="with --useful or --not-useful")] = "",
) -> None:
    """What is advised on an incident: pattern, probable cause, what to try, severity and category.

    siems incident advice INC-12
    siems incident advice INC-12 --accept --reason "same as last week"
    siems incident advice INC-12 --not-useful
    """
    if accept and dismiss:
        raise errors.UsageError("accept it or dismiss it?", hint="give one of the two")
    if comment and useful is None:
        raise errors.UsageError("--comment goes with --useful or --not-useful", hint="for a decision it is --reason")
    if useful is not None:
        door.client.rate_advice(ref, useful, comment)
    changed: bool | None = None
    if accept or dismiss:
        verdict = "accept" if accept else "dismiss"
        said = door.client.judge_advice(
            ref, verdict, reason=door.reason, idempotency_key=door.flags.get("idempotency_key") or ""
        )  # fmt: skip
        found, changed = dict(said["advice"]), said["changed"]
        found |= {"changed": changed, "severity": said["severity"], "category": said["category"]}
    else:
        found = door.client.advice(ref)
    show_one(door, found, lambda a: _card(a, changed))


def _card(a: Item, changed: bool | None) -> list[str]:
    from siems.present import safe

    if a["insight"] is None:
        return [f"{a['id']}: no advice: {safe(a['why_none'])}"]
    lines = []
    if changed is not None:
        now = f"{a['severity']}, {a['category']}"
        lines.append(f"{a['id']}: {'done' if changed else 'nothing of this advice waits or is in force'}; now {now}")
    lines += insight_lines(a["insight"], a["id"] if a["may_decide"] else "")
    if a["decided_by"]:
        lines.append(f"  decided by {safe(a['decided_by'])}, {at(a['decided_at'])}")
    if a["reversible"] and a["may_decide"] and not a["insight"]["waiting"]:
        lines.append(f"  to take it back:  siems incident advice {a['id']} --dismiss")
    rated = a["useful"] + a["not_useful"]
    mine = {None: "", True: " (you: useful)", False: " (you: not useful)"}[a["mine"]]
    if rated:
        lines.append(f"  useful to {a['useful']} of {rated}{mine}")
    else:
        lines.append(f"  was it of use?  siems incident advice {a['id']} --useful | --not-useful")
    return lines


def _likeness(item: Item) -> str:
    return f"{item['likeness']:.2f}"


SIMILAR = (
    Column("LIKE", lambda s: s["likeness"], _likeness),
    field("ID", "id"),
    field("COMPANY", "company_id", wide=True),
    field("SEVERITY", "severity", wide=True),
    when("RESOLVED", "resolved_at"),
    Column("BY", lambda s: s["resolved_by"], lambda s: str(s["resolved_by"]) if s["by_person"] else "itself", drop=2),
    field("TITLE", "title", grows=True, drop=3),
    field("WHAT HELPED", "notes", grows=True),
    field("CAUSE", "cause", drop=4),
    Column("WHY", lambda s: s["why"], lambda s: ", ".join(s["why"]), grows=True, drop=1),
)


def similar(
    door: Door,
    ref: Ref,
    everywhere: Annotated[bool, typer.Option("--everywhere", help="among all clients that you may see")] = False,
    limit: Annotated[int, typer.Option("--limit", help="how many, 50 at most")] = 10,
) -> None:
    """Incidents that are over and looked like this one, the likest first, with what ended them.

    siems incident similar INC-12
    siems incident similar INC-12 --everywhere -o wide
    """
    show_list(door, door.client.similar(ref, everywhere=everywhere, limit=limit), SIMILAR)


INCIDENT_VERBS = (leaf(advice), leaf(similar))

STATS = (
    field("PROVIDER", "provider"),
    field("INCIDENTS", "incidents"),
    Column("CONFIDENCE", lambda p: p["confidence"], lambda p: f"{p['confidence']:.2f}", drop=3),
    field("USEFUL", "useful"),
    field("NOT", "not_useful"),
    field("RAISED", "raised"),
    field("LOWERED", "lowered"),
    field("WAITING", "waiting", drop=1),
    field("DECLINED", "declined"),
    field("CALLS", "calls"),
    field("CACHED", "from_cache", drop=2),
    field("FAILED", "failures"),
    field("TOKENS", "tokens", drop=1),
)


@app.command()
@leaf
def stats(
    door: Door,
    company: Annotated[str, typer.Option("--company", help="acme; else all that you may see")] = "",
    days: Annotated[int, typer.Option("--days", help="how far back")] = 30,
) -> None:
    """What advice was worth: what people thought of it, what it changed, and what it has cost.

    siems advice stats --company acme --days 7
    """
    found = door.client.advice_stats(company=company, days=days)
    if door.format in ("json", "jsonl", "yaml"):
        show_one(door, found, lambda _: (), id="company_id")
        return
    show_list(door, found["providers"], STATS, id="provider")
    import sys

    if sys.stdout.isatty():
        order: list[Any] = found["order"]
        door.say(f"asked in this order: {', '.join(order)}" if order else "advice is off: [advice] providers")
