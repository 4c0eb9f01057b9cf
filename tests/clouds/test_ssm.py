"""Run Command against an AWS in which commands really run: how they end, what they print, what never gets there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from siems.domain.runbook import Shell
from siems.errors import InvalidField
from siems.executors import Ended, Host, Outcome, Output, Script, registry
from siems.executors.ssm import Pace, Ssm
from siems.vocabulary import Platform

from .fleet import Agent, Fleet, Trouble, a_fleet

ROLE, EXTERNAL = "arn:aws:iam::123456789012:role/siems-access", "siems_" + "a" * 40
QUICK = Pace(first=0.02, longest=0.1)


@pytest.fixture
def fleet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Fleet]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with a_fleet(tmp_path) as made:
        made.roles[ROLE] = EXTERNAL
        yield made


def access(**more: str) -> dict[str, str]:
    return {"role_arn": ROLE, "external_id": EXTERNAL, "regions": "eu-west-1", "bucket": ""} | more


def host(agent: Agent | str, **more: Any) -> Host:
    id = agent if isinstance(agent, str) else agent.id
    return Host(name=f"host-{id[-2:]}", platform=Platform.LINUX, instance_id=id, **({"access": access()} | more))


def script(text: str, *, key: str = "RUN-1:1", seconds: float = 20, **more: Any) -> Script:
    return Script(key=key, shell=Shell.SH, text=text, timeout=timedelta(seconds=seconds), **more)


class Ears:
    """What was heard of a run."""

    def __init__(self) -> None:
        self.heard: list[Output | Outcome] = []

    def __call__(self, told: Output | Outcome) -> None:
        self.heard.append(told)

    def out(self, name: str, *, error: bool = False) -> str:
        return "".join(
            o.text for o in self.heard if isinstance(o, Output) and o.host == name and o.error is error
        )  # fmt: skip

    @property
    def ends(self) -> dict[str, Outcome]:
        found = [o for o in self.heard if isinstance(o, Outcome)]
        assert len({o.host for o in found}) == len(found), "one end for each"
        return {o.host: o for o in found}


async def run(fleet: Fleet, what: Script, *hosts: Host) -> Ears:
    ears, executor = Ears(), Ssm(fleet.settings(), QUICK)
    await asyncio.wait_for(executor.run(what, hosts, ears), 60)
    await executor.close()
    assert set(ears.ends) == {h.name for h in hosts}
    return ears


def test_it_is_found_by_its_name() -> None:
    assert callable(registry.get("ssm"))


async def test_one_command_runs_on_many_and_each_says_what_it_printed(fleet: Fleet) -> None:
    agents = [fleet.agent(f"i-{n:017x}", environment={"WHO": f"agent {n}"}) for n in range(5)]
    ears = await run(
        fleet, script('echo "$WHO: $SIEMS_LIMIT"; echo oops >&2', values={"SIEMS_LIMIT": "90"}), *map(host, agents)
    )
    assert [e.ended for e in ears.ends.values()] == [Ended.SUCCEEDED] * 5
    assert ears.out("host-03") == "agent 3: 90\n"
    assert ears.out("host-03", error=True) == "oops\n"
    [command] = fleet.commands.values()
    assert (command.ask["DocumentName"], command.ask["Comment"]) == ("AWS-RunShellScript", "siems RUN-1:1")
    assert command.ask["Parameters"]["executionTimeout"] == ["20"]


async def test_more_than_fifty_are_several_commands(fleet: Fleet) -> None:
    agents = [fleet.agent(f"i-{n:017x}") for n in range(53)]
    ears = Ears()
    hosts = [Host(name=a.id, platform=Platform.LINUX, instance_id=a.id, access=access()) for a in agents]
    await Ssm(fleet.settings(), QUICK).run(script("true"), hosts, ears)
    assert {e.ended for e in ears.ends.values()} == {Ended.SUCCEEDED}
    assert sorted(len(c.invocations) for c in fleet.commands.values()) == [3, 50]


async def test_a_failure_has_its_exit_code(fleet: Fleet) -> None:
    ears = await run(fleet, script("echo before; exit 7"), host(fleet.agent("i-00000001")))
    [end] = ears.ends.values()
    assert (end.ended, end.exit_code) == (Ended.FAILED, 7)
    assert ears.out(end.host) == "before\n"


async def test_what_takes_too_long_is_ended(fleet: Fleet) -> None:
    ears = await run(fleet, script("echo begun; sleep 60", seconds=1), host(fleet.agent("i-00000001")))
    [end] = ears.ends.values()
    assert (end.ended, end.exit_code) == (Ended.TIMED_OUT, None)
    assert ears.out(end.host) == "begun\n"
    assert not fleet.running()


async def test_output_is_told_while_it_trickles(fleet: Fleet) -> None:
    agent = fleet.agent("i-00000001")
    go, ears = agent.folder / "go", Ears()

    def heard(told: Output | Outcome) -> None:
        ears(told)
        if ears.out("host-01") == "one\n":
            go.touch()  # it only goes on once the first line was heard

    text = "echo one; while [ ! -e go ]; do sleep 0.02; done; echo two"
    await asyncio.wait_for(Ssm(fleet.settings(), QUICK).run(script(text), [host(agent)], heard), 30)
    assert ears.out("host-01") == "one\ntwo\n"
    assert ears.ends["host-01"].ended is Ended.SUCCEEDED


async def test_being_cancelled_stops_what_runs(fleet: Fleet) -> None:
    agent, ears, begun = fleet.agent("i-00000001"), Ears(), asyncio.Event()

    def heard(told: Output | Outcome) -> None:
        ears(told)
        begun.set()

    work = asyncio.create_task(Ssm(fleet.settings(), QUICK).run(script("echo begun; sleep 60"), [host(agent)], heard))
    await asyncio.wait_for(begun.wait(), 20)
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    assert ears.ends["host-01"].ended is Ended.CANCELLED
    assert "ssm:CancelCommand" in fleet.rights
    [command] = fleet.commands.values()
    assert command.invocations[agent.id].cancelled


async def test_who_does_not_answer_is_named_with_the_reason_and_the_others_run(fleet: Fleet) -> None:
    fine = fleet.agent("i-00000001")
    silent = fleet.agent("i-00000002", ping="ConnectionLost")
    lost = fleet.agent("i-00000003", delivers=False)
    windows = fleet.agent("i-00000004", platform="Windows")
    ears = await run(fleet, script("echo hi"), *map(host, (fine, silent, lost, windows, "i-00000009")))
    ends = ears.ends
    assert ends.pop("host-01").ended is Ended.SUCCEEDED
    assert {e.ended for e in ends.values()} == {Ended.UNREACHABLE}
    assert "does not answer since 2026-02-02" in ends["host-02"].detail
    assert "DeliveryTimedOut" in ends["host-03"].detail
    assert "windows" in ends["host-04"].detail
    assert "does not know it in eu-west-1" in ends["host-09"].detail


async def test_each_is_looked_for_in_every_region(fleet: Fleet) -> None:
    here, there = fleet.agent("i-00000001"), fleet.agent("i-00000002", region="us-east-1")
    both = {"access": access(regions="eu-west-1,us-east-1")}
    ears = await run(fleet, script("echo hi"), host(here, **both), host(there, **both))
    assert {e.ended for e in ears.ends.values()} == {Ended.SUCCEEDED}


async def test_throttling_is_waited_out(fleet: Fleet) -> None:
    agent = fleet.agent("i-00000001")
    for right in ("ssm:SendCommand", "ssm:ListCommandInvocations"):
        fleet.then(right, *[Trouble("ThrottlingException")] * 4)
    ears = await run(fleet, script("echo hi"), host(agent))
    assert ears.ends["host-01"].ended is Ended.SUCCEEDED
    assert len(fleet.commands) == 1


async def test_an_answer_that_was_lost_starts_nothing_twice(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    from siems.clouds import aws_ssm
    from siems.errors import Unavailable

    agent, sent = fleet.agent("i-00000001"), aws_ssm.Manager.send

    def lost(self: Any, region: str, *args: Any, **more: Any) -> str:
        sent(self, region, *args, **more)
        raise Unavailable(f"AWS does not answer to ssm:SendCommand in {region}")

    monkeypatch.setattr(aws_ssm.Manager, "send", lost)
    ears = await run(fleet, script("echo hi"), host(agent))
    assert ears.out("host-01") == "hi\n"
    assert len(fleet.commands) == 1
    monkeypatch.setattr(aws_ssm.Manager, "send", lambda *_, **__: lost_for_good())
    ears = await run(fleet, script("echo hi", key="another"), host(agent))
    assert "not known" in ears.ends["host-01"].detail


def lost_for_good() -> str:
    from siems.errors import Unavailable

    raise Unavailable("AWS does not answer to ssm:SendCommand in eu-west-1")


async def test_one_that_vanishes_in_between_does_not_stop_the_others(fleet: Fleet) -> None:
    stays, goes = fleet.agent("i-00000001"), fleet.agent("i-00000002")
    look = fleet.do_DescribeInstanceInformation

    def and_goes(ask: Any, region: str) -> Any:
        found = look(ask, region)
        goes.ping = "Inactive"
        return found

    fleet.do_DescribeInstanceInformation = and_goes  # type: ignore[method-assign]
    ears = await run(fleet, script("echo hi"), host(stays), host(goes))
    assert ears.ends["host-01"].ended is Ended.SUCCEEDED
    assert ears.ends["host-02"].ended is Ended.UNREACHABLE


async def test_long_output_comes_from_the_bucket_or_says_that_it_was_cut(fleet: Fleet) -> None:
    agent, many = fleet.agent("i-00000001"), "i=0; while [ $i -lt 5000 ]; do echo line $i; i=$((i+1)); done"
    ears = await run(fleet, script(many), host(agent))
    assert len(ears.out("host-01")) == 24_000
    assert "cut at 24000 characters" in ears.ends["host-01"].detail
    fleet.client("s3").create_bucket(
        Bucket="acme-output", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
    )
    ears = await run(fleet, script(many, key="again"), host(agent, access=access(bucket="acme-output")))
    assert ears.out("host-01").splitlines()[-1] == "line 4999"
    assert ears.ends["host-01"].detail == ""


# --- what must never get there (B1, B2) ------------------------------------------------------------------------

HARMLESS = ["; touch pwned", "$(touch pwned)", "`touch pwned`", "' ; touch pwned ; '", '" ; touch pwned ; "',
            "-rf /", "a && touch pwned", "${HOME}", "\\'; touch pwned; \\'", "\u2019; touch pwned"]  # fmt: skip
REFUSED = ["{{ssm:x}}", "{{ platformType }}", "a\ntouch pwned", "a\rb", "a\x00b", "x" * 65_536, "\x1b[2J"]


async def test_values_are_values_whatever_they_look_like(fleet: Fleet) -> None:
    agent = fleet.agent("i-00000001")
    values = {f"SIEMS_V{n}": text for n, text in enumerate(HARMLESS)}
    text = "\n".join(f'printf "%s\\n" "$SIEMS_V{n}"' for n in range(len(HARMLESS)))
    ears = await run(fleet, script(text, values=values), host(agent))
    assert ears.out("host-01").splitlines() == HARMLESS
    assert not list(agent.folder.iterdir())


@pytest.mark.parametrize("value", REFUSED, ids=[repr(v[:12]) for v in REFUSED])
async def test_what_is_refused_is_refused_before_any_call(fleet: Fleet, value: str) -> None:
    ears = await run(fleet, script("true", values={"SIEMS_X": value}), host(fleet.agent("i-00000001")))
    [end] = ears.ends.values()
    assert end.ended is Ended.FAILED
    assert "SIEMS_X" in end.detail
    assert fleet.rights == []


async def test_braces_of_a_tool_reach_the_tool_and_not_systems_manager(fleet: Fleet) -> None:
    text = "set -e\nprintf '%s' '{{.Names}}'\ncat <<'END'\n {{ end }} it's \"$SIEMS_X\"\nEND\nexit 5"
    ears = await run(fleet, script(text, values={"SIEMS_X": "v"}), host(fleet.agent("i-00000001")))
    assert ears.out("host-01") == '{{.Names}} {{ end }} it\'s "$SIEMS_X"\n'
    assert ears.ends["host-01"].exit_code == 5


async def test_without_our_external_id_no_role_is_entered(fleet: Fleet) -> None:
    agent = fleet.agent("i-00000001")
    ears = await run(fleet, script("true"), host(agent, access=access(external_id="")), host("i-00000002", access={}))
    assert {e.ended for e in ears.ends.values()} == {Ended.UNREACHABLE}
    assert fleet.rights == []


async def test_the_external_id_of_another_opens_nothing(fleet: Fleet) -> None:
    agent = fleet.agent("i-00000001")
    ears = await run(fleet, script("true"), host(agent, access=access(external_id="siems_" + "b" * 40)))
    assert "sts:AssumeRole" in ears.ends["host-01"].detail
    assert fleet.rights == ["sts:AssumeRole"]
    assert not fleet.commands


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        ({"instance_id": ""}, "no instance id"),
        ({"instance_id": "rg/vm"}, "no instance id"),
        ({"access": {}}, "account"),
    ],
)
def test_check_names_what_is_missing(wrong: dict[str, Any], word: str) -> None:
    fine: dict[str, Any] = {"instance_id": "i-00000001", "access": access()}
    executor: Callable[[Host], None] = Ssm(None).check  # type: ignore[arg-type]
    executor(Host(name="web", platform=Platform.LINUX, **fine))
    with pytest.raises(InvalidField, match=word):
        executor(Host(name="web", platform=Platform.LINUX, **(fine | wrong)))
