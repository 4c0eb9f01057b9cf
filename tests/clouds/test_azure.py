"""Run commands of Azure, which machines answer and what an application may do, against its REST on this machine."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from providers import RESET, Trouble
from siems.clouds.azure import ACTIONS, Subscription, allows, parted, role_definition
from siems.domain.runbook import Shell
from siems.errors import Conflict, InvalidField, Unavailable
from siems.executors import Ended, Host, Outcome, Output, Script, registry
from siems.executors.azure import Azure, _new
from siems.vocabulary import Platform

from .microsoft import LOGIN, SECRET, SUBSCRIPTION, TENANT, Microsoft, Vm
from .test_ssm import Ears

ACCESS = {"subscription": SUBSCRIPTION, "tenant": TENANT, "login": LOGIN, "secret": SECRET}


@pytest.fixture
def microsoft() -> Iterator[Microsoft]:
    with Microsoft() as made:
        yield made


def host(vm: Vm, **more: Any) -> Host:
    given = {"name": vm.name, "platform": Platform.LINUX, "instance_id": f"{vm.group}/{vm.name}", "access": ACCESS}
    return Host(**(given | more))


def script(text: str, *, seconds: float = 20, **more: Any) -> Script:
    return Script(**({"key": "RUN-1:1", "shell": Shell.SH, "text": text, "timeout": timedelta(seconds=seconds)} | more))


async def run(microsoft: Microsoft, what: Script, *hosts: Host) -> Ears:
    ears, executor = Ears(), Azure(microsoft.settings(), wait=0.02, longest=0.1)
    await asyncio.wait_for(executor.run(what, hosts, ears), 30)
    await executor.close()
    assert set(ears.ends) == {h.name for h in hosts}
    return ears


async def test_it_runs_on_each_and_leaves_nothing_behind(microsoft: Microsoft) -> None:
    assert registry.get("azure") is Azure
    vms = [microsoft.vm(f"web-{n}") for n in range(3)]
    what = script('echo "at $SIEMS_LIMIT"; echo oops >&2', values={"SIEMS_LIMIT": "9'0 $(id)"})
    ears = await run(microsoft, what, *map(host, vms))
    assert {e.ended for e in ears.ends.values()} == {Ended.SUCCEEDED}
    assert ears.out("web-1") == "at 9'0 $(id)\n"
    assert ears.out("web-1", error=True) == "oops\n"
    assert microsoft.commands == {}
    assert len(microsoft.removed) == 3
    assert microsoft.ran[0].ask["location"] == "westeurope"
    tokens = [seen for seen in microsoft.seen if seen.path.endswith("/token")]
    assert len(tokens) == 1, "a token is taken once"


async def test_a_failure_has_its_exit_code_and_a_late_one_is_ended(microsoft: Microsoft) -> None:
    vm = microsoft.vm("web-1")
    [end] = (await run(microsoft, script("exit 7"), host(vm))).ends.values()
    assert (end.ended, end.exit_code) == (Ended.FAILED, 7)
    [end] = (await run(microsoft, script("sleep 60", seconds=1), host(vm))).ends.values()
    assert (end.ended, end.exit_code) == (Ended.TIMED_OUT, None)
    assert not microsoft.running()


async def test_output_trickles_and_a_cancelled_run_is_stopped_there(microsoft: Microsoft) -> None:
    ears, executor = Ears(), Azure(microsoft.settings(), wait=0.02, longest=0.05)
    begun = asyncio.Event()

    def hear(told: Output | Outcome) -> None:
        ears(told)
        begun.set()

    task = asyncio.ensure_future(executor.run(script("echo begun; sleep 60"), [host(microsoft.vm("web-1"))], hear))
    await asyncio.wait_for(begun.wait(), 20)
    assert ears.out("web-1") == "begun\n"
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await executor.close()
    assert ears.ends["web-1"].ended is Ended.CANCELLED
    assert microsoft.commands == {}
    assert not microsoft.running()


async def test_of_long_output_the_end_is_kept_and_said_to_be_cut(microsoft: Microsoft) -> None:
    ears = await run(microsoft, script("seq 1 3000"), host(microsoft.vm("web-1")))
    [end] = ears.ends.values()
    assert ears.out("web-1").endswith("\n3000\n")
    assert "last 4 KB" in end.detail


@pytest.mark.parametrize(
    ("before", "now", "new"), [("", "ab", "ab"), ("ab", "abc", "c"), ("abcd", "cdef", "ef"), ("ab", "xy", "xy")]
)
def test_what_is_new_of_output_whose_beginning_has_gone(before: str, now: str, new: str) -> None:
    assert _new(before, now) == new


async def test_what_does_not_get_there_is_told_with_its_reason(microsoft: Microsoft) -> None:
    off, windows = microsoft.vm("off", power="deallocated"), microsoft.vm("win", system="Windows")
    here = microsoft.vm("here")
    stranger = host(here, name="stranger", instance_id=f"/subscriptions/{TENANT}/resourceGroups/a/b")
    ears = await run(
        microsoft, script("true"), host(off), host(windows), host(Vm("gone")), stranger, host(here)
    )  # fmt: skip
    told = {name: (end.ended, end.detail) for name, end in ears.ends.items()}
    assert told.pop("here")[0] is Ended.SUCCEEDED
    assert {ended for ended, _ in told.values()} == {Ended.UNREACHABLE}
    assert "not running" in told["off"][1]
    assert "runs windows" in told["win"][1]
    assert "not found" in told["gone"][1]
    assert len(microsoft.ran) == 1


async def test_with_a_wrong_secret_nothing_is_sent(microsoft: Microsoft) -> None:
    microsoft.secret = "another"
    [end] = (await run(microsoft, script("true"), host(microsoft.vm("web-1")))).ends.values()
    assert end.ended is Ended.UNREACHABLE
    assert "Invalid client secret" in end.detail
    assert SECRET not in end.detail
    assert not microsoft.ran


async def test_throttling_and_broken_connections_are_waited_out_and_run_nothing_twice(microsoft: Microsoft) -> None:
    limit = Trouble(status=429, headers={"Retry-After": "0"}, body={"error": {"code": "TooManyRequests"}})
    microsoft.then(Trouble(), limit, Trouble(), RESET, limit, limit)  # a token, the machine twice, PUT, looks
    [end] = (await run(microsoft, script("echo once"), host(microsoft.vm("web-1")))).ends.values()
    assert end.ended is Ended.SUCCEEDED
    assert len(microsoft.ran) == 1


@pytest.mark.parametrize("value", ["{{ssm:x}}", "a\nb", "\x1b[2J"])
async def test_values_that_must_not_go_there_go_nowhere(microsoft: Microsoft, value: str) -> None:
    ears = await run(microsoft, script("true", values={"SIEMS_X": value}), host(microsoft.vm("web-1")))
    assert ears.ends["web-1"].ended is Ended.FAILED
    assert microsoft.seen == []


# --- machines and rights ---------------------------------------------------------------------------------------


async def asked(microsoft: Microsoft) -> Subscription:
    return Subscription(microsoft.settings().azure, ACCESS, wait=0.01)


async def test_every_machine_with_its_agent_over_several_pages(microsoft: Microsoft) -> None:
    microsoft.vm("web-1")
    microsoft.vm("web-2", agent="Not Ready")
    microsoft.vm("web-3", agent="", system="Windows")
    microsoft.vm("web-4", power="deallocated")
    there = await asked(microsoft)
    found = {m.name: m for m in await there.machines()}
    await there.close()
    assert {name: (m.agent, m.state) for name, m in found.items()} == {
        "web-1": ("online", "running"), "web-2": ("silent", "running"), "web-3": ("", "running"),
        "web-4": ("online", "deallocated"),
    }  # fmt: skip
    assert found["web-2"].cause == "not heard of"
    assert (found["web-3"].platform, found["web-3"].id) == ("windows", "rg-web/web-3")
    assert found["web-1"].seen_at is not None


async def test_a_next_page_elsewhere_is_not_asked_for(microsoft: Microsoft) -> None:
    there = await asked(microsoft)
    await there._speaker.token()
    microsoft.then(Trouble(status=200, body={"value": [], "nextLink": "http://127.0.0.9:1/steal"}))
    assert await there._speaker.pages(f"{microsoft.url}/x", "value") == []
    await there.close()


async def test_a_check_names_what_is_missing(microsoft: Microsoft) -> None:
    there = await asked(microsoft)
    assert [f.ok for f in await there.check()] == [True] * (1 + len(ACTIONS))
    microsoft.not_rights = ["*/runCommands/write"]
    assert [f.right for f in await there.check() if not f.ok] == ["Microsoft.Compute/virtualMachines/runCommands/write"]
    microsoft.rights = []
    assert sum(f.ok for f in await there.check()) == 1
    await there.close()
    microsoft.secret = "another"
    again = await asked(microsoft)
    [found] = await again.check()
    await again.close()
    assert (found.right, found.ok) == ("login", False)
    with pytest.raises(Conflict, match="tenant"):
        Subscription(microsoft.settings().azure, {"subscription": SUBSCRIPTION})
    nobody = Subscription(microsoft.settings().azure.model_copy(update={"authority": "http://127.0.0.1:9"}), ACCESS)
    with pytest.raises(Unavailable, match="no token"):
        await nobody.check()
    await nobody.close()


def test_the_role_allows_what_is_looked_for_and_nothing_more() -> None:
    assert all(allows([{"actions": list(ACTIONS)}], action) for action in ACTIONS)
    assert not allows([{"actions": list(ACTIONS)}], "Microsoft.Compute/virtualMachines/delete")
    assert "*" not in role_definition(SUBSCRIPTION)
    assert allows([{"actions": ["*/read"]}], ACTIONS[0])


@pytest.mark.parametrize("text", ["web-1", "a/b/c", "../x", "a/b?c", "", "group/", "a/b\n"])
def test_what_is_no_machine(text: str) -> None:
    with pytest.raises(InvalidField):
        parted(text, SUBSCRIPTION)


def test_a_machine_by_its_whole_id_or_in_short() -> None:
    assert parted("rg/vm") == ("rg", "vm")
    assert parted(Vm("web-1").path.lower(), SUBSCRIPTION) == ("rg-web", "web-1")
