"""`siems runbook run` and what belongs to a run: answers, status, logs, cancel, rollback; hung onto `siems runbook`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Annotated, Any

import typer

from siems import errors
from siems.cli.context import Door, leaf
from siems.cli.run_lines import COLUMNS, answered_lines, card, changed_line, plan_lines
from siems.cli.show import Item, show_list, show_one

Ref = Annotated[str, typer.Argument(metavar="RUN", help="RUN-91 or 91")]
ExitStatus = Annotated[bool, typer.Option("--exit-status", help="exit 9 unless it has succeeded")]
Follow = Annotated[bool, typer.Option("--follow", "-f", help="stay, and show what the hosts print")]


@leaf
def run(
    door: Door,
    name: Annotated[str, typer.Argument(metavar="NAME", help="as siems runbook list shows it")],
    incident: Annotated[str, typer.Option("--incident", help="INC-12: on its assets, and told in its story")] = "",
    company: Annotated[str, typer.Option("--company", help="acme; goes without saying with --incident")] = "",
    host: Annotated[list[str] | None, typer.Option("--host", help="an asset; again for more, - reads them")] = None,
    var: Annotated[list[str] | None, typer.Option("--var", metavar="K=V", help="a value; again for more")] = None,
    var_file: Annotated[str, typer.Option("--var-file", metavar="F|-", help="values, K=V a line, or JSON")] = "",
    executor: Annotated[str, typer.Option("--executor", help="ssm, azure, gcp, winrm, ssh, local")] = "",
    parallel: Annotated[int, typer.Option("--parallel", help="so many hosts at a time")] = 4,
    canary: Annotated[int, typer.Option("--canary", help="so many hosts first; if one fails, no other begins")] = 1,
    max_failures: Annotated[int, typer.Option("--max-failures", help="so many may fail before no other begins")] = 0,
    request_approval: Annotated[
        bool, typer.Option("--request-approval", help="have it approved although nobody has to")
    ] = False,
    follow: Follow = False,
    exit_status: ExitStatus = False,
) -> int:
    """Run a runbook: on the assets of an incident, or on hosts of a client. What it would reach is shown first.

    siems runbook run high-cpu-fix --incident INC-121 --dry-run
    siems runbook run high-cpu-fix --incident 121 --follow --exit-status
    siems asset list --query 'name:web' -q | siems runbook run health-check --company acme --host -

    What has to be approved is asked for and waits: exit 8, and the run's id. HIGH takes  --confirm COMPANY-ID.
    """
    ask: dict[str, Any] = {
        "runbook": name, "incident": incident, "company": company or ("" if incident else _only(door)),
        "hosts": _hosts(host or []), "values": _values(var or [], var_file), "executor": executor,
        "parallel": parallel, "canary": canary, "max_failures": max_failures, "request_approval": request_approval,
        "reason": door.reason,
    }  # fmt: skip
    plan = _planned(door, ask)
    if door.dry_run:
        show_one(door, {"id": "", **plan}, lambda p: plan_lines(p, whole=True))
        return 0
    for text in plan_lines(plan, whole=False):
        door.note(text)
    _sure(door, ask, plan)
    made = door.client.ask_for_run(idempotency_key=door.idempotency_key, **ask)
    found: Item = made["run"]
    if follow:
        from siems.cli.run_follow import followed

        found = followed(door, found)
    show_one(door, found, lambda r: changed_line(r, plan))
    return _code(found, exit_status=exit_status, follow=follow)


def _only(door: Door) -> str:
    from siems.cli.silence import company_of

    return company_of(door, "")


def _hosts(words: list[str]) -> list[str]:
    found: list[str] = []
    for word in words:
        lines = [line.split("\t")[0].strip() for line in sys.stdin] if word == "-" else [word]
        found += [line for line in lines if line]
    if words and not found:
        raise errors.UsageError("standard input names no host", hint="siems asset list -q | siems runbook run ...")
    return found


def _values(words: list[str], file: str) -> dict[str, Any]:
    """What the run is given; what is typed goes before what a file says."""
    found: dict[str, Any] = {}
    if file:
        text = _text_of(file)
        if text.lstrip().startswith("{"):
            import json

            try:
                found = json.loads(text)
            except ValueError as why:
                raise errors.UsageError(f"{file} is no JSON: {why}", hint='{"service": "nginx"}') from why
            if not isinstance(found, dict):
                raise errors.UsageError(f"{file} holds no names", hint='{"service": "nginx"}')
        else:
            found = pairs([line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")])
    return found | pairs(words)


def _text_of(file: str) -> str:
    try:
        if file == "-":
            return sys.stdin.read()
        with open(file) as handle:
            return handle.read()
    except (OSError, UnicodeDecodeError) as why:
        raise errors.UsageError(f"{file} cannot be read ({why})", hint="--var-file FILE") from why


def pairs(words: list[str]) -> dict[str, str]:
    """What is written as K=V. Raises UsageError."""
    return dict(_pair(word) for word in words)


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise errors.UsageError(f"{text[:60]!r} is no value", hint="--var service=nginx")
    return name.strip(), value


def _planned(door: Door, ask: dict[str, Any]) -> Item:
    """What would be run where; nothing is asked for yet."""
    client, before = door.client, door.client.dry_run
    client.dry_run = True
    try:
        return dict(client.ask_for_run(**ask)["plan"])
    finally:
        client.dry_run = before


def _sure(door: Door, ask: dict[str, Any], plan: Item) -> None:
    """A yes of whoever sits there; for HIGH the company's id, typed, wherever they are."""
    if plan["risk"] == "high":
        door.sure(f"{plan['runbook']} is of high risk for {plan['company']}", plan["company_id"])
        ask["confirm"] = plan["company_id"]
    elif door.interactive:
        count = len(plan["targets"])
        door.ask(f"run {plan['runbook']} on {count} host{'' if count == 1 else 's'}?", flag="--yes")


