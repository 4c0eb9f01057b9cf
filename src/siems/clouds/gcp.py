"""Google Cloud by REST: its machines, who may log in to them and by which keys, what a service account may do there.

Google has no command that runs a script once on one machine: OS policies choose machines by labels and run again every
hour, and patch jobs install patches beside it. What works without an open port and without an agent of ours is SSH
through the Identity-Aware Proxy, with a key that OS Login knows for an hour and host keys that the machine's own guest
agent has told.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import httpx

from siems.clock import SystemClock
from siems.clouds.speaking import Denied, Speaker, read
from siems.domain.agents import Machine
from siems.domain.cloud import Finding
from siems.errors import Conflict, InvalidField
from siems.vocabulary import Platform

if TYPE_CHECKING:
    from siems.config import Gcp as Settings

NAME = "Google Cloud"
SCOPE = "https://www.googleapis.com/auth/cloud-platform"
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
TOKEN_SECONDS = 3_600
AT_ONCE = 8
PAGES = 100
_MACHINE = re.compile(
    r"(?:projects/(?P<project>[a-z0-9-]{1,63})/zones/)?(?P<zone>[a-z]+-[a-z]+[0-9]{1,2}-[a-z])"
    r"(?:/instances)?/(?P<name>[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?)"
)
PERMISSIONS = (
    "compute.instances.get", "compute.instances.list", "compute.instances.getGuestAttributes",
    "compute.instances.osAdminLogin", "compute.projects.get", "iap.tunnelInstances.accessViaIAP",
)  # fmt: skip
"""What is needed there, each of which is looked for by `check`."""
ROLES = ("roles/compute.viewer", "roles/compute.osAdminLogin", "roles/iap.tunnelResourceAccessor")
SERVICES = ("compute", "oslogin", "iap", "cloudresourcemanager")
_YES = ("TRUE", "1", "Y", "YES", "ON")


class Project:
    """One project, entered by a service account. `access`: project, secret (`domain.cloud.service_account`)."""

    def __init__(self, settings: Settings, access: Mapping[str, str], *, wait: float = 1.0) -> None:
        for name in ("project", "secret"):
            if not access.get(name):
                raise Conflict(f"nobody has said the {name} for Google yet", hint="siems company gcp setup COMPANY")
        self.id = access["project"]
        self._key: dict[str, str] = json.loads(access["secret"])
        self._settings = settings
        self._compute = f"{settings.compute.rstrip('/')}/projects/{self.id}"
        self._user = f"{settings.oslogin.rstrip('/')}/users/{quote(self._key['client_email'])}"
        self._speaker = Speaker(NAME, self._log_in, wait=wait)

    async def close(self) -> None:
        await self._speaker.close()

    async def token(self) -> str:
        """Raises Denied, Unavailable."""
        return await self._speaker.token()

    async def _log_in(self, http: httpx.AsyncClient) -> tuple[str, float]:
        """A statement signed with its key for a token (RFC 7523)."""
        import jwt

        now, key = int(SystemClock().now().timestamp()), self._key
        claims = {
            "iss": key["client_email"], "scope": SCOPE, "aud": self._settings.authority, "iat": now,
            "exp": now + TOKEN_SECONDS,
        }  # fmt: skip
        try:
            signed = jwt.encode(claims, key["private_key"], "RS256", headers={"kid": key.get("private_key_id", "")})
        except (ValueError, TypeError, jwt.PyJWTError) as why:
            raise Conflict(
                f"the key of {key['client_email']} cannot be read", hint="siems company gcp setup --secret-file F"
            ) from why
        answer = await http.post(self._settings.authority, data={"grant_type": GRANT, "assertion": signed})
        told = read(NAME, answer)
        return str(told["access_token"]), float(told.get("expires_in", 300))

    # --- one machine -------------------------------------------------------------------------------------------

    async def machine(self, instance_id: str) -> Mapping[str, Any]:
        """A machine as Google describes it. Raises InvalidField, Denied."""
        found: Mapping[str, Any] = await self._speaker.ask("GET", self._url(instance_id))
        return found

    async def host_keys(self, instance_id: str) -> list[str]:
        """The keys of its SSH server as its guest agent has told them, `type base64`; none where it has not."""
        try:
            told = await self._speaker.ask(
                "GET", f"{self._url(instance_id)}/getGuestAttributes", query={"queryPath": "hostkeys/"}
            )
        except Denied as why:
            if why.answered == 404:
                return []
            raise
        items = (told.get("queryValue") or {}).get("items") or []
        return [f"{item['key']} {item['value']}" for item in items if item.get("namespace") == "hostkeys"]

    async def let_in(self, public_key: str, seconds: int) -> str:
        """Make a key known to OS Login for so long; the name to log in by. Raises Denied, Unavailable."""
        until = int(SystemClock().now().timestamp()) + seconds
        told = await self._speaker.ask(
            "POST", f"{self._user}:importSshPublicKey",
            {"key": public_key, "expirationTimeUsec": str(until * 1_000_000)}, query={"projectId": self.id},
        )  # fmt: skip
        accounts = told.get("loginProfile", {}).get("posixAccounts") or []
        known = [a for a in accounts if a.get("operatingSystemType", "LINUX") != "WINDOWS" and a.get("username")]
        found = next((a for a in known if a.get("primary")), next(iter(known), None))
        if found is None:
            raise Conflict("OS Login knows no account for this service account", hint="gcloud compute os-login")
        return str(found["username"])

    async def put_out(self, fingerprint: str) -> None:
        """Take a key back before its time."""
        await self._speaker.ask("DELETE", f"{self._user}/sshPublicKeys/{quote(fingerprint, safe='')}")

    def _url(self, instance_id: str) -> str:
        zone, name = parted(instance_id, self.id)
        return f"{self._compute}/zones/{zone}/instances/{name}"

    # --- all machines, rights ----------------------------------------------------------------------------------

    async def machines(self) -> list[Machine]:
        """Every machine of the project, with whether siems could log in there. Raises Denied, Unavailable."""
        common = _metadata((await self._speaker.ask("GET", self._compute)).get("commonInstanceMetadata"))
        every: list[Mapping[str, Any]] = []
        token = ""
        for _ in range(PAGES):
            query = {"pageToken": token} if token else {}
            told = await self._speaker.ask("GET", f"{self._compute}/aggregated/instances", query=query)
            for zone in (told.get("items") or {}).values():
                every += zone.get("instances") or []
            token = told.get("nextPageToken") or ""
            if not token:
                break
        room = asyncio.Semaphore(AT_ONCE)

        async def look(vm: Mapping[str, Any]) -> Machine:
            async with room:
                return await self._looked(vm, common)

        return list(await asyncio.gather(*(look(vm) for vm in every)))

    async def _looked(self, vm: Mapping[str, Any], common: Mapping[str, str]) -> Machine:
        zone, name = str(vm["zone"]).rsplit("/", 1)[-1], str(vm["name"])
        state, platform = str(vm.get("status", "")).lower(), platform_of(vm)
        settings = {**common, **_metadata(vm.get("metadata"))}
        cause, keys = "", list[str]()
        if platform == Platform.WINDOWS.value:
            cause = "OS Login is for Linux: reach Windows by WinRM (siems runbook access set winrm)"
        elif settings.get("enable-oslogin", "").upper() not in _YES:
            cause = "OS Login is off there (enable-oslogin)"
        elif settings.get("enable-guest-attributes", "").upper() not in _YES:
            cause = "guest attributes are off there (enable-guest-attributes), so its host keys are not known"
        elif state == "running":
            keys = await self.host_keys(f"{zone}/{name}")
            cause = "" if keys else "its guest agent has told no host keys: does it run?"
        return Machine(
            id=f"{zone}/{name}", account=self.id, region=zone, name=name,
            state="stopped" if state == "terminated" else state, platform=platform,
            agent="online" if keys else "", cause=cause,
        )  # fmt: skip

    async def check(self) -> tuple[Finding, ...]:
        """What the service account may do there, right by right. Raises Unavailable."""
        try:
            await self.token()
        except Conflict as why:
            fix = "is the key still valid?  siems company gcp setup COMPANY --secret-file -"
            return (Finding("login", False, why.message, fix),)
        found = [Finding("login", True, self._key["client_email"])]
        url = f"{self._settings.projects.rstrip('/')}/projects/{self.id}:testIamPermissions"
        try:
            told = await self._speaker.ask("POST", url, {"permissions": list(PERMISSIONS)})
        except Denied as why:
            fix = "gcloud services enable cloudresourcemanager.googleapis.com"
            return (*found, Finding("testIamPermissions", False, why.message, fix))
        has = set(told.get("permissions") or [])
        return (*found, *(Finding(one, one in has, "", "" if one in has else _ASSIGN) for one in PERMISSIONS))


_ASSIGN = "give the service account its roles: siems company gcp setup COMPANY"


def parted(instance_id: str, project: str = "") -> tuple[str, str]:
    """(zone, name) of a machine. Raises InvalidField, also for one of another project."""
    found = _MACHINE.fullmatch(instance_id)
    if found is None or bool(found["project"]) != ("/instances/" in instance_id):
        raise InvalidField(f"{instance_id[:80]!r} is no machine of Google", hint="--instance-id ZONE/NAME")
    if found["project"] and found["project"] != project:
        raise InvalidField(f"{instance_id[:80]!r} is not in this project")
    return found["zone"], found["name"]


def platform_of(vm: Mapping[str, Any]) -> str:
    """Which system its disk holds."""
    features = [f.get("type") for disk in vm.get("disks") or () for f in disk.get("guestOsFeatures") or ()]
    return Platform.WINDOWS.value if "WINDOWS" in features else Platform.LINUX.value


def _metadata(told: Mapping[str, Any] | None) -> dict[str, str]:
    return {str(item["key"]): str(item.get("value", "")) for item in (told or {}).get("items") or ()}


def commands(project: str, name: str, file: str) -> list[str]:
    """What somebody over there types so that siems can come in."""
    mail = f"{name}@{project}.iam.gserviceaccount.com"
    services = " ".join(f"{one}.googleapis.com" for one in SERVICES)
    return [
        f"gcloud services enable {services} --project {project}",
        f"gcloud iam service-accounts create {name} --project {project}",
        *(
            f"gcloud projects add-iam-policy-binding {project} --member serviceAccount:{mail} --role {role}"
            for role in ROLES
        ),
        f"gcloud compute project-info add-metadata --project {project}"
        " --metadata enable-oslogin=TRUE,enable-guest-attributes=TRUE",
        f"gcloud compute firewall-rules create siems-iap --project {project} --allow tcp:22"
        " --source-ranges 35.235.240.0/20",
        f"gcloud iam service-accounts keys create {file} --iam-account {mail}",
    ]
