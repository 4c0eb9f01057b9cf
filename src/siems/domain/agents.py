"""Whether the machines of a company can be reached by their cloud, why not, and what would help."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from siems.vocabulary import Platform

SETTLING = timedelta(minutes=10)
"""After its start a machine's agent may take so long to announce itself."""


class Answers(StrEnum):
    """How a machine stands to its cloud's agent."""

    YES = "yes"
    SILENT = "silent"
    NO_AGENT = "no agent"
    STOPPED = "stopped"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """One instance as its cloud sees it. `agent`: online, silent, or "" for none that is known."""

    id: str
    account: str
    region: str = ""
    name: str = ""
    state: str = "running"
    platform: str = ""
    agent: str = ""
    seen_at: datetime | None = None
    version: str = ""
    latest: bool = True
    profile: str = ""
    """The instance profile of EC2, which lets an agent log in."""
    started_at: datetime | None = None
    cause: str = ""
    """What the cloud itself says is wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """One asset, whether its agent answers, why not, and what to do."""

    asset: str
    instance_id: str
    account_id: str = ""
    answers: Answers
    why: str = ""
    fix: str = ""
    machine: Machine | None = None


@dataclass(frozen=True, slots=True)
class Look:
    """What a company's accounts have answered: machines by (account, id), and which accounts could not be asked."""

    machines: Mapping[tuple[str, str], Machine] = field(default_factory=dict)
    failed: Mapping[str, str] = field(default_factory=dict)


def health(asset: str, instance_id: str, *, account_id: str, kind: str, look: Look, now: datetime) -> Health:
    """How one asset stands. `account_id`: the cloud account that serves it, "" without one."""

    def say(answers: Answers, why: str, fix: str = "", machine: Machine | None = None) -> Health:
        return Health(
            asset=asset, instance_id=instance_id, account_id=account_id, answers=answers, why=why, fix=fix,
            machine=machine,
        )  # fmt: skip

    if not instance_id:
        return say(Answers.UNKNOWN, "no instance id is known", "siems asset import --aws, or asset edit --instance-id")
    if not account_id:
        return say(Answers.UNKNOWN, "no cloud account is set up for it", f"siems company {kind} setup COMPANY")
    if account_id in look.failed:
        return say(Answers.UNKNOWN, look.failed[account_id], f"siems company {kind} check COMPANY")
    machine = look.machines.get((account_id, instance_id))
    if machine is None:
        return say(Answers.UNKNOWN, "it is not in this account, or not in its regions", "is the instance id right?")
    answers, why, fix = _standing(machine, kind, now)
    return say(answers, why, fix, machine)


def _standing(machine: Machine, kind: str, now: datetime) -> tuple[Answers, str, str]:
    if machine.state not in ("running", "online"):
        return Answers.STOPPED, f"it is {machine.state}", "start it"
    if machine.agent == "online":
        old = "" if machine.latest else f"an old agent ({machine.version}): update it"
        return Answers.YES, "", old
    if machine.cause:
        return (Answers.SILENT if machine.agent else Answers.NO_AGENT), machine.cause, _FIXES.get(kind, "")
    if machine.agent == "silent":
        since = f" since {machine.seen_at:%Y-%m-%d %H:%M} UTC" if machine.seen_at else ""
        return Answers.SILENT, f"its agent is silent{since}", "is the machine up, and its way to the internet open?"
    if machine.started_at is not None and now - machine.started_at < SETTLING:
        return Answers.NO_AGENT, "it started a moment ago", "look again in some minutes"
    if kind == "aws" and not machine.profile:
        return (
            Answers.NO_AGENT, "it has no instance profile, so an agent could not log in",
            "attach one with AmazonSSMManagedInstanceCore, then install the agent",
        )  # fmt: skip
    if kind == "aws":
        return (
            Answers.NO_AGENT,
            f"not managed: no agent, or {machine.profile} lacks AmazonSSMManagedInstanceCore, or no way out",
            "siems asset install-agent",
        )
    return Answers.NO_AGENT, "no agent announces itself", _FIXES.get(kind, "")


_FIXES = {
    "azure": "install the VM agent (waagent, or the Azure VM agent's MSI), or restart it",
    "gcp": "set enable-oslogin and enable-guest-attributes to TRUE in its metadata or the project's",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Patches:
    """How far one machine is patched, as its cloud's patch manager saw it last."""

    id: str
    account: str
    region: str
    missing: int = 0
    failed: int = 0
    installed: int = 0
    pending_reboot: int = 0
    critical_missing: int = 0
    security_missing: int = 0
    baseline: str = ""
    scanned_at: datetime | None = None

    @property
    def compliant(self) -> bool | None:
        """None when it was never looked at."""
        return None if self.scanned_at is None else not (self.missing or self.failed)


# --- how an agent gets there -----------------------------------------------------------------------------------


class Path(StrEnum):
    """How an agent is put on a machine."""

    SSH = "ssh"
    WINRM = "winrm"
    USER_DATA = "user data"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What would be done to one machine; `hybrid`: it is registered by an activation, being outside of AWS."""

    asset: str
    path: Path
    why: str = ""
    hybrid: bool = False
    platform: str = Platform.LINUX.value
    region: str = ""


def install_step(found: Health, *, ways: Collection[str], platform: str, addresses: bool, hybrid: bool) -> Step:
    """How the agent of AWS would come to one asset. `ways`: the executors that its company has a login for."""
    machine = found.machine
    name, platform = found.asset, (machine.platform if machine and machine.platform else platform) or "linux"

    def step(path: Path, why: str, *, outside: bool = False) -> Step:
        region = machine.region if machine else ""
        return Step(asset=name, path=path, why=why, hybrid=outside, platform=platform, region=region)

    if found.answers is Answers.YES:
        return step(Path.NONE, "its agent answers already")
    inside = found.instance_id.startswith("i-")
    if found.instance_id and not found.instance_id.startswith(("i-", "mi-")):
        return step(Path.NONE, "it runs in another cloud, which reaches it by an agent of its own")
    if inside and machine is None:
        return step(Path.NONE, found.why)
    if inside and machine is not None and not machine.profile:
        return step(Path.NONE, "it has no instance profile: attach one with AmazonSSMManagedInstanceCore first")
    if inside and found.answers is Answers.STOPPED:
        return step(Path.USER_DATA, "it is stopped: put the text of --print user-data into its user data, and start it")
    if not inside and not hybrid:
        return step(Path.NONE, "it is outside of AWS: set the account up with --hybrid to take such machines in")
    wanted = Path.WINRM if platform == Platform.WINDOWS.value else Path.SSH
    if wanted.value not in ways or not addresses:
        lack = "no address" if not addresses else f"nobody has said how to log in there by {wanted.value}"
        return step(Path.NONE, f"{lack}; on EC2 user data does it at the next start (--print user-data)")
    return step(wanted, "register it by an activation" if not inside else "", outside=not inside)
