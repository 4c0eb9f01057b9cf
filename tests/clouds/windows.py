"""A Windows as far as WinRM shows one: WS-Management over HTTPS, logins by NTLM, and shells in which commands run.

There is no PowerShell here: what siems would have PowerShell evaluate is given to sh, with the shell's environment.
"""

from __future__ import annotations

import asyncio
import base64
import os
import signal
import ssl
import xml.etree.ElementTree as ET
from asyncio.subprocess import DEVNULL, PIPE, Process
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from itertools import count
from pathlib import Path
from typing import Any
from uuid import uuid4
from xml.sax.saxutils import escape

import spnego
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from providers import Provider, Seen

USER, PASSWORD = "DOM\\siems", "winrm-canary-password"
LOOK_SECONDS = 0.3
SHELL = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell"
TIMED_OUT = "2150858793"
NAMES = {
    "s": "http://www.w3.org/2003/05/soap-envelope",
    "a": "http://schemas.xmlsoap.org/ws/2004/08/addressing",
    "w": "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd",
    "x": "http://schemas.xmlsoap.org/ws/2004/09/transfer",
    "f": "http://schemas.microsoft.com/wbem/wsman/1/wsmanfault",
    "rsp": SHELL,
}
_SPACES = " ".join(f'xmlns:{name}="{uri}"' for name, uri in NAMES.items())
_serials = count(1)


