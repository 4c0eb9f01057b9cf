"""Scripts on the daemon's own machine."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pytest

from siems.config import Executors, Settings
from siems.domain.runbook import Shell
from siems.errors import InvalidField, UsageError
from siems.executors import Ended, Host, Outcome, Script
from siems.executors.local import Local
from siems.vocabulary import Platform

from .test_ssh import EVIL, Ears, gone

ON = Settings(executors=Executors(local_enabled=True))
HERE = Host(name="web-1", platform=Platform.LINUX)


async def run(text: str, *, values: Mapping[str, str] | None = None, seconds: float = 20) -> Ears:
    ears = Ears()
    told = Script(key="k", shell=Shell.SH, text=text, values=values or {}, timeout=timedelta(seconds=seconds))
    await Local(ON).run(told, [HERE], ears)
    return ears


def test_it_is_off_unless_somebody_has_allowed_it() -> None:
    with pytest.raises(UsageError) as refused:
        Local(Settings())
    assert refused.value.hint == "siems config set executors.local.enabled true"
    with pytest.raises(InvalidField):
        Local(ON).check(Host(name="dc01", platform=Platform.WINDOWS))


async def test_a_script_sees_nothing_of_the_daemon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIEMS_TOKEN", "sesame")
    ears = await run('env | grep -c sesame; pwd; echo "$SIEMS_X"', values={"SIEMS_X": "y"})
    count, folder, value = ears.out.splitlines()
    assert (count, value) == ("0", "y")
    assert not Path(folder).exists(), "its folder is gone with it"
    assert ears.outcome == Outcome("web-1", Ended.SUCCEEDED, 0)


@pytest.mark.parametrize("value", EVIL)
async def test_a_value_is_never_read_as_more_than_a_value(value: str, tmp_path: Path) -> None:
    ears = await run(f'cd {tmp_path} && printf %s "$SIEMS_X"', values={"SIEMS_X": value})
    assert ears.out == value
    assert list(tmp_path.iterdir()) == []


async def test_what_takes_too_long_is_ended_with_all_its_children() -> None:
    ears = await run("trap '' TERM; sleep 300 & echo $!; wait; sleep 300", seconds=1)
    assert ears.outcome.ended is Ended.TIMED_OUT
    await gone(int(ears.out))


async def test_being_cancelled_ends_it() -> None:
    ears = Ears()
    told = Script(key="k", shell=Shell.SH, text="sleep 300 & echo $!; wait", timeout=timedelta(seconds=60))
    task = asyncio.create_task(Local(ON).run(told, [HERE], ears))
    await ears.hears("\n")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ears.outcome.ended is Ended.CANCELLED
    await gone(int(ears.out))


async def test_a_child_that_is_left_behind_does_not_keep_the_run() -> None:
    ears = await run("sleep 300 & echo $!", seconds=8)
    assert ears.outcome.ended is Ended.SUCCEEDED
    os.kill(int(ears.out), signal.SIGKILL)
