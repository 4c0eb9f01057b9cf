"""Runs as lines for people."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from siems.cli.show import Column, Item, at, field, when

STYLES = {"asking": "yellow", "failed": "red", "timed_out": "red", "unreachable": "red", "unknown": "red"}

COLUMNS = (
    field("ID", "id"),
    Column("STATE", lambda r: r["state"], style=lambda r: STYLES.get(r["state"], "")),
    field("RUNBOOK", "runbook", grows=True),
    Column("HOSTS", lambda r: f"{r['hosts_succeeded']}/{r['hosts_total']}"),
    field("RISK", "risk", drop=3),
    Column("COMPANY", lambda r: r["company_id"], lambda r: str(r["company"]), grows=True, drop=4),
    field("INCIDENT", "incident_id", drop=2),
    Column("BY", lambda r: r["requested_by_name"], drop=1),
    when("ASKED", "requested_at"),
    field("DETAIL", "detail", wide=True, grows=True),
)


# --- before it begins ------------------------------------------------------------------------------------------


def plan_lines(plan: Item, *, whole: bool) -> list[str]:
    """Whom it would reach; with `whole` the exact commands of each host, too."""
    from siems.present import plural, safe

    targets = plan["targets"]
    lines = [
        f"{safe(plan['company'])} ({plan['company_id']}): {safe(plan['runbook'])} on {plural(len(targets), 'host')},"
        f" {plan['risk']} risk, {_needs(plan)}"
    ]
    width = max((len(t["name"]) for t in targets), default=0)
    shown = targets if whole or len(targets) <= 20 else targets[:20]
    for target in shown:
        note = f"  ({safe(target['note'])})" if target["note"] else ""
        way = f"{target['platform']} by {target['executor']}"
        lines.append(f"  {safe(target['name']):<{width}}  {way}  {safe(target['address'])}{note}")
    if len(shown) < len(targets):
        lines.append(f"  and {len(targets) - len(shown)} more:  --dry-run shows all")
    if plan["values"]:
        lines.append("  with " + "  ".join(f"{safe(k)}={safe(v)}" for k, v in plan["values"].items()))
    lines += [f"  note: {safe(note)}" for note in plan["notes"]]
    return [*lines, *_commands(targets)] if whole else lines


def _needs(plan: Item) -> str:
    if plan["standing"]:
        return f"approved in advance by {plan['standing']}"
    if not plan["approval"]:
        return "nobody has to approve it"
    from siems.present import safe

    people = ", ".join(safe(name) for name in plan["approvers"][:5])
    return f"{plan['approval']} has to approve it" + (f": {people}" if people else "")


def _commands(targets: Sequence[Item]) -> list[str]:
    """What is run, under the names of all hosts where it is the same."""
    from siems.present import safe

    lines = []
    for commands, group in groupby(targets, key=lambda target: target["commands"]):
        lines += ["", f"on {', '.join(safe(target['name']) for target in group)}:"]
        for c in commands:
            asks = ", asks if it fails" if c["on_failure"] == "ask" else ""
            lines.append(f"  {c['phase']}: {safe(c['step'])}  ({c['shell']}, at most {c['timeout_seconds']} s{asks})")
            lines += [f"    {safe(line)}" for line in c["script"].splitlines()]
    return lines


# --- afterwards ------------------------------------------------------------------------------------------------


def changed_line(r: Item, plan: Item | None) -> list[str]:
    """What became of it, and what to type next."""
    from siems.present import plural, safe

    verified = ", verified" if r["verified"] else ""
    head = f"{r['id']}: {r['state']}{verified}"
    match r["state"]:
        case "pending_approval":
            people = ", ".join(safe(n) for n in (plan or {}).get("approvers", [])[:5])
            asked = f" of {people}" if people else ""
            return [
                f"{head}, approval is asked{asked} until {at(r['expires_at'])}",
                f"  siems runbook status {r['id']} --watch",
            ]
        case "queued" | "running" | "cancelling":
            on = plural(r["hosts_total"], "host")
            return [f"{head} on {on}", f"  siems runbook logs {r['id']} --follow"]
        case "asking":
            return [f"{head}, until {at(r['until'])} at most", *asking_lines(r)]
        case _:
            bad = [h for h in r["hosts"] if h["state"] != "succeeded"]
            lines = [f"{head}: {safe(r['detail'])}" if r["detail"] else head]
            lines += [f"  {safe(h['name'])}: {h['state'].replace('_', ' ')}: {safe(h['detail'])}" for h in bad[:20]]
            if r["state"] == "failed" and "rollback" in r["actions"]:
                lines.append(f"  siems runbook rollback {r['id']}")
            return lines


def asking_lines(r: Item) -> list[str]:
    """The hosts that wait for a person, and what to type."""
    from siems.present import safe

    lines = []
    for h in r["hosts"]:
        if h["state"] == "asking":
            lines.append(f"  {safe(h['name'])} asks what now: {safe(h['detail'])}")
            lines.append(f"    siems runbook answer {r['id']} {'|'.join(h['actions'])} --host {safe(h['name'])}")
        elif h["state"] == "held":
            lines.append(f"  {safe(h['name'])} is held by {safe(h['answered_by_name'])}: {safe(h['detail'])}")
            lines.append(f"    siems runbook answer {r['id']} {'|'.join(h['actions'])} --host {safe(h['name'])}")
    return lines


_SAID = {
    "skip": "left out", "retry": "its step is tried again", "hold": "held", "go-on": "goes on with its next step",
}  # fmt: skip


def answered_lines(r: Item, names: Sequence[str]) -> list[str]:
    """What became of hosts that were answered."""
    from siems.present import safe

    found = {h["name"]: h for h in r["hosts"]}
    return [f"{r['id']} {safe(name)}: {_SAID[found[name]['answer']]}" for name in names]


def card(r: Item, *, brief: bool = False) -> list[str]:
    """A run, its hosts and their steps."""
    from siems.present import safe

    verified = "  verified" if r["verified"] else ""
    lines = [
        f"{r['id']}  {r['state']}{verified}  {safe(r['runbook'])}  {r['risk']} risk"
        f"  {safe(r['company'])} ({r['company_id']})",
        f"asked for by {safe(r['requested_by_name'])} at {at(r['requested_at'])}" + _why(r["reason"]),
    ]
    if r["incident_id"]:
        lines.append(f"about {r['incident_id']}:  siems incident show {r['incident_id']}")
    if r["rollback_of"]:
        lines.append(f"rolls {r['rollback_of']} back:  siems runbook status {r['rollback_of']}")
    if r["values"]:
        lines.append("with " + "  ".join(f"{safe(k)}={safe(v)}" for k, v in r["values"].items()))
    if brief:
        return [*lines, f"on {', '.join(safe(h['name']) for h in r['hosts'][:20])}"]
    lines += _answered(r)
    if r["detail"]:
        lines.append(safe(r["detail"]))
    asking = f", {r['hosts_asking']} waiting for an answer" if r["hosts_asking"] else ""
    lines.append(f"hosts: {r['hosts_done']} of {r['hosts_total']} done, {r['hosts_failed']} failed{asking}")
    first = f"canary {r['canary']}, then " if r["canary"] else "no canary, "
    lines.append(f"{first}{r['parallel']} at a time; {r['max_failures']} may fail")
    if r["until"]:
        lines.append(f"stopped at {at(r['until'])} at the latest")
    for host in r["hosts"]:
        lines += _host(host)
    lines += asking_lines(r)
    lines += [f"next:  siems runbook {action} {r['id']}" for action in r["actions"] if action != "answer"]
    return lines


def _why(reason: str) -> str:
    from siems.present import safe

    return f": {safe(reason)}" if reason else ""


def _answered(r: Item) -> list[str]:
    from siems.present import safe

    if r["standing"]:
        return [f"approved in advance by {r['standing']}"]
    if r["answered_by"]:
        word = "rejected" if r["state"] == "rejected" else "approved"
        return [f"{word} by {safe(r['answered_by_name'])} at {at(r['answered_at'])}"]
    return [f"waits for approval until {at(r['expires_at'])}"] if r["expires_at"] else []


def _host(h: Item) -> list[str]:
    from siems.present import safe

    took = _took(h)
    said = f": {safe(h['detail'])}" if h["detail"] else ""
    lines = [f"  {safe(h['name'])}  {h['state'].replace('_', ' ')}  by {h['executor']}{took}{said}"]
    for s in h["steps"]:
        head = f"    {s['number']} {s['phase']}: {safe(s['name'])}"
        for one in (*s["tries"], s):
            number = f", try {one['attempt']}" if s["tries"] else ""
            lines.append(f"{head}{number}  {_ended(one)}{_took(one)}")
    return lines


def _ended(step: Item) -> str:
    code = f"  exit {step['exit_code']}" if step["exit_code"] else ""
    return f"{step['state'].replace('_', ' ')}{code}"


def _took(item: Item) -> str:
    if not item["started_at"] or not item["ended_at"]:
        return ""
    from siems.present import instant

    seconds = (instant(item["ended_at"]) - instant(item["started_at"])).total_seconds()
    return f"  {seconds:.1f} s"
