"""`siems demo`: an hour of real alerts through the real webhook, on a throw-away database, then the board."""

from __future__ import annotations

import hmac
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer

from siems import errors
from siems.cli import process, scenario
from siems.cli.context import Door, leaf, new_app
from siems.cli.stage import busy, ends_properly, stage
from siems.client import Client, local

app = new_app("An hour of real alerts on a throw-away database, then the board.")
COMMANDS = ("demo",)

BEHIND = 3_600.0
RUN_SECONDS = 60
PASSWORD = "a demonstration, no secret"  # noqa: S105


@app.command()
@leaf
def demo(
    door: Door,
    seed: Annotated[int, typer.Option("--seed", help="another seed, another hour")] = 7,
    speed: Annotated[float, typer.Option("--speed", help="how many times as fast as life")] = 60.0,
    keep: Annotated[bool, typer.Option("--keep", help="leave the database and say where it is")] = False,
) -> int:
    """Watch alerts become few incidents: siems demo

    Starts a daemon of its own on a free port, in a temporary folder. Its time begins an hour ago and runs sixty
    times as fast until it meets the present. Then a runbook puts five servers right by one command: on this machine,
    which stands for them, and on a process of the demonstration. Ends with the board; without a terminal, prints it.
    """
    if not 2 <= speed <= 600:
        raise errors.UsageError("--speed is between 2 and 600", hint="siems demo --speed 60")
    with performance(seed=seed, speed=speed, keep=keep) as (client, played):
        played.fix()
        return _show(door, client, played)


@contextmanager
def performance(*, seed: int, speed: float, keep: bool = False) -> Iterator[tuple[Client, Player]]:
    """A daemon of its own that has lived through the hour, and its admin's client; both are gone afterwards."""
    with ends_properly(), stage(keep=keep) as ending:
        process.call("init", "--admin", "dana@msp.example", text=PASSWORD + "\n")
        process.start(0, "--clock-behind", str(BEHIND), "--clock-speed", str(speed))
        client = local(timeout=30.0)
        yield client, Player(client, speed=speed, ending=ending).play(scenario.hour(seed))


class Player:
    """Plays the hour against a daemon: sends as the tools would, acts as the people would."""

    def __init__(self, client: Client, *, speed: float, ending: Callable[[], None]) -> None:
        self._admin = client
        self.ending = ending
        self._speed = speed
        self._began = datetime.fromisoformat(client.server_time())
        self._began_here = time.monotonic()
        self._off = timedelta()
        self._secrets: dict[str, dict[str, Any]] = {}
        self._people: dict[str, Client] = {"dana": client}
        self.sent = self.refused = self.duplicates = 0
        self._last: tuple[bytes, dict[str, str]] | None = None
        self.fixed = ""

    # --- time --------------------------------------------------------------------------------------------------

    def _now(self) -> datetime:
        """What the daemon's clock shows: it runs fast until it has caught up."""
        gone = time.monotonic() - self._began_here
        behind = BEHIND - gone * (self._speed - 1)
        present = self._began + timedelta(seconds=BEHIND + gone)
        return present - timedelta(seconds=max(0.0, behind)) + self._off

    def _wait_for(self, second: float) -> None:
        while (left := second - (self._now() - self._began).total_seconds()) > 0:
            time.sleep(min(0.2, left / self._speed))

    # --- the play ----------------------------------------------------------------------------------------------

    def play(self, steps: list[scenario.Step]) -> Player:
        self._set_the_stage()
        with _progress(len(steps), self._speed) as advance:
            for step in steps:
                self._wait_for(step.second)
                match step:
                    case scenario.Signal():
                        self._send(step)
                    case scenario.Deed():
                        self._do(step)
                    case scenario.Trick(kind="forged"):
                        self._forge()
                    case scenario.Trick():
                        self._replay()
                advance()
            self._wait_for(BEHIND)
        return self

    def _set_the_stage(self) -> None:
        for name in scenario.COMPANIES:
            self._secrets[name] = self._admin.onboard(name=name, rate_per_minute=60_000)
        for name, role, companies in scenario.PEOPLE:
            ids = [self._secrets[company]["company_id"] for company in companies]
            self._admin.create_user(name=name, email=f"{name}@msp.example", role=role, companies=ids, password=PASSWORD)
            self._people[name] = Client(self._admin.url, socket_path=self._admin.socket_path, timeout=30.0)

    def _send(self, signal: scenario.Signal) -> None:
        body = json.dumps(
            {
                "asset_name": signal.asset, "signature": signal.signature, "severity": signal.severity,
                "message": signal.message, "tool_source": signal.tool,
                "status": "firing" if signal.firing else "resolved",
            }
        ).encode()  # fmt: skip
        name = {"X-Delivery-ID": f"demo-{self.sent}"}
        headers = self._signed(signal.company, body) | name
        status, said = self._deliver(body, headers)
        if status == 401:  # a busy machine: minutes of the fast clock went by on the way
            self._off += datetime.fromisoformat(self._admin.server_time()) - self._now()
            headers = self._signed(signal.company, body) | name
            status, said = self._deliver(body, headers)
        if status != 202:
            raise errors.SiemsError(f"the daemon refused an alert of the demonstration: {said}")
        self.sent += 1
        self._last = (body, headers)

    def _deliver(self, body: bytes, headers: dict[str, str]) -> tuple[int, dict[str, Any]]:
        return self._admin.deliver("/api/webhooks/alerts", body, headers)

    def _signed(self, company: str, body: bytes) -> dict[str, str]:
        made = self._secrets[company]
        stamp = str(int(self._now().timestamp()))
        value = hmac.digest(made["hmac_secret"].encode(), stamp.encode() + b"." + body, "sha256").hex()
        return {"X-API-Key": made["api_key"], "X-Timestamp": stamp, "X-Signature": f"sha256={value}"}

    def _forge(self) -> None:
        """Somebody who knows a key but not its secret."""
        body = b'{"asset_name":"dc01","signature":"all_is_well","status":"resolved"}'
        headers = self._signed(scenario.ACME, body) | {"X-Signature": "sha256=" + "0" * 64}
        status, _ = self._deliver(body, headers)
        self.refused += status == 401

    def _replay(self) -> None:
        """A delivery that the sender repeats, since it never saw the answer."""
        assert self._last is not None
        status, said = self._deliver(*self._last)
        self.duplicates += status == 202 and said["duplicate"]

    def _do(self, deed: scenario.Deed) -> None:
        person = self._login(deed.who)
        found = person.incidents(f"signature:{deed.signature} state:OPEN,ASSIGNED,IN_PROGRESS", limit=1)["items"]
        if not found:
            return
        ref = found[0]["id"]
        match deed.action:
            case "take":
                person.act("assign", ref, to="@me")
            case "assign":
                person.act("assign", ref, to=deed.words)
            case "note" | "resolve":
                person.act(deed.action, ref, note=deed.words)
            case _:
                person.act(deed.action, ref)

    # --- the cure ----------------------------------------------------------------------------------------------

    def fix(self) -> None:
        """One command on five hosts: the runbook that fits, what it did, and the end of the incident."""
        maria = self._login(scenario.FIXER)
        found = maria.incidents(f"signature:{scenario.HOT} state:OPEN,ASSIGNED,IN_PROGRESS", limit=1)["items"]
        if not found or sys.platform != "linux":
            return
        ref = found[0]["id"]
        with busy(os.environ["SIEMS_HOME"]) as process:
            values = {"process": process, "threshold": 1, "seconds": 1}
            made = maria.ask_for_run(runbook=scenario.CURE, incident=ref, executor="local", values=values)
            run = made["run"]
            for _ in range(RUN_SECONDS * 5):
                if run["ended_at"]:
                    break
                time.sleep(0.2)
                run = maria.run(run["id"])
        said = f"{run['state']}, verified" if run["verified"] else f"{run['state']}: {run['detail']}"
        self.fixed = f"{run['id']} {run['runbook']} on {len(run['hosts'])} hosts of {ref} by one command: {said}"
        if run["verified"]:
            maria.act("resolve", ref, note=f"{run['id']}: what took the CPU gives way; the release is rolled back")

    def _login(self, name: str) -> Client:
        person = self._people[name]
        person.token = person.login(name, PASSWORD)["access_token"]  # an hour is longer than a session
        return person


