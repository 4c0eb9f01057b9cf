"""Google Cloud as far as siems asks it: tokens, machines, OS Login, rights, and the proxy that leads to port 22."""

from __future__ import annotations

import asyncio
import hashlib
import json
import struct
from base64 import b64decode
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import jwt
from aiohttp import WSMsgType, web
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from providers import Provider, Seen
from siems.clouds.gcp import PERMISSIONS
from siems.clouds.iap import ACK, CONNECTED, DATA, ORIGIN, PROTOCOL
from siems.config import Settings

PROJECT, ZONE = "acme-prod-1", "europe-west1-b"
MAIL = f"siems-acme@{PROJECT}.iam.gserviceaccount.com"
USER = "sa_104711"
_RSA = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
_PEM = _RSA.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
KEY_FILE = json.dumps({
    "type": "service_account", "project_id": PROJECT, "private_key_id": "k1", "private_key": _PEM,
    "client_email": MAIL, "token_uri": "http://127.0.0.1:9/steal",
})  # fmt: skip
CANARY = _PEM.splitlines()[3]
"""A line of the key, which is never seen anywhere."""


@dataclass
class Vm:
    """One machine; `port` is where its SSH server really is, 0 for none."""

    name: str
    port: int = 0
    status: str = "RUNNING"
    windows: bool = False
    host_keys: list[str] = field(default_factory=list)
    metadata: dict[str, str] = field(default_factory=dict)
    zone: str = ZONE

    @property
    def said(self) -> dict[str, Any]:
        features = [{"type": "WINDOWS"}] if self.windows else [{"type": "UEFI_COMPATIBLE"}]
        return {
            "name": self.name, "zone": f"https://compute/zones/{self.zone}", "status": self.status,
            "disks": [{"guestOsFeatures": features}], "metadata": _items(self.metadata),
        }  # fmt: skip


def _items(told: dict[str, str]) -> dict[str, Any]:
    return {"items": [{"key": key, "value": value} for key, value in told.items()]} if told else {}


