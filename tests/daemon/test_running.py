"""Runs carried out by the daemon: over SSH against a server that runs them, canary first, cancelled, cut off."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest_asyncio

from executors.sshd import PASSWORD, Sshd, serving
from siems.daemon.running import Running
from siems.vocabulary import Role

from .house import ALERT, House, until

TEXT = """\
name: try-out
title: Try it out
risk: low
platforms: [linux]
parameters:
  key: {{secret: true, pattern: '[a-z0-9-]+'}}
precheck: [{{name: look, run: 'echo look'}}]
steps: [{{name: act, run: '{script}'}}]
verify: [{{name: well, run: 'true'}}]
rollback: [{{name: undo, run: 'echo undone'}}]
"""


@pytest_asyncio.fixture
async def sshd() -> AsyncIterator[Sshd]:
    async with serving() as found:
        yield found


async def furnished(house: House, sshd: Sshd, script: str, hosts: int = 3, text: str = TEXT) -> None:
    """web-1 and so on are Acme's and behind the server; try-out is approved by another admin."""
    await house.hire("second", Role.ADMIN)
    for number in range(1, hosts + 1):
        reply = await house.ask("root", "POST", "/companies/comp-acme/assets", {
            "name": f"web-{number}", "addresses": ["127.0.0.1"], "platform": "linux",
        })  # fmt: skip
        assert reply.status in (200, 201), reply
    login = {"username": "ops", "port": sshd.port, "known_hosts": sshd.known_hosts, "secrets": {"password": PASSWORD}}
    assert (await house.ask("root", "PUT", "/companies/comp-acme/logins/ssh", login)).status == 200
    made = await house.ask("root", "POST", "/runbooks", {"company": "acme", "text": text.format(script=script)})
    assert made.status == 201, made
    shown = (await house.ask("second", "GET", "/runbooks/try-out?company=acme")).json()
    yes = {"company": "acme", "digest": shown["digest"]}
    assert (await house.ask("second", "POST", "/runbooks/try-out/approve-content", yes)).status == 200


async def run(house: House, hosts: int = 3, **more: Any) -> str:
    names = [f"web-{number}" for number in range(1, hosts + 1)]
    ask = {"company": "acme", "runbook": "try-out", "hosts": names, "values": {"key": "hidden-4711"}, **more}
    reply = await house.ask("root", "POST", "/runs", ask)
    assert reply.status == 201, reply
    return str(reply.json()["run"]["id"])


async def ended(house: House, ref: str) -> dict[str, Any]:
    async def over() -> Any:
        found = (await house.ask("root", "GET", f"/runs/{ref}")).json()
        return found if found["ended_at"] else None

    return dict(await until(over, seconds=30))


async def printed(house: House, ref: str) -> str:
    return "".join(piece["text"] for piece in (await house.ask("root", "GET", f"/runs/{ref}/output")).json()["items"])


async def test_a_run_over_ssh_is_told_live_verified_and_keeps_no_secret(door: House, sshd: Sshd) -> None:
    await furnished(door, sshd, f'echo "$SIEMS_KEY {PASSWORD} on $$"')
    await door.hire("carol", Role.CLIENT, "comp-acme")
    async with door.events("root") as following, door.events("carol") as clients:
        ref = await run(door)
        found = await ended(door, ref)
        assert (found["state"], found["verified"], found["hosts_succeeded"]) == ("succeeded", True, 3)
        seen = set()
        while "run.finished" not in seen:
            seen.add((await following())["type"])
        await door.alert(ALERT)
        said = [(await clients())["type"] for _ in range(2)]
    assert not [type for type in said if type.startswith("run")], "clients are told nothing of runs"
    assert {"run.requested", "run.started", "run.step_finished", "run.host_finished", "run.output"} <= seen
    text = await printed(door, ref)
    assert text.count("******** ******** on ") == 3
    for where in (text, str(found), str((await door.ask("root", "GET", "/audit?limit=100")).json())):
        assert "hidden-4711" not in where
        assert PASSWORD not in where


async def test_a_canary_that_fails_is_the_only_one_and_can_be_rolled_back(door: House, sshd: Sshd) -> None:
    await furnished(door, sshd, "echo no >&2; exit 3")
    found = await ended(door, await run(door, max_failures=3))
    assert found["state"] == "failed"
    assert [host["state"] for host in found["hosts"]] == ["failed", "skipped", "skipped"]
    assert found["hosts"][0]["detail"] == "a step failed: act (exit code 3)"
    back = (await door.ask("root", "POST", f"/runs/{found['id']}/actions/rollback", {})).json()["run"]
    done = await ended(door, back["id"])
    assert [host["name"] for host in done["hosts"]] == ["web-1"]
    assert (done["state"], await printed(door, back["id"])) == ("succeeded", "undone\n")


async def test_cancelling_stops_what_runs_and_begins_nothing_more(door: House, sshd: Sshd) -> None:
    await furnished(door, sshd, "echo begun; sleep 300")
    ref = await run(door)

    async def begun() -> bool:
        return "begun" in await printed(door, ref)

    await until(begun)
    assert (await door.ask("root", "POST", f"/runs/{ref}/actions/cancel", {})).status == 200
    found = await ended(door, ref)
    assert found["state"] == "cancelled"
    assert [host["state"] for host in found["hosts"]] == ["cancelled", "skipped", "skipped"]


