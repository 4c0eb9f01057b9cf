"""PowerShell by WinRM against a server that speaks its protocol: logins, certificates, output, ends."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from siems.config import Settings
from siems.domain.runbook import Shell
from siems.errors import InvalidField
from siems.executors import Ended, Host, Outcome, Output, Script, registry
from siems.executors.winrm import Winrm
from siems.vocabulary import Platform

from .test_ssm import Ears
from .windows import PASSWORD, USER, Windows, certificate


@pytest.fixture
def windows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Windows]:
    monkeypatch.setenv("NTLM_USER_FILE", str(tmp_path / "users"))
    context, pem = certificate(tmp_path, "127.0.0.1")
    with Windows(context, tmp_path / "users") as made:
        made.pem = pem
        yield made


def host(windows: Windows, name: str = "win-01", **more: str) -> Host:
    access = {
        "username": USER, "password": PASSWORD, "port": str(urlsplit(windows.url).port), "known_hosts": windows.pem,
    }  # fmt: skip
    given = {k: v for k, v in (access | more).items() if v}
    return Host(name=name, platform=Platform.WINDOWS, addresses=("127.0.0.1",), access=given)


def script(text: str, *, seconds: float = 20, **more: Any) -> Script:
    given = {"key": "RUN-1:1", "shell": Shell.POWERSHELL, "text": text, "timeout": timedelta(seconds=seconds)}
    return Script(**(given | more))


async def run(what: Script, *hosts: Host) -> Ears:
    ears, executor = Ears(), Winrm(Settings(), look=1)
    await asyncio.wait_for(executor.run(what, hosts, ears), 30)
    await executor.close()
    assert set(ears.ends) == {h.name for h in hosts}
    return ears


@pytest.mark.parametrize("auth", ["", "basic"])
async def test_it_runs_with_its_values_as_they_are(windows: Windows, auth: str) -> None:
    assert registry.get("winrm") is Winrm
    value = '9\'; $(id) & "x" <ü> %PATH%'
    text = 'printf "%s\\r\\n" "$SIEMS_X"; echo oops >&2 # ' + "x" * 100_000
    ears = await run(script(text, values={"SIEMS_X": value}), host(windows, auth=auth), host(windows, "b", auth=auth))
    assert {e.ended for e in ears.ends.values()} == {Ended.SUCCEEDED}, ears.ends
    assert ears.out("win-01") == f"{value}\n"
    assert ears.out("b", error=True) == "oops\n"
    [command, _] = windows.commands.values()
    assert command.line[0] == "powershell.exe"
    assert value not in " ".join(command.line)
    assert windows.shells == {}, "none is left open"


@pytest.mark.parametrize(("code", "told"), [(7, 7), (255, 255)])
async def test_a_failure_has_its_exit_code(windows: Windows, code: int, told: int) -> None:
    [end] = (await run(script(f"echo before; exit {code}"), host(windows))).ends.values()
    assert (end.ended, end.exit_code) == (Ended.FAILED, told)


async def test_what_takes_too_long_is_ended_there(windows: Windows) -> None:
    ears = await run(script("echo begun; sleep 60", seconds=0.5), host(windows))
    [end] = ears.ends.values()
    assert (end.ended, end.exit_code) == (Ended.TIMED_OUT, None)
    assert ears.out("win-01") == "begun\n"
    assert not windows.running()
    assert windows.shells == {}


async def test_output_trickles_and_a_cancelled_run_is_stopped_there(windows: Windows) -> None:
    ears, executor, begun = Ears(), Winrm(Settings(), look=1), asyncio.Event()

    def hear(told: Output | Outcome) -> None:
        ears(told)
        begun.set()

    task = asyncio.ensure_future(executor.run(script("echo begun; sleep 60"), [host(windows)], hear))
    await asyncio.wait_for(begun.wait(), 20)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await executor.close()
    assert ears.ends["win-01"].ended is Ended.CANCELLED
    assert [c.signals for c in windows.commands.values()] == [["Terminate"]]
    assert not windows.running()


async def test_a_machine_with_another_certificate_is_told_nothing(windows: Windows, tmp_path: Path) -> None:
    _, other = certificate(tmp_path, "127.0.0.2")
    for known in (other, ""):
        [end] = (await run(script("true"), host(windows, "localhost", known_hosts=known))).ends.values()
        assert end.ended is Ended.UNREACHABLE
        assert "certificate is not trusted" in end.detail
    assert windows.seen == []


async def test_who_is_not_let_in_and_what_is_refused(windows: Windows) -> None:
    [end] = (await run(script("true"), host(windows, password="wrong"))).ends.values()
    assert end.ended is Ended.UNREACHABLE
    assert f"{USER} is not let in" in end.detail
    windows.refuses = "too many shells"
    [end] = (await run(script("true"), host(windows))).ends.values()
    assert end.ended is Ended.UNREACHABLE
    assert "too many shells" in end.detail
    assert not windows.commands


@pytest.mark.parametrize("value", ["{{ssm:x}}", "a\nb", "\x1b[2J"])
async def test_values_that_must_not_go_there_go_nowhere(windows: Windows, value: str) -> None:
    ears = await run(script("true", values={"SIEMS_X": value}), host(windows))
    assert ears.ends["win-01"].ended is Ended.UNREACHABLE
    assert windows.seen == []


@pytest.mark.parametrize(
    ("access", "word"),
    [
        ({"username": ""}, "needs a username"),
        ({"password": ""}, "needs a password"),
        ({"auth": "magic"}, "no magic"),
        ({"scheme": "http", "auth": "basic"}, "show the password"),
    ],
)  # fmt: skip
async def test_what_is_not_set_up_is_said(windows: Windows, access: dict[str, str], word: str) -> None:
    executor = Winrm(Settings())
    with pytest.raises(InvalidField, match=word):
        executor.check(host(windows, **access))
    await executor.close()
    ears = await run(script("true", shell=Shell.SH), host(windows))
    assert "script for sh" in ears.ends["win-01"].detail