@dataclass(eq=False)
class Google(Provider):
    """One project. `keys`: those that OS Login knows, by fingerprint; `closes`: with what the proxy refuses."""

    vms: dict[str, Vm] = field(default_factory=dict)
    permissions: list[str] = field(default_factory=lambda: list(PERMISSIONS))
    metadata: dict[str, str] = field(
        default_factory=lambda: {"enable-oslogin": "TRUE", "enable-guest-attributes": "TRUE"}
    )
    keys: dict[str, str] = field(default_factory=dict)
    closes: tuple[int, str] = (0, "")
    per_page: int = 2
    believed: bool = True
    acks: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        Provider.__init__(self)

    def vm(self, name: str, **more: Any) -> Vm:
        self.vms[name] = made = Vm(name, **more)
        return made

    def knows(self, user: str, key: str) -> bool:
        return user == USER and key in [" ".join(one.split()[:2]) for one in self.keys.values()]

    @property
    def environment(self) -> dict[str, str]:
        names = {"authority": "/token", "compute": "/compute/v1", "oslogin": "/v1", "projects": "/crm"}
        found = {name: f"{self.url}{path}" for name, path in names.items()}
        return found | {"tunnel": f"{self.url.replace('http', 'ws', 1)}/v4"}

    def settings(self) -> Settings:
        return Settings(gcp=self.environment)

    async def answer(self, seen: Seen) -> web.Response:
        split = urlsplit(seen.path)
        path, query = split.path, {name: values[0] for name, values in parse_qs(split.query).items()}
        if path == "/token":
            return self._token(seen)
        if seen.headers.get("Authorization") != "Bearer token-1":
            return _no(401, "UNAUTHENTICATED", "Request had invalid authentication credentials.")
        if path == f"/crm/projects/{PROJECT}:testIamPermissions":
            has = [one for one in seen.json["permissions"] if one in self.permissions]
            return web.json_response({"permissions": has} if has else {})
        if path.replace("%40", "@").startswith(f"/v1/users/{MAIL}"):
            return self._login(path, query, seen)
        if path == f"/compute/v1/projects/{PROJECT}":
            return web.json_response({"commonInstanceMetadata": _items(self.metadata)})
        if path == f"/compute/v1/projects/{PROJECT}/aggregated/instances":
            return self._page(query)
        return self._machine(path, query)

    def _token(self, seen: Seen) -> web.Response:
        with suppress(jwt.PyJWTError):
            claims = jwt.decode(
                seen.form["assertion"], _RSA.public_key(), ["RS256"], audience=f"{self.url}/token", issuer=MAIL
            )
            wide = claims["scope"] == "https://www.googleapis.com/auth/cloud-platform"
            if self.believed and wide and claims["exp"] - claims["iat"] <= 3_600:
                return web.json_response({"access_token": "token-1", "expires_in": 3_599, "token_type": "Bearer"})
        told = {"error": "invalid_grant", "error_description": "Invalid JWT Signature."}
        return web.json_response(told, status=400)

    def _login(self, path: str, query: dict[str, str], seen: Seen) -> web.Response:
        if seen.method == "DELETE":
            known = self.keys.pop(unquote(path.rsplit("/", 1)[1]), None)
            return web.json_response({}, status=200 if known else 404)
        assert path.endswith(":importSshPublicKey")
        assert query["projectId"] == PROJECT
        assert int(seen.json["expirationTimeUsec"]) > 1e15
        key = seen.json["key"]
        self.keys[hashlib.sha256(b64decode(key.split()[1])).hexdigest()] = key
        accounts = [{"username": "other", "operatingSystemType": "WINDOWS"}, {"username": USER, "primary": True}]
        return web.json_response({"loginProfile": {"name": "1", "posixAccounts": accounts}})

    def _page(self, query: dict[str, str]) -> web.Response:
        start = int(query.get("pageToken", "0"))
        items: dict[str, Any] = {"zones/us-east1-c": {"warning": {"code": "NO_RESULTS_ON_PAGE"}}}
        for vm in list(self.vms.values())[start : start + self.per_page]:
            items.setdefault(f"zones/{vm.zone}", {"instances": []})["instances"].append(vm.said)
        told: dict[str, Any] = {"items": items}
        if len(self.vms) > start + self.per_page:
            told["nextPageToken"] = str(start + self.per_page)
        return web.json_response(told)

    def _machine(self, path: str, query: dict[str, str]) -> web.Response:
        root = f"/compute/v1/projects/{PROJECT}/zones/"
        zone, _, rest = path.removeprefix(root).partition("/instances/")
        name, _, what = rest.partition("/")
        vm = self.vms.get(name) if path.startswith(root) else None
        if vm is None or vm.zone != zone:
            return _no(404, "notFound", f"The resource 'projects/{PROJECT}/zones/{zone}/{name}' was not found")
        if not what:
            return web.json_response(vm.said)
        if not vm.host_keys:
            return _no(404, "notFound", "The resource 'hostkeys/' of type 'Guest Attribute' was not found.")
        items = [dict(zip(("key", "value"), key.split()[:2], strict=True)) | {"namespace": "hostkeys"}
                 for key in vm.host_keys]  # fmt: skip
        return web.json_response({"queryPath": query["queryPath"], "queryValue": {"items": items}})

    # --- the proxy ---------------------------------------------------------------------------------------------

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        if request.path != "/v4/connect":
            return await super()._handle(request)
        trouble = self.troubles.popleft() if self.troubles else None
        if trouble is not None and trouble.status:
            return web.Response(status=trouble.status)
        headers, asked = request.headers, request.query
        if (headers.get("Authorization"), headers.get("Origin")) != ("Bearer token-1", ORIGIN):
            return web.Response(status=401)
        ws = web.WebSocketResponse(protocols=(PROTOCOL,))
        await ws.prepare(request)
        vm = self.vms.get(asked["instance"])
        code, why = self.closes
        if vm is None or (vm.zone, PROJECT, "22", "nic0") != tuple(
            asked[name] for name in ("zone", "project", "port", "interface")
        ):
            code, why = 4047, "Failed to lookup instance"
        elif not vm.port:
            code, why = 4003, "failed to connect to backend"
        if code or vm is None:
            await ws.close(code=code, message=why.encode())
            return ws
        if trouble is not None and trouble.hold:
            await self._free.wait()
        await ws.send_bytes(struct.pack(">HI", CONNECTED, 3) + b"sid")
        await self._relay(ws, vm.port)
        return ws

    async def _relay(self, ws: web.WebSocketResponse, port: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)

        async def back() -> None:
            while piece := await reader.read(10_000):
                await ws.send_bytes(struct.pack(">HI", DATA, len(piece)) + piece)
            await ws.close()

        task = asyncio.ensure_future(back())
        try:
            async for message in ws:
                assert message.type is WSMsgType.BINARY
                [tag] = struct.unpack_from(">H", message.data)
                if tag == ACK:
                    self.acks.append(struct.unpack_from(">Q", message.data, 2)[0])
                    continue
                [size] = struct.unpack_from(">I", message.data, 2)
                assert (tag, len(message.data) - 6) == (DATA, size)
                assert size <= 16_384
                writer.write(message.data[6:])
                await writer.drain()
        finally:
            task.cancel()
            writer.close()
            await asyncio.gather(task, return_exceptions=True)


def _no(status: int, code: str, message: str) -> web.Response:
    return web.json_response({"error": {"code": status, "status": code, "message": message}}, status=status)