@contextmanager
def _progress(total: int, speed: float) -> Iterator[Any]:
    """A bar on a terminal; elsewhere a line now and then, so that a log shows that it lives."""
    if sys.stderr.isatty():
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (
            TextColumn("an hour of alerts"),
            BarColumn(),
            TextColumn("{task.completed} sent"),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=Console(stderr=True)) as bar:
            task = bar.add_task("", total=total)
            yield lambda: bar.advance(task)
        return
    done = 0

    def advance() -> None:
        nonlocal done
        done += 1
        if done % 200 == 0:
            print(f"{done} of {total} steps of the hour", file=sys.stderr)

    print(f"an hour of alerts, {speed:g} times as fast as life: {BEHIND / speed:.0f} seconds", file=sys.stderr)
    yield advance


# --- the end ---------------------------------------------------------------------------------------------------


def _show(door: Door, client: Client, played: Player) -> int:
    summary = client.summary()
    verified = client.verify_audit()
    if sys.stdout.isatty() and sys.stdin.isatty() and not door.json:
        from siems.tui.app import run

        client.via = "tui"
        code = run(client, at_end=played.ending)
        print(_result(summary, verified, played))
        return code
    page = client.incidents("state:OPEN,ASSIGNED,IN_PROGRESS,RESOLVED", limit=100)
    if door.json:
        print(json.dumps({"incidents": page["items"], "summary": summary, "audit": verified}))
    else:
        print("\n".join([*_board(page["items"]), "", _result(summary, verified, played)]))
    return 0 if verified["ok"] and played.refused == 1 and played.duplicates == 1 else 9


def _board(items: list[dict[str, Any]]) -> list[str]:
    from siems.present import cell, incident_sla, person, severity_short, state_short

    now = datetime.now(UTC)
    lines = ["SLA       P  ID      STATE    COMPANY           TITLE                               WHO      ALR  L"]
    for i in items:
        alerts = i["alert_count"] + i["repeat_count"]
        lines.append(
            f"{incident_sla(i, now)}  {severity_short(i['severity'])} {cell(i['id'], 7)}"
            f" {cell(state_short(i['state'], on_hold=i['on_hold']), 8)} {cell(i['company'], 17)}"
            f" {cell(i['title'], 35)} {cell(person(i['assignee_name']), 7)} {alerts:>4}  {i['escalation_level']}"
        )
    return lines


def _result(summary: dict[str, Any], verified: dict[str, Any], played: Player) -> str:
    chains = len(verified["chains"])
    word = "whole" if verified["ok"] else "BROKEN"
    fewer = f"{summary['alerts']} alerts became {summary['incidents']} incidents"
    cured = f"{played.fixed}\n" if played.fixed else ""
    return (
        f"{fewer}: {summary['noise_reduction']} % less noise\n{cured}"
        f"{played.refused} forged signature refused, {played.duplicates} replay recognised\n"
        f"audit: {verified['entries']} entries in {chains} chains, the record is {word}"
    )
