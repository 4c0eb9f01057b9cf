"""What AWS knows of the machines of an account: who answers, who is patched; and activations for those outside.

Everything here blocks: call it on a thread.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from siems.clouds import aws
from siems.clouds.aws_ssm import MOST_AT_ONCE, Agent, Manager
from siems.clouds.aws_template import ACTIVATION_ROLE
from siems.domain.agents import Machine, Patches
from siems.vocabulary import Platform


def machines(manager: Manager, account: str) -> list[Machine]:
    """Every instance of EC2 and every machine that is registered, in all regions of the account."""
    found: list[Machine] = []
    for region in manager.regions:
        agents = manager.agents(region)
        found += [_machine(i, agents.pop(i["InstanceId"], None), account, region) for i in _instances(manager, region)]
        found += [_outside(agent, account) for agent in agents.values()]
    return found


def _instances(manager: Manager, region: str) -> list[Mapping[str, Any]]:
    def ask() -> list[Any]:
        pages = manager.client("ec2", region).get_paginator("describe_instances").paginate()
        return [i for page in pages for r in page["Reservations"] for i in r["Instances"]]

    return [i for i in manager.asked("ec2:DescribeInstances", region, ask) if i["State"]["Name"] not in aws.GONE]


def _machine(entry: Mapping[str, Any], agent: Agent | None, account: str, region: str) -> Machine:
    tags = {tag["Key"]: tag["Value"] for tag in entry.get("Tags", ())}
    windows = entry.get("Platform", "").lower() == "windows"
    return Machine(
        id=entry["InstanceId"], account=account, region=region, name=tags.get("Name", ""),
        state=entry["State"]["Name"], platform=(Platform.WINDOWS if windows else Platform.LINUX).value,
        profile=entry.get("IamInstanceProfile", {}).get("Arn", "").rpartition("/")[2],
        started_at=entry.get("LaunchTime"), **_said(agent),
    )  # fmt: skip


def _outside(agent: Agent, account: str) -> Machine:
    return Machine(
        id=agent.id, account=account, region=agent.region, name=agent.name, platform=agent.platform, **_said(agent)
    )


def _said(agent: Agent | None) -> dict[str, Any]:
    if agent is None:
        return {}
    return {
        "agent": "online" if agent.online else "silent", "seen_at": agent.seen_at, "version": agent.version,
        "latest": agent.latest,
    }  # fmt: skip


def patches(manager: Manager, account: str) -> list[Patches]:
    """How far each machine with an agent is patched; one that was never looked at has no `scanned_at`."""
    found: list[Patches] = []
    for region in manager.regions:
        ids = sorted(manager.agents(region))
        states = {state["InstanceId"]: state for state in _states(manager, region, ids)}
        found += [_patched(states.get(id, {}), id, account, region) for id in ids]
    return found


def _states(manager: Manager, region: str, ids: Iterable[str]) -> list[Mapping[str, Any]]:
    wanted, found = list(ids), list[Mapping[str, Any]]()
    for start in range(0, len(wanted), MOST_AT_ONCE):
        part = wanted[start : start + MOST_AT_ONCE]

        def ask(part: list[str] = part) -> list[Any]:
            pages = manager.client("ssm", region).get_paginator("describe_instance_patch_states")
            return [state for page in pages.paginate(InstanceIds=part) for state in page["InstancePatchStates"]]

        found += manager.asked("ssm:DescribeInstancePatchStates", region, ask)
    return found


def _patched(state: Mapping[str, Any], id: str, account: str, region: str) -> Patches:
    return Patches(
        id=id, account=account, region=region, missing=state.get("MissingCount", 0),
        failed=state.get("FailedCount", 0),
        installed=state.get("InstalledCount", 0) + state.get("InstalledOtherCount", 0),
        pending_reboot=state.get("InstalledPendingRebootCount", 0),
        critical_missing=state.get("CriticalNonCompliantCount", 0),
        security_missing=state.get("SecurityNonCompliantCount", 0), baseline=state.get("BaselineId", ""),
        scanned_at=state.get("OperationEndTime"),
    )  # fmt: skip


def activate(manager: Manager, *, machines: int, now: datetime) -> tuple[str, str, str]:
    """(id, code, region) by which so many machines may register within a day."""
    region = manager.regions[0]

    def ask() -> list[Any]:
        return [
            manager.client("ssm", region).create_activation(
                Description="siems", IamRole=ACTIVATION_ROLE, RegistrationLimit=machines,
                ExpirationDate=now + timedelta(days=1),
            )
        ]  # fmt: skip

    [made] = manager.asked("ssm:CreateActivation", region, ask)
    return made["ActivationId"], made["ActivationCode"], region
