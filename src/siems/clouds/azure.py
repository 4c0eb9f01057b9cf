"""Azure by REST: managed run commands of virtual machines, which machines answer, what an application may do there.

A managed run command (`runCommands`, API 2024-07-01) has an exit code, output while it runs, a timeout and an end
by DELETE; the older action `runCommand` has none of these.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import httpx

from siems.clouds.speaking import Denied, Speaker, read
from siems.domain.agents import Machine
from siems.domain.cloud import Finding
from siems.errors import Conflict, InvalidField
from siems.vocabulary import Platform

if TYPE_CHECKING:
    from siems.config import Azure as Settings

API = {"api-version": "2024-07-01"}
_MACHINE = re.compile(
    r"(?:/subscriptions/(?P<sub>[0-9a-fA-F-]{36})/resourceGroups/)?(?P<group>[-\w.()]{1,90})"
    r"(?:/providers/Microsoft\.Compute/virtualMachines)?/(?P<name>[-\w.]{1,64})",
    re.IGNORECASE,
)
_COMPUTE = "Microsoft.Compute/virtualMachines"
ACTIONS = (
    f"{_COMPUTE}/read", f"{_COMPUTE}/instanceView/read", f"{_COMPUTE}/runCommands/read",
    f"{_COMPUTE}/runCommands/write", f"{_COMPUTE}/runCommands/delete",
    "Microsoft.Authorization/permissions/read",
)  # fmt: skip
"""The rights of the role, each of which is looked for by `check`."""


@dataclass(frozen=True, slots=True)
class Ran:
    """How a run command stands. `state`: Pending, Running, Succeeded, Failed, TimedOut, Canceled or Unknown."""

    state: str
    out: str
    err: str
    exit_code: int | None
    message: str


class Subscription:
    """One subscription, entered by an application. `access`: subscription, tenant, login, secret."""

    def __init__(self, settings: Settings, access: Mapping[str, str], *, wait: float = 1.0) -> None:
        for name in ("subscription", "tenant", "login", "secret"):
            if not access.get(name):
                raise Conflict(f"nobody has said the {name} for Azure yet", hint="siems company azure setup COMPANY")
        self._settings = settings
        self._access = access
        self._base = f"{settings.endpoint.rstrip('/')}/subscriptions/{access['subscription']}"
        self._speaker = Speaker("Azure", self._log_in, wait=wait)

    async def close(self) -> None:
        await self._speaker.close()

    async def _log_in(self, http: httpx.AsyncClient) -> tuple[str, float]:
        a = self._access
        answer = await http.post(
            f"{self._settings.authority.rstrip('/')}/{a['tenant']}/oauth2/v2.0/token",
            data={
                "grant_type": "client_credentials", "client_id": a["login"], "client_secret": a["secret"],
                "scope": f"{self._settings.endpoint.rstrip('/')}/.default",
            },
        )  # fmt: skip
        told = read("Azure", answer)
        return str(told["access_token"]), float(told.get("expires_in", 300))

    # --- run commands ------------------------------------------------------------------------------------------

    def machine(self, instance_id: str) -> str:
        """The URL of a machine: `group/name`, or its whole resource id in this subscription. Raises InvalidField."""
        group, name = parted(instance_id, self._access["subscription"])
        return f"{self._base}/resourceGroups/{group}/providers/{_COMPUTE}/{name}"

    async def location(self, instance_id: str) -> tuple[str, str]:
        """(location, platform) of a machine."""
        told = await self._speaker.ask("GET", self.machine(instance_id), query=API)
        kind = told.get("properties", {}).get("storageProfile", {}).get("osDisk", {}).get("osType", "")
        return str(told["location"]), str(kind).lower()

    async def start(self, instance_id: str, name: str, *, location: str, script: str, seconds: int) -> None:
        """Begin a run command; the same name again changes nothing of one that runs."""
        properties = {
            "source": {"script": script}, "asyncExecution": True, "timeoutInSeconds": seconds,
            "treatFailureAsDeploymentFailure": False,
        }  # fmt: skip
        url = f"{self.machine(instance_id)}/runCommands/{name}"
        await self._speaker.ask("PUT", url, {"location": location, "properties": properties}, query=API)

    async def look(self, instance_id: str, name: str) -> Ran:
        url = f"{self.machine(instance_id)}/runCommands/{name}"
        told = await self._speaker.ask("GET", url, query=API | {"$expand": "instanceView"})
        view = told.get("properties", {}).get("instanceView") or {}
        provisioning = told.get("properties", {}).get("provisioningState", "")
        state = view.get("executionState") or ("Failed" if provisioning == "Failed" else "Pending")
        return Ran(
            state, view.get("output") or "", view.get("error") or "", view.get("exitCode"),
            view.get("executionMessage") or "",
        )  # fmt: skip

    async def remove(self, instance_id: str, name: str) -> None:
        """What still runs is stopped; what has ended is tidied away."""
        try:
            await self._speaker.ask("DELETE", f"{self.machine(instance_id)}/runCommands/{name}", query=API)
        except Denied as why:
            if why.answered != 404:
                raise

    # --- machines and rights -----------------------------------------------------------------------------------

    async def machines(self) -> list[Machine]:
        """Every machine of the subscription, with whether its agent answers."""
        url = f"{self._base}/providers/{_COMPUTE}"
        plain = await self._speaker.pages(url, "value", query=API)
        status = await self._speaker.pages(url, "value", query=API | {"statusOnly": "true"})
        views = {vm["id"].lower(): vm.get("properties", {}).get("instanceView") or {} for vm in status}
        return [_machine(vm, views.get(vm["id"].lower(), {}), self._access["subscription"]) for vm in plain]

    async def check(self) -> tuple[Finding, ...]:
        """What the application may do there, action by action. Raises Unavailable."""
        try:
            await self._speaker.token()
        except Denied as why:
            fix = "is the secret still valid?  siems company azure setup COMPANY --secret-file -"
            return (Finding("login", False, why.message, fix),)
        found = [Finding("login", True, self._access["login"])]
        url = f"{self._base}/providers/Microsoft.Authorization/permissions"
        try:
            told = await self._speaker.pages(url, "value", query={"api-version": "2022-04-01"})
        except Denied as why:
            return (*found, Finding("Microsoft.Authorization/permissions/read", False, why.message, _ASSIGN))
        return (*found, *(Finding(a, True) if allows(told, a) else Finding(a, False, "", _ASSIGN) for a in ACTIONS))


_ASSIGN = "give the application the role: siems company azure setup COMPANY"


def parted(instance_id: str, subscription: str = "") -> tuple[str, str]:
    """(resource group, name) of a machine. Raises InvalidField, also for one of another subscription."""
    found = _MACHINE.fullmatch(instance_id)
    if found is None or not set(found["group"]) - {"."}:
        raise InvalidField(f"{instance_id[:80]!r} is no machine of Azure", hint="--instance-id GROUP/NAME")
    if found["sub"] and found["sub"].lower() != subscription.lower():
        raise InvalidField(f"{instance_id[:80]!r} is not in this subscription")
    return found["group"], found["name"]


def allows(permissions: list[Mapping[str, Any]], action: str) -> bool:
    """Whether one of several permissions allows an action that the same one does not take back."""

    def matches(patterns: Any) -> bool:
        return any(
            re.fullmatch(re.escape(p).replace(r"\*", ".*"), action, re.IGNORECASE) for p in patterns or ()
        )  # fmt: skip

    return any(matches(p.get("actions")) and not matches(p.get("notActions")) for p in permissions)


def _machine(vm: Mapping[str, Any], view: Mapping[str, Any], subscription: str) -> Machine:
    group, name = parted(vm["id"], subscription)
    codes = [str(s.get("code", "")) for s in view.get("statuses", ())]
    power = next((c.removeprefix("PowerState/") for c in codes if c.startswith("PowerState/")), "running")
    agent: Mapping[str, Any] = view.get("vmAgent") or {}
    told: Mapping[str, Any] = next(iter(agent.get("statuses", ())), {})
    ready = str(told.get("displayStatus", "")).lower() == "ready"
    kind = str(vm.get("properties", {}).get("storageProfile", {}).get("osDisk", {}).get("osType", "")).lower()
    seen = str(told.get("time") or "")
    return Machine(
        id=f"{group}/{name}", account=subscription, region=str(vm.get("location", "")), name=name, state=power,
        platform=Platform.WINDOWS.value if kind == "windows" else Platform.LINUX.value,
        agent="online" if ready else "silent" if agent else "", version=str(agent.get("vmAgentVersion", "")),
        seen_at=datetime.fromisoformat(seen) if seen[:4].isdigit() and len(seen) > 18 else None,
        cause="" if ready else str(told.get("message", ""))[:200],
    )  # fmt: skip


def role_name(subscription: str) -> str:
    """Names of roles are unique in a directory, which may hold several subscriptions."""
    return f"siems access {subscription[:8]}"


def role_definition(subscription: str) -> str:
    """The role to define over there, for `az role definition create`."""
    return (
        json.dumps(
            {
                "Name": role_name(subscription),
                "Description": "Lets siems look at machines and run approved runbooks on them",
                "IsCustom": True,
                "Actions": list(ACTIONS),
                "NotActions": [],
                "AssignableScopes": [f"/subscriptions/{subscription}"],
            },
            indent=2,
        )
        + "\n"
    )