def _code(found: Item, *, exit_status: bool, follow: bool) -> int:
    """8 while somebody has to approve it, or it goes on and its end was asked for; 9 for an end that is no success."""
    state = found["state"]
    if state in ("queued", "running", "asking", "cancelling"):
        return 8 if exit_status else 0
    if state == "pending_approval":
        return 8
    return 9 if exit_status and state != "succeeded" else 0


# --- answers ---------------------------------------------------------------------------------------------------


@leaf
def approve(door: Door, ref: Ref) -> None:
    """Let somebody else's run begin: siems runbook approve RUN-91 --confirm RUN-91

    For one of high risk:  --confirm COMPANY-ID. What is approved here covers its rollback.
    """
    found: Item = door.client.run(ref)
    if "approve" in found["actions"] and not door.dry_run:
        for text in card(found, brief=True):
            door.note(text)
        if found["risk"] == "high":
            door.sure(f"{found['id']} is of high risk for {found['company']}", found["company_id"])
        elif not door.yes:
            wanted = door.flags["confirm"]
            name = wanted if wanted in (found["id"].removeprefix("RUN-"), found["company_id"]) else found["id"]
            door.sure(f"{found['id']} runs on {found['hosts_total']} hosts of {found['company']}", name)
    _change(door, "approve", ref, confirm=found["company_id"] if found["risk"] == "high" else "")


@leaf
def reject(door: Door, ref: Ref) -> None:
    """Say no, and why: siems runbook reject RUN-91 --reason "not in office hours\""""
    _change(door, "reject", ref)


@leaf
def cancel(door: Door, ref: Ref) -> None:
    """Begin on no further host, and stop what runs: siems runbook cancel RUN-91"""
    _change(door, "cancel", ref)


@leaf
def answer(
    door: Door,
    ref: Ref,
    said: Annotated[str, typer.Argument(metavar="ANSWER", help="skip, retry, hold, go-on")],
    host: Annotated[list[str] | None, typer.Option("--host", help="which one; again for more, - reads them")] = None,
) -> None:
    """Say what becomes of a host that asks, since a step failed there.

    siems runbook answer RUN-91 retry --host web-2      the step again
    siems runbook answer RUN-91 go-on --host web-2      on with the next step: you have put it right by hand
    siems runbook answer RUN-91 skip --host web-2       leave this host out
    siems runbook answer RUN-91 hold --host web-2       somebody has it in hand; answer again later

    Without --host it is the one that asks, where there is only one. To stop the whole run:  siems runbook cancel RUN-91
    """
    hosts = _hosts(host or []) or [_asking(door, ref, said)]
    done = door.client.answer_run(
        ref, said, hosts, reason=door.reason, idempotency_key=door.idempotency_key
    )  # fmt: skip
    _show_changed(door, done, lambda r: answered_lines(r, hosts))


