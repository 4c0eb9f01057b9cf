"""Scripts over SSH, against a server that really runs them."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from siems.config import Settings
from siems.domain.runbook import Shell
from siems.errors import InvalidField
from siems.executors import Ended, Host, Outcome, Output, Script
from siems.executors.ssh import Ssh

from .sshd import STRANGER, Sshd, serving

EVIL = (
    "; touch PWNED",
    "$(touch PWNED)",
    "`touch PWNED`",
    "a'b\"c",
    "a\nb",
    "{{ssm:x}}",
    "-rf",
    "$HOME",
    "\\",
    "x" * 9_000,
)


@pytest_asyncio.fixture
async def sshd() -> AsyncIterator[Sshd]:
    async with serving() as found:
        yield found


def script(text: str, *, values: Mapping[str, str] | None = None, seconds: float = 20) -> Script:
    return Script(
        key="RUN-1:1:x", shell=Shell.SH, text=text, values=values or {}, timeout=timedelta(seconds=seconds)
    )  # fmt: skip


class Ears:
    """What was heard, by stream."""

    def __init__(self) -> None:
        self.out = self.err = ""
        self.outcomes: list[Outcome] = []
        self.told = asyncio.Event()

    def __call__(self, what: Output | Outcome) -> None:
        if isinstance(what, Outcome):
            self.outcomes.append(what)
        elif what.error:
            self.err += what.text
        else:
            self.out += what.text
        self.told.set()

    async def hears(self, text: str) -> None:
        async with asyncio.timeout(15):
            while text not in self.out:
                self.told.clear()
                await self.told.wait()

    @property
    def outcome(self) -> Outcome:
        [found] = self.outcomes
        return found


async def on(host: Host, told: Script) -> Ears:
    ears = Ears()
    await Ssh(Settings()).run(told, [host], ears)
    return ears


async def test_a_script_runs_there_with_its_values_and_tells_both_streams(sshd: Sshd) -> None:
    ears = await on(sshd.host(), script('echo "to $SIEMS_TO"; echo no >&2; exit 3', values={"SIEMS_TO": "you & me"}))
    assert (ears.out, ears.err) == ("to you & me\n", "no\n")
    assert ears.outcome == Outcome("web-1", Ended.FAILED, 3, "exit code 3")


@pytest.mark.parametrize("value", EVIL)
async def test_a_value_is_never_read_as_more_than_a_value(sshd: Sshd, value: str, tmp_path: Path) -> None:
    ears = await on(sshd.host(), script(f'cd {tmp_path} && printf %s "$SIEMS_X"', values={"SIEMS_X": value}))
    assert ears.outcome.ended is Ended.SUCCEEDED
    assert ears.out == value
    assert list(tmp_path.iterdir()) == []
    assert not any(value in command for command in sshd.commands), "nor does it stand in a list of processes"


async def test_what_a_tool_reads_from_its_input_is_not_the_rest_of_the_script(sshd: Sshd) -> None:
    assert (await on(sshd.host(), script("cat\necho whole"))).out == "whole\n"


async def test_a_host_whose_key_is_not_known_is_told_nothing(sshd: Sshd) -> None:
    other = f"[127.0.0.1]:{sshd.port} {STRANGER.export_public_key().decode().strip()}\n"
    for known in (other, "elsewhere.example " + sshd.known_hosts.split(" ", 1)[1]):
        ears = await on(sshd.host(known_hosts=known), script("echo hello"))
        assert ears.outcome.ended is Ended.UNREACHABLE
        assert "known hosts" in ears.outcome.detail
    assert sshd.commands == []


async def test_a_key_may_stand_under_the_name_of_the_asset(sshd: Sshd) -> None:
    known = "web-1 " + sshd.known_hosts.split(" ", 1)[1]
    assert (await on(sshd.host(known_hosts=known), script("echo here"))).out == "here\n"


@pytest.mark.parametrize(
    ("access", "said"),
    [({"password": "wrong"}, "ops is not let in"), ({"private_key": "no key"}, "cannot be read"),
     ({"username": ""}, "needs username"), ({"password": ""}, "needs a key or a password")],
)  # fmt: skip
async def test_who_is_not_let_in_says_why(sshd: Sshd, access: dict[str, str], said: str) -> None:
    ears = await on(sshd.host(**access), script("echo hello"))
    assert ears.outcome.ended is Ended.UNREACHABLE
    assert said in ears.outcome.detail
    assert "wrong" not in ears.outcome.detail
    assert sshd.commands == []


async def test_a_host_that_is_not_there_says_so(sshd: Sshd) -> None:
    host = sshd.host(port="1", known_hosts=sshd.known_hosts.replace(str(sshd.port), "1"))
    assert (await on(host, script("true"))).outcome.ended is Ended.UNREACHABLE


async def test_what_takes_too_long_is_ended_over_there(sshd: Sshd) -> None:
    ears = await on(sshd.host(), script("echo $$; sleep 300 & wait", seconds=1))
    assert ears.outcome.ended is Ended.TIMED_OUT
    await gone(int(ears.out))


async def test_being_cancelled_ends_it_over_there(sshd: Sshd) -> None:
    ears = Ears()
    task = asyncio.create_task(Ssh(Settings()).run(script("echo $$; sleep 300 & wait"), [sshd.host()], ears))
    await ears.hears("\n")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ears.outcome.ended is Ended.CANCELLED
    await gone(int(ears.out))


async def gone(pid: int) -> None:
    async with asyncio.timeout(10):
        while _alive(pid):
            await asyncio.sleep(0.02)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{pid}/stat")
    return not state.exists() or state.read_text().rpartition(")")[2].split()[0] != "Z"


async def test_a_connection_that_is_lost_in_the_middle_is_no_success(sshd: Sshd) -> None:
    ears = Ears()
    task = asyncio.create_task(Ssh(Settings()).run(script("echo begun; sleep 300"), [sshd.host()], ears))
    await ears.hears("begun")
    sshd.cut()
    await task
    assert ears.outcome.ended is Ended.UNREACHABLE
    assert "connection was lost" in ears.outcome.detail


def test_it_says_beforehand_what_is_missing(tmp_path: Path) -> None:
    whole: dict[str, Any] = {"username": "ops", "known_hosts": "* ssh-ed25519 AAAA", "password": "x"}
    from siems.vocabulary import Platform

    for name in whole:
        with pytest.raises(InvalidField):
            Ssh(Settings()).check(Host(name="w", platform=Platform.LINUX, access={**whole, name: ""}))
    Ssh(Settings()).check(Host(name="w", platform=Platform.LINUX, access=whole))
