"""A run in words: its head, its hosts and steps, what waits for whom, and what it does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from siems import present
from siems.tui.frame import rule
from siems.tui.looks import Line, Looks, Piece, spread, width_of, wrap
from siems.tui.panes import Scene
from siems.tui.printouts import Output, Printout
from siems.wire import (
    RunCommand,
    RunDetail,
    RunHostView,
    RunPlan,
    RunScripts,
    RunStepView,
    RunTarget,
    RunView,
    SuggestionView,
)

RISKS: Mapping[str, str] = {"high": "CRITICAL", "medium": "HIGH", "low": "LOW"}
STATES: Mapping[str, Piece] = {
    "pending_approval": ("WAITS FOR APPROVAL", "~"), "queued": ("QUEUED", ""), "running": ("RUNNING", "bold"),
    "asking": ("ASKS WHAT NOW", "~"), "cancelling": ("STOPPING", "~"), "succeeded": ("SUCCEEDED", "v"),
    "failed": ("FAILED", "x"), "cancelled": ("CANCELLED", "dim"), "expired": ("EXPIRED", "dim"),
    "rejected": ("REJECTED", "x"),
}  # fmt: skip
HOSTS: Mapping[str, tuple[str, str, str]] = {
    "waiting": (".", "queued", "dim"), "running": (">", "running", "bold"), "asking": ("?", "ASKS", "x"),
    "held": ("=", "held", "~"), "succeeded": ("v", "done", "v"),
    "failed": ("x", "FAILED", "x"), "timed_out": ("x", "TIMED OUT", "x"), "unreachable": ("x", "UNREACHED", "x"),
    "unknown": ("x", "UNKNOWN", "x"), "cancelled": ("-", "cancelled", "dim"), "skipped": ("-", "skipped", "dim"),
}  # fmt: skip
"""State of a host or step → (sign, word, role)."""
BAD = frozenset({"failed", "timed_out", "unreachable", "unknown"})
OVER = frozenset({"succeeded", "failed", "cancelled", "expired", "rejected"})
ASK = ("asking", "held")
ANSWERED = {
    "retry": "the step is tried again", "go-on": "it goes on with the next step", "skip": "the host is left out",
    "hold": "the host is held",
}  # fmt: skip
MANY = 14
NAME, STEP, STATUS, TOOK = 16, 22, 11, 6


def in_order(hosts: Sequence[RunHostView]) -> list[RunHostView]:
    """Those that ask first, then the failed ones; where there are more than a screen shows, then those that run."""
    many = len(hosts) > MANY
    places = {"asking": 0, "held": 1, **dict.fromkeys(BAD, 2), "running": 3 if many else 4}
    return sorted(hosts, key=lambda host: places.get(host.state, 4))


def sign(state: str) -> tuple[str, str, str]:
    return HOSTS.get(state, ("?", present.safe(state[:10]), ""))


def name(run: RunView) -> str:
    """What is run, or rolled back."""
    return ("rollback of " if run.rollback_of else "") + present.safe(run.runbook[:40])


def state(run: RunView) -> Piece:
    word, role = STATES.get(run.state, (present.safe(run.state[:20]).upper(), ""))
    return (f"{word}, verified" if run.verified else word, role)


def span(since: datetime | None, until: datetime | None, now: datetime) -> str:
    return "" if since is None else present.duration(((until or now) - since).total_seconds())


# --- the head ----------------------------------------------------------------------------------------------------


def path(run: RunView, scene: Scene, width: int) -> Line:
    """Where one is, who asked, and for how long it has gone on."""
    left: list[Piece] = [("Runs", ""), (" > ", "dim"), (f"{run.id} ", "bold"), (name(run), "")]
    if run.incident_id:
        left += [(" > ", "dim"), (run.incident_id, "link")]
    left += [(f"  {run.company[:40]}", "")]
    asked = f"asked {present.person(run.requested_by_name)} {scene.time(run.requested_at)}"
    took = span(run.started_at, run.ended_at, scene.now)
    return spread(left, [(asked, "dim"), (f"  {took}" if took else "", "bold")], width)


def head(run: RunView, scene: Scene, width: int, *, wide: bool) -> Line:
    left: list[Piece] = [
        (f"{run.risk.upper()} risk", RISKS.get(run.risk, "")), (f"  {present.plural(run.hosts_total, 'host')}", "bold"),
        (f"  canary {run.canary}  parallel {run.parallel}", "dim"),
    ]  # fmt: skip
    if wide:
        left.append((f"  stops after {present.plural(run.max_failures + 1, 'failure')}", "dim"))
    left += [("  ", ""), (answered(run, scene), "")]
    return spread(left, [state(run)], width)


def answered(run: RunView, scene: Scene) -> str:
    if run.standing:
        return f"approved in advance by {run.standing}"
    if run.answered_by and run.answered_at is not None:
        word = "rejected by" if run.state == "rejected" else "approved"
        return f"{word} {present.person(run.answered_by_name)} {scene.time(run.answered_at)}"
    if run.self_healing:
        return "by itself"
    return f"rolls {run.rollback_of} back" if run.rollback_of else ""


def progress(run: RunDetail, looks: Looks, width: int) -> Line:
    """How far it is, as far as hosts go."""
    counts = {name: sum(host.state == name for host in run.hosts) for name in HOSTS}
    bad = sum(counts[name] for name in BAD)
    told = [("done", counts["succeeded"], "v"), ("failed", bad, "x"), ("asking", counts["asking"], "x"),
            ("held", counts["held"], "~"), ("running", counts["running"], "bold"),
            ("queued", counts["waiting"], ""), ("skipped", counts["skipped"] + counts["cancelled"], "dim")]  # fmt: skip
    line: list[Piece] = [("  ", "")]
    for word, count, role in told:
        if count:
            line.append((f"{count} {word}  ", role))
    total = max(1, run.hosts_total)
    room = min(24, width - width_of(line) - 34)
    if room > 4:
        full = room * run.hosts_done // total
        line.append((f"[{'#' * full}{'.' * (room - full)}] {100 * run.hosts_done // total} %", "dim"))
    counted = bad + counts["asking"]
    over = counted > run.max_failures
    right: list[Piece] = [(f"failures {counted}, allowed {run.max_failures}", "x" if over else "dim")]
    return spread(line, right, width)


# --- hosts and steps ---------------------------------------------------------------------------------------------


def columns(width: int) -> Line:
    rest = max(0, width - NAME - STEP - STATUS - TOOK - 8)
    head = f"{'HOST':<{NAME}} {'STEP':<{STEP}} {'STATUS':<{STATUS + 2}} {'TIME':>{TOOK}}"
    return [(f"  {head} {'LAST LINE'[:rest]}", "head")]


def host(one: RunHostView, output: Output, scene: Scene, width: int, *, here: bool) -> list[Piece]:
    glyph, word, role = sign(one.state)
    step = one.steps[-1] if one.steps else None
    at = f"{step.number} {step.name}" if step is not None else ""
    if step is not None and step.tries:  # which try it is says more than the end of a long name
        again = f" (try {step.attempt})"
        at = present.clip(present.safe(at), STEP - len(again), mark=scene.looks.cut) + again
    took = span(one.started_at, one.ended_at, scene.now)
    bad = one.state in BAD
    said = one.detail if bad or not output.last(one.name) else output.last(one.name)
    cut = scene.looks.cut
    rest = max(0, width - NAME - STEP - STATUS - TOOK - 8)
    return [
        ("> " if here else "  ", "mark"), (present.cell(one.name, NAME, mark=cut) + " ", "bold" if here else ""),
        (present.cell(at, STEP, mark=cut) + " ", "dim"), (f"{glyph} ", role), (f"{word:<{STATUS}} ", role),
        (f"{took:>{TOOK}} ", ""), (present.cell(said, rest, mark=cut), "error" if bad else ""),
    ]  # fmt: skip


def steps(one: RunHostView | None, scripts: Sequence[RunScripts], scene: Scene, width: int) -> Line:
    """What a host has done and what is still to come, in a row; names give way where there are many."""
    if one is None:
        return []
    planned = next((kind.commands for kind in scripts if kind.platform == one.platform), [])
    line: list[Piece] = [("  ", "")]
    count = max(len(planned), len(one.steps))
    room = max(0, (width - 2) // max(1, count) - 12)
    for number in range(1, count + 1):
        done = next((step for step in one.steps if step.number == number), None)
        line += _step(number, done, planned[number - 1] if number <= len(planned) else None, scene, room)
    return line


def _step(
    number: int, done: RunStepView | None, planned: RunCommand | None, scene: Scene, room: int
) -> list[Piece]:  # fmt: skip
    said = done.name if done is not None else planned.step if planned is not None else ""
    called = present.clip(present.safe(said[:60]), room, mark=scene.looks.cut)
    if done is None:
        return [(f"{number} {called} ", "dim"), (".  ", "dim")]
    glyph, _, role = sign(done.state)
    took = span(done.started_at, done.ended_at, scene.now)
    failed: list[Piece] = [(sign(one.state)[0], sign(one.state)[2]) for one in done.tries[-5:]]
    return [
        (f"{number} {called} ", role if done.state != "succeeded" else ""),
        *failed,
        (f"{glyph} ", role),
        (f"{took}  ", "dim"),
    ]


# --- what was printed --------------------------------------------------------------------------------------------


def printed(one: Printout, before: Printout | None, scene: Scene, width: int, *, named: bool) -> list[Line]:
    """A line that a host printed, on as many as it takes; a new step says its name first."""
    lines: list[Line] = []
    if before is None or (before.host, before.step, before.attempt) != (one.host, one.step, one.attempt):
        who = f"{one.host}: " if named else ""
        again = f", try {one.attempt}" if one.attempt > 1 else ""
        lines.append([(f"{scene.time(one.at)} ", "dim"), (f"{who}[{one.step}] {one.name}{again}", "head")])
    role = "!" if one.error else ""
    return [*lines, *([("  ", ""), (part, role)] for part in folded(one.said, width - 2))]


def folded(text: str, width: int) -> list[str]:
    """A line in as many as it takes, each as far indented as it is."""
    rest = text.expandtabs(8).lstrip(" ")
    indent = " " * min(len(text.expandtabs(8)) - len(rest), max(0, width // 2))
    return [indent + part for part in wrap(rest, max(10, width - len(indent)))]


# --- what it does ------------------------------------------------------------------------------------------------


def commands(found: Sequence[RunCommand], width: int) -> list[Line]:
    """Exactly what a shell is given, step by step."""
    lines: list[Line] = []
    for number, one in enumerate(found, 1):
        asks = ", asks if it fails" if one.on_failure == "ask" else ""
        about = f"   {one.phase}, {one.shell}, at most {one.timeout_seconds} s{asks}"
        lines.append([(f"{number} {present.safe(one.step[:60])}", "head"), (about, "dim")])
        for source in present.safe_lines(one.script.rstrip("\n")):
            lines += [[("    ", ""), (part, "")] for part in folded(source, width - 4)]
    return lines


def names(hosts: Sequence[RunHostView] | Sequence[RunTarget], most: int) -> str:
    told = ", ".join(present.safe(host.name[:40]) for host in hosts[:most])
    return told + (f" and {len(hosts) - most} more" if len(hosts) > most else "")


def rows(suggested: Sequence[SuggestionView], past: Sequence[RunView]) -> list[tuple[str, str]]:
    """What fits an incident and what was run for it, in two lines of its facts."""
    told = [present.safe(one.name[:40]) + (f" (fixed it {one.fixed}x)" if one.fixed else "") for one in suggested[:3]]
    ran = [f"{one.id} {state(one)[0].lower()}" for one in past[:2]]
    found = [("runbooks", f"{', '.join(told)} (R)")] if told else []
    return [*found, ("runs", f"{', '.join(ran)} (b)")] if ran else found


def needs(plan: RunPlan) -> Piece:
    """Who has to say yes."""
    if plan.standing:
        return (f"approved in advance by {plan.standing}", "v")
    if not plan.approval:
        return ("nobody has to approve it: it begins at once", "bold")
    people = ", ".join(present.person(name) for name in plan.approvers[:4])
    return (f"{plan.approval} has to approve it" + (f": {people}" if people else ""), "~")


def gate(run: RunDetail, scene: Scene, width: int, me: str, key: str) -> list[Line]:
    """What stands above the keys while a run waits for an answer."""
    left = int((run.expires_at - scene.now).total_seconds()) if run.expires_at is not None else 0
    expires = f"Expires in {present.duration(left)}." if left > 0 else "It has expired."
    where = f" on {present.plural(run.hosts_total, 'host')} of "
    return [
        rule(scene.looks, width, "approval needed"),
        [(f"{run.risk.upper()} risk", RISKS.get(run.risk, "")), (where, ""), (run.company[:40], "bold"),
         (f": {names(run.hosts, 6)}", "")],
        [("Requested by ", ""), (present.person(run.requested_by_name), "bold"),
         (f': "{run.reason[:200]}"' if run.reason else "", ""), (".  ", ""), (expires, "~" if left > 600 else "!")],
        _asks(run, me, key),
    ]  # fmt: skip


def question(run: RunDetail, one: RunHostView | None, scene: Scene, width: int, key: str) -> list[Line]:
    """What stands above the keys while a host asks: the selected one's question, or which others do."""
    if one is None or one.state not in ASK:
        others = [host for host in run.hosts if host.state == "asking"]
        return [[("? ", "x"), (f"{names(others, 4)} asks what now", "")]] if others else []
    held = one.state == "held"
    by = f" by {present.person(one.answered_by_name)}" if held and one.answered_by_name else ""
    head = f"{one.name} is held{by}" if held else f"a step failed on {one.name}"
    until = f"; {run.id} is stopped at {scene.time(run.until)}" if run.until is not None else ""
    keys: Line = [(key, "key"), (f" answers: {', '.join(one.actions)}   ", ""), ("Z", "key"), (" cancels the run", "")]
    if not one.actions:
        keys = [("It takes somebody who may run runbooks to answer.", "dim")]
    return [
        rule(scene.looks, width, present.safe(head[:80])),
        [(present.cell(one.detail, max(10, width - 1), mark=scene.looks.cut), "error")],
        keys,
        [(f"nothing happens there until somebody chooses{until}", "dim")],
    ]


def _asks(run: RunDetail, me: str, key: str) -> Line:
    who = "an admin" if run.risk == "high" else "a manager or an admin"
    if "approve" in run.actions:
        typed = run.company_id if run.risk == "high" else "the run's number"
        return [(key, "key"), (f" approves (type {typed}) or rejects (with a reason).", "")]
    if run.requested_by == me:
        return [(f"You asked for it: {who} other than you has to answer.", "dim")]
    return [(f"It takes {who} to answer.", "dim")]


def told(run: RunDetail, said: str) -> str:
    """What became of it, and what comes next."""
    if said in ANSWERED:
        return f"{run.id}: {ANSWERED[said]}"
    match run.state:
        case "pending_approval":
            return f"{run.id} waits for approval; whoever may give it has been told"
        case "queued" | "running":
            return f"{run.id} {run.title}: it begins"
        case "cancelling":
            return f"{run.id} is being stopped"
        case _:
            return f"{run.id} is {run.state}"