def _asking(door: Door, ref: str, said: str) -> str:
    run = door.client.run(ref)
    asking = [h["name"] for h in run["hosts"] if h["state"] in ("asking", "held")]
    if len(asking) != 1:
        if not asking:
            raise errors.Conflict(f"no host of {run['id']} asks", hint=f"siems runbook status {run['id']}")
        hint = f"siems runbook answer {run['id']} {said} --host {asking[0]}"
        raise errors.UsageError(f"{len(asking)} hosts of {run['id']} ask", hint=hint)
    return str(asking[0])


@leaf
def rollback(door: Door, ref: Ref, follow: Follow = False, exit_status: ExitStatus = False) -> int:
    """Go back on every host where anything may have been changed; its approval covers this.

    siems runbook rollback RUN-91 --follow --exit-status
    """
    done = door.client.change_run("rollback", ref, idempotency_key=door.idempotency_key, reason=door.reason)
    found: Item = done["run"]
    if follow and not door.dry_run:
        from siems.cli.run_follow import followed

        found = followed(door, found)
    show_one(door, found, lambda r: changed_line(r, None))
    return _code(found, exit_status=exit_status and not door.dry_run, follow=follow)


def _change(door: Door, action: str, ref: str, **ask: Any) -> None:
    done = door.client.change_run(action, ref, idempotency_key=door.idempotency_key, reason=door.reason, **ask)
    _show_changed(door, done, lambda r: changed_line(r, None)[:1])


def _show_changed(door: Door, done: Item, lines: Callable[[Item], list[str]]) -> None:
    again = " (dry run, nothing is written)" if door.dry_run else "" if done["changed"] else " already"
    item = {**done["run"], "changed": done["changed"]}
    show_one(door, item, lambda r: [f"{text}{again}" for text in lines(r)])


# --- looking ---------------------------------------------------------------------------------------------------


@leaf
def status(
    door: Door,
    ref: Ref,
    watch: Annotated[bool, typer.Option("--watch", help="again whenever something happens, until it is over")] = False,
    exit_status: ExitStatus = False,
) -> int:
    """How a run goes, host by host and step by step: siems runbook status RUN-91 --watch --exit-status"""
    found: Item = door.client.run(ref)
    if watch:
        from siems.cli.run_follow import watched

        found = watched(door, found)
    show_one(door, found, card)
    return _code(found, exit_status=True, follow=watch) if exit_status else 0


@leaf
def logs(
    door: Door,
    ref: Ref,
    host: Annotated[str, typer.Option("--host", help="only of this host")] = "",
    step: Annotated[int, typer.Option("--step", min=0, help="only of its third step: 3")] = 0,
    attempt: Annotated[int, typer.Option("--try", min=0, help="only of the second time it was tried: 2")] = 0,
    follow: Follow = False,
) -> None:
    """What the hosts printed, with secrets masked: siems runbook logs RUN-91 --host web-1 --follow

    A step that was tried again has a line before each further try, which says which one it is.
    """
    from siems.cli.run_follow import printed

    printed(door, door.client.run(ref), host=host, step=step, attempt=attempt, follow=follow)


@leaf
def runs(
    door: Door,
    query: Annotated[str, typer.Option("--query", help="state:failed risk:high #acme runbook:health-check")] = "",
    since: Annotated[str, typer.Option("--since", help="asked for within: 7d")] = "",
    incident: Annotated[str, typer.Option("--incident", help="INC-12")] = "",
    limit: Annotated[str, typer.Option("--limit", help="so many, or all")] = "",
) -> None:
    """Runs, the newest first: siems runbook runs --query 'state:failed' --since 7d"""
    words = " ".join(filter(None, (query and f"({query})", since and f"requested:<{since}")))
    wanted = _limit(limit)
    items: list[Item] = []
    cursor, total = "", 0
    while True:
        page = door.client.runs(words, incident=incident, limit=min(1_000, wanted - len(items)), cursor=cursor)
        items, cursor, total = [*items, *page["items"]], page["next"] or "", page["total"]
        if not cursor or len(items) >= wanted:
            break
    show_list(door, items, COLUMNS, total=total)


def _limit(text: str) -> int:
    if text == "all" or (not text and not sys.stdout.isatty()):
        return 1_000_000
    if text and not (text.isascii() and text.isdigit() and int(text)):
        raise errors.UsageError(f"--limit takes a number or all, not {text!r}", hint="--limit 50")
    return int(text or 30)


def hang(app: typer.Typer) -> None:
    """Hang all of this onto the noun."""
    from siems.cli import run_settings

    for command in (run, approve, reject, answer, cancel, rollback, status, logs, runs):
        app.command(command.__name__)(command)
    for name, group in run_settings.GROUPS.items():
        app.add_typer(group, name=name)