def certificate(folder: Path, *names: str) -> tuple[ssl.SSLContext, str]:
    """(what a server needs, the certificate as PEM) for these addresses and names."""
    key = ec.generate_private_key(ec.SECP256R1())
    named = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
    every: list[x509.GeneralName] = [
        x509.IPAddress(ip_address(n)) if n[0].isdigit() else x509.DNSName(n) for n in names
    ]  # fmt: skip
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder().subject_name(named).issuer_name(named).public_key(key.public_key())
        .serial_number(next(_serials)).not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1)).add_extension(x509.SubjectAlternativeName(every), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    pem = made.public_bytes(serialization.Encoding.PEM).decode()
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file = folder / f"server-{names[0]}.pem"
    file.write_text(pem + secret.decode())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context, pem


@dataclass
class Command:
    """What was started in a shell."""

    line: list[str]
    environment: dict[str, str]
    given: bytes = b""
    out: dict[str, bytes] = field(default_factory=lambda: {"stdout": b"", "stderr": b""})
    code: int | None = None
    process: Process | None = None
    task: asyncio.Task[None] | None = None
    news: asyncio.Event = field(default_factory=asyncio.Event)
    signals: list[str] = field(default_factory=list)


class Windows(Provider):
    """One machine. `shells` are those that are open; `commands` is all that ever ran."""

    def __init__(self, tls: ssl.SSLContext, users: Path) -> None:
        super().__init__(tls)
        users.write_text(f"{USER.replace(chr(92), ':')}:{PASSWORD}\n")
        self.shells: dict[str, dict[str, str]] = {}
        self.commands: dict[str, Command] = {}
        self.refuses: str = ""
        """Whose shells it does not open, with this as its reason."""
        self._logins: dict[str, Any] = {}

    async def answer(self, seen: Seen) -> web.Response:
        if (challenge := self._challenge(seen)) is not None:
            return web.Response(status=401, headers={"WWW-Authenticate": challenge})
        envelope = ET.fromstring(seen.body)
        action = self._text(envelope, "s:Header/a:Action").rsplit("/", 1)[1]
        message = self._text(envelope, "s:Header/a:MessageID")
        body = envelope.find("s:Body", NAMES)
        assert body is not None
        selector = envelope.find("s:Header/w:SelectorSet/w:Selector", NAMES)
        shell = selector.text or "" if selector is not None else ""
        status, told = await getattr(self, f"_{action.lower()}")(shell, body)
        head = f"<a:RelatesTo>{message}</a:RelatesTo>"
        text = f"<s:Envelope {_SPACES}><s:Header>{head}</s:Header><s:Body>{told}</s:Body></s:Envelope>"
        return web.Response(status=status, text=text, content_type="application/soap+xml")

    def _challenge(self, seen: Seen) -> str | None:
        """What is still asked of whoever speaks by this connection; None once somebody is let in."""
        way, _, given = seen.headers.get("Authorization", "").partition(" ")
        if way == "Basic":
            wanted = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
            return None if given == wanted else "Basic"
        if way != "Negotiate":
            login = self._logins.get(seen.peer)
            return None if login is not None and login.complete else "Negotiate"
        login = self._logins.get(seen.peer)
        if login is None or login.complete:
            login = self._logins[seen.peer] = spnego.server(
                protocol="negotiate", options=spnego.NegotiateOptions.use_negotiate
            )
        try:
            token = login.step(base64.b64decode(given))
        except spnego.exceptions.SpnegoError:
            del self._logins[seen.peer]
            return "Negotiate"
        return None if login.complete else f"Negotiate {base64.b64encode(token or b'').decode()}"

    @staticmethod
    def _text(element: ET.Element, path: str) -> str:
        found = element.find(path, NAMES)
        assert found is not None, path
        return found.text or ""

    # --- what it does ------------------------------------------------------------------------------------------

    async def _create(self, _: str, body: ET.Element) -> tuple[int, str]:
        if self.refuses:
            return _fault("2150859174", self.refuses)
        id = str(uuid4()).upper()
        every = body.iterfind("rsp:Shell/rsp:Environment/rsp:Variable", NAMES)
        self.shells[id] = {v.attrib["Name"]: v.text or "" for v in every}
        selector = f'<w:SelectorSet><w:Selector Name="ShellId">{id}</w:Selector></w:SelectorSet>'
        made = f"<x:ResourceCreated><a:ReferenceParameters>{selector}</a:ReferenceParameters></x:ResourceCreated>"
        return 200, f"{made}<rsp:Shell><rsp:ShellId>{id}</rsp:ShellId></rsp:Shell>"

    async def _command(self, shell: str, body: ET.Element) -> tuple[int, str]:
        line = [e.text or "" for e in body.iterfind("rsp:CommandLine/*", NAMES)]
        id = str(uuid4()).upper()
        self.commands[id] = Command(line, self.shells[shell])
        return 200, f"<rsp:CommandResponse><rsp:CommandId>{id}</rsp:CommandId></rsp:CommandResponse>"

    async def _send(self, shell: str, body: ET.Element) -> tuple[int, str]:
        stream = body.find("rsp:Send/rsp:Stream", NAMES)
        assert stream is not None
        command = self.commands[stream.attrib["CommandId"]]
        command.given += base64.b64decode(stream.text or "")
        if stream.attrib.get("End", "").lower() == "true":
            command.task = asyncio.ensure_future(self._run_it(command))
        return 200, "<rsp:SendResponse/>"

    async def _run_it(self, command: Command) -> None:
        evaluated = base64.b64decode(command.line[-1]).decode("utf-16-le")
        assert "FromBase64String((@($input) -join ''))" in evaluated
        command.process = process = await asyncio.create_subprocess_exec(
            "/bin/sh", "-c", base64.b64decode(command.given).decode(), stdin=DEVNULL, stdout=PIPE, stderr=PIPE,
            start_new_session=True, env={"PATH": os.environ["PATH"], **command.environment},
        )  # fmt: skip

        async def read(stream: Any, name: str) -> None:
            while piece := await stream.read(4_096):
                command.out[name] += piece
                command.news.set()

        await asyncio.gather(read(process.stdout, "stdout"), read(process.stderr, "stderr"))
        command.code = await process.wait()
        command.news.set()

    async def _receive(self, shell: str, body: ET.Element) -> tuple[int, str]:
        wanted = body.find("rsp:Receive/rsp:DesiredStream", NAMES)
        assert wanted is not None
        id = wanted.attrib["CommandId"]
        command = self.commands[id]
        try:
            await asyncio.wait_for(command.news.wait(), LOOK_SECONDS)
        except TimeoutError:
            return _fault(TIMED_OUT, "The operation timed out.")
        command.news.clear()
        parts = []
        for name, content in command.out.items():
            command.out[name] = b""
            text = base64.b64encode(content).decode()
            parts.append(f'<rsp:Stream Name="{name}" CommandId="{id}">{text}</rsp:Stream>')
        state, code = ("Running", "") if command.code is None else ("Done", f"{command.code % (1 << 32)}")
        exit = f"<rsp:ExitCode>{code}</rsp:ExitCode>" if code else ""
        parts.append(
            f'<rsp:CommandState CommandId="{id}" State="{SHELL}/CommandState/{state}">{exit}</rsp:CommandState>'
        )
        return 200, f"<rsp:ReceiveResponse>{''.join(parts)}</rsp:ReceiveResponse>"

    async def _signal(self, shell: str, body: ET.Element) -> tuple[int, str]:
        asked = body.find("rsp:Signal", NAMES)
        assert asked is not None
        command = self.commands[asked.attrib["CommandId"]]
        command.signals.append(self._text(asked, "rsp:Code").rsplit("/", 1)[1])
        await self._stop(command)
        return 200, "<rsp:SignalResponse/>"

    async def _delete(self, shell: str, body: ET.Element) -> tuple[int, str]:
        del self.shells[shell]
        return 200, ""

    async def _stop(self, command: Command) -> None:
        if command.process is not None and command.process.returncode is None:
            os.killpg(command.process.pid, signal.SIGKILL)
        if command.task is not None:
            await command.task

    def running(self) -> list[Command]:
        return [c for c in self.commands.values() if c.process is not None and c.process.returncode is None]


def _fault(code: str, reason: str) -> tuple[int, str]:
    fault = f'<f:WSManFault Code="{code}" Machine="x"><f:Message>{escape(reason)}</f:Message></f:WSManFault>'
    detail = f"<s:Detail>{fault}</s:Detail>"
    text = f'<s:Text xml:lang="en-US">{escape(reason)}</s:Text>'
    return 500, f"<s:Fault><s:Code><s:Value>s:Receiver</s:Value></s:Code><s:Reason>{text}</s:Reason>{detail}</s:Fault>"