async def answer(house: House, ref: str, said: str, *hosts: str) -> None:
    ask = {"answer": said, "hosts": list(hosts)}
    reply = await house.ask("root", "POST", f"/runs/{ref}/actions/answer", ask)
    assert (reply.status, reply.json()["changed"]) == (200, True), reply


async def when(house: House, ref: str, state: str, asking: int) -> dict[str, Any]:
    async def so() -> Any:
        found = (await house.ask("root", "GET", f"/runs/{ref}")).json()
        return found if (found["state"], found["hosts_asking"]) == (state, asking) else None

    return dict(await until(so, seconds=30))


async def test_a_host_that_fails_asks_and_each_answer_does_what_it_says(
    door: House, sshd: Sshd, tmp_path: Path
) -> None:
    text = TEXT.replace("run: '{script}'", "on_failure: ask, run: '{script}'")
    await furnished(door, sshd, f"echo try; test -e {tmp_path}/ok", hosts=4, text=text)
    ref = await run(door, 4, canary=0, max_failures=4)
    found = await when(door, ref, "asking", 4)
    assert [host["actions"] for host in found["hosts"]] == [["skip", "retry", "hold", "go-on"]] * 4
    assert found["hosts"][0]["detail"] == "a step failed: act (exit code 1)"
    assert "answer" in found["actions"]

    await answer(door, ref, "hold", "web-4")
    await answer(door, ref, "skip", "web-3")
    await answer(door, ref, "go-on", "web-2")
    found = await when(door, ref, "asking", 2)
    assert [host["state"] for host in found["hosts"]] == ["asking", "succeeded", "skipped", "held"]
    (tmp_path / "ok").touch()
    await answer(door, ref, "retry", "web-1", "web-4")
    found = await ended(door, ref)
    assert [host["state"] for host in found["hosts"]] == ["succeeded", "succeeded", "skipped", "succeeded"]
    assert [step["state"] for step in found["hosts"][0]["steps"]] == ["succeeded"] * 3
    assert (await printed(door, ref)).count("try") == 6, "four times, and twice again"
    act = next(step for step in found["hosts"][0]["steps"] if step["name"] == "act")
    assert (act["attempt"], [(one["attempt"], one["state"], one["exit_code"]) for one in act["tries"]]) == (
        2, [(1, "failed", 1)],
    )  # fmt: skip
    assert [step["attempt"] for step in found["hosts"][1]["steps"]] == [1, 1, 1]
    pieces = (await door.ask("root", "GET", f"/runs/{ref}/output?host=web-1")).json()["items"]
    assert [(one["step"], one["attempt"]) for one in pieces if "try" in one["text"]] == [("act", 1), ("act", 2)]


async def test_an_answer_is_taken_while_other_hosts_still_run(door: House, sshd: Sshd, tmp_path: Path) -> None:
    text = TEXT.replace("run: '{script}'", "on_failure: ask, run: '{script}'")
    first = f"mkdir {tmp_path}/first 2>/dev/null && exit 3; mkdir {tmp_path}/second 2>/dev/null || exit 0"
    await furnished(door, sshd, f"{first}; while ! test -e {tmp_path}/ok; do sleep 0.05; done", hosts=2, text=text)
    ref = await run(door, 2, canary=0, max_failures=1)
    found = await when(door, ref, "running", 1)
    [asking] = [host["name"] for host in found["hosts"] if host["state"] == "asking"]
    await answer(door, ref, "retry", asking)
    await when(door, ref, "running", 0)
    (tmp_path / "ok").touch()
    assert (await ended(door, ref))["state"] == "succeeded"


async def test_a_daemon_that_stops_leaves_what_asks_to_the_next_one(door: House, sshd: Sshd, tmp_path: Path) -> None:
    text = TEXT.replace("run: '{script}'", "on_failure: ask, run: '{script}'")
    await furnished(door, sshd, f"echo begun; test -e {tmp_path}/ok || sleep 300", hosts=2, text=text)
    ref = await run(door, 2)

    async def begun() -> bool:
        return "begun" in await printed(door, ref)

    await until(begun)
    await door.runtime.running.stop()
    found = (await door.ask("root", "GET", f"/runs/{ref}")).json()
    assert (found["state"], [host["state"] for host in found["hosts"]]) == ("asking", ["asking", "waiting"])
    assert found["hosts"][0]["detail"] == "a step failed: act (stopped)"
    (tmp_path / "ok").touch()
    await answer(door, ref, "retry", "web-1")
    runtime = door.runtime
    following = Running(runtime.database, runtime.clock, runtime.vault, runtime.settings)
    await following.jobs.settle()
    await following.stop()
    found = await ended(door, ref)
    assert (found["state"], found["verified"]) == ("succeeded", True)


async def test_a_host_that_answers_with_another_key_ends_as_unreachable(door: House, sshd: Sshd) -> None:
    await furnished(door, sshd, "echo never", hosts=1)
    login = {"known_hosts": f"elsewhere.example {sshd.known_hosts.split(' ', 1)[1]}"}
    assert (await door.ask("root", "PUT", "/companies/comp-acme/logins/ssh", login)).status == 200
    found = await ended(door, await run(door, 1))
    assert found["hosts"][0]["state"] == "unreachable"
    assert sshd.commands == []
