"""Ways to run a script on hosts: one file per way, found by name; what they take and answer is said here.

An executor is opened once with the settings and kept. It is handed one script for some hosts of one company and
tells, as it happens, what each host prints and how it ended there. It knows no database, no runbook and no approval.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Protocol

from siems.config import Settings
from siems.domain.runbook import Shell
from siems.registry import Registry
from siems.vocabulary import Platform


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """What is run. `values` reach it as environment variables and nothing else; `key` is the same at every try."""

    key: str
    shell: Shell
    text: str
    values: Mapping[str, str] = field(default_factory=dict)
    timeout: timedelta = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """One machine. `access` is what the company's settings say of how to reach it: a role's ARN and its external id,
    a region, a login, a key's name; its secrets are given in clear, so it is never written down."""

    name: str
    platform: Platform
    addresses: tuple[str, ...] = ()
    instance_id: str = ""
    access: Mapping[str, str] = field(default_factory=dict)


class Ended(StrEnum):
    """How a script ended on one host."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    UNREACHABLE = "unreachable"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Output:
    """What a host printed, in pieces of any size; `error` is its other stream."""

    host: str
    text: str
    error: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """How it ended there; `exit_code` where there is one, `detail` says more for people."""

    host: str
    ended: Ended
    exit_code: int | None = None
    detail: str = ""


Heard = Callable[[Output | Outcome], None]
"""Told as it happens, on the loop's thread; one `Outcome` for each host, last."""


class Executor(Protocol):
    """One way to reach hosts."""

    def check(self, host: Host) -> None:
        """Whether it could reach this host at all. Raises InvalidField naming what is missing."""
        ...

    async def run(self, script: Script, hosts: Sequence[Host], heard: Heard) -> None:
        """Run it on every host and tell what happens; ends when each has an outcome, and raises nothing of its own.

        Being cancelled stops what runs on the hosts, as far as the way allows, before it goes on.
        """
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...


class Opening(Protocol):
    """How an executor is made from the settings. Raises UsageError naming the key while it is not set up."""

    def __call__(self, settings: Settings) -> Executor: ...


registry: Registry[Opening] = Registry(
    "executor",
    {
        "azure": "siems.executors.azure:Azure",
        "gcp": "siems.executors.gcp:Gcp",
        "local": "siems.executors.local:Local",
        "ssh": "siems.executors.ssh:Ssh",
        "ssm": "siems.executors.ssm:open_ssm",
        "winrm": "siems.executors.winrm:Winrm",
    },
)

TOGETHER: Mapping[str, int] = {"ssm": 50}
"""So many hosts go into one call where a way takes several at once; of the others each goes by itself."""
