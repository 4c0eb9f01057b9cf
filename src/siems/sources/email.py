"""E-mail: what monitoring, backup and storage write to people, read from its subject, its headers and its text."""

from __future__ import annotations

import re
from collections.abc import Mapping

from siems.domain.alert import SEVERITY_WORDS
from siems.domain.letter import Letter, opened
from siems.errors import InvalidField
from siems.sources import Headers, Read, Setup, Tool
from siems.sources.reading import alert_of, without_port
from siems.sources.shapes import whole_key
from siems.sources.subjects import FIRING, LEVELS, NOTED, OVER, TEST, Said, about, bare, host_in_subject, said_in
from siems.vocabulary import Severity

MAX_SUBJECT = 400
MAX_LINES = 200
_WORDS = SEVERITY_WORDS | LEVELS | {"not classified": Severity.LOW, "down": Severity.HIGH}


def read(body: bytes, headers: Headers) -> Read:
    return read_letter(opened(body))


def read_letter(letter: Letter) -> Read:
    """What a message says: one alert, unless a machine only answers or somebody only takes note.

    Raises InvalidField when it says nothing at all.
    """
    subject = bare(letter.subject[:MAX_SUBJECT]) or letter.text.partition("\n")[0][:MAX_SUBJECT]
    if not subject:
        raise InvalidField("this message has neither a subject nor a text")
    if why := _automatic(letter):
        return Read(said=f"{why}: {subject}")
    said, lines = said_in(subject), _lines(letter.text)
    state = _told(said, lines)
    if state == FIRING and TEST.search(subject) and said.level is None:
        return Read(said=f"test message: {subject}")
    if state == NOTED:
        return Read(said=f"somebody took note, nothing has changed: {subject}")
    guess = host_in_subject(said.about) if said.loose else ""
    asset = said.asset or _named(letter.headers) or _host(lines) or guess or _sender_host(letter)
    signature = _first(lines, *_NAMES) or _about(said, asset, lines) or about(subject, asset)
    return Read((alert_of(
        tool="email",
        asset=asset,
        signature=signature or "host down",
        word=(word := _severity(lines, said, letter)),
        words=_WORDS,
        severity=None if word else said.level,
        message=f"{letter.subject or subject}\n{letter.text}",
        firing=state != OVER,
        key=_key(asset, lines),
        thread=letter.refers,
        tags=_tags(letter, said),
        urls=_URL.findall(letter.text)[:4],
    ),))  # fmt: skip


def _about(said: Said, asset: str, lines: Mapping[str, str]) -> str:
    """What it is about: as the tool wrote it where the tool is known for sure, else without what changes."""
    sure = not said.loose or _key(asset, lines) is not None
    return said.about if sure else about(said.about, asset) or said.about


# --- what is no alert ------------------------------------------------------------------------------------------

_AWAY = re.compile(
    r"automatic reply|auto(?:matic)?[- ]?response|autoreply|out of (?:the )?office|abwesenheit", re.IGNORECASE
)


def _automatic(letter: Letter) -> str:
    """Why a message is only the answer of a machine to another message; "" when it is not.

    `Auto-Submitted: auto-generated` is what monitoring says of itself, and stands for no answer.
    """
    headers = letter.headers
    if letter.kind == "multipart/report" or letter.report:
        return "a report about another message"
    if headers.get("return-path", "").replace(" ", "") == "<>":
        return "a bounce"
    if headers.get("auto-submitted", "").lower().startswith("auto-replied"):
        return "an automatic reply"
    if "x-autoreply" in headers or "x-autorespond" in headers or headers.get("precedence", "").lower() == "auto_reply":
        return "an automatic reply"
    return "an automatic reply" if _AWAY.match(letter.subject) else ""


# --- the text --------------------------------------------------------------------------------------------------

_LINE = re.compile(r"\W{0,3}([A-Za-z][\w ./-]{1,40}?)\s{0,4}[:=|]\s{0,4}(\S.{0,300})")
_URL = re.compile(r"https?://[^\s<>\"'()\[\]]{4,500}")
_HOSTS = ("host", "hostname", "hostalias", "device", "devicename", "computer", "computername", "server", "servername",
          "machine", "machinename", "node", "instance", "monitor", "system")  # fmt: skip
_STATES = ("notificationtype", "status", "state", "servicestate", "hoststate", "result", "jobstatus", "newstate")
_LEVEL = ("severity", "triggerseverity", "alertseverity", "priority", "level")
_NAMES = ("alertname", "problemname", "triggername")
_PROBLEM = ("originalproblemid", "problemid", "alertid", "incidentid", "alarmid")


def _lines(text: str) -> dict[str, str]:
    """`Host: db-1`, `instance = db-1` and the like; the first of each name."""
    found: dict[str, str] = {}
    for line in text.splitlines()[:MAX_LINES]:
        match = _LINE.match(line[:400])
        if match is not None:
            found.setdefault("".join(c for c in match[1].lower() if c.isalnum()), match[2].strip())
    return found


def _first(lines: Mapping[str, str], *names: str) -> str:
    return next((lines[name] for name in names if lines.get(name)), "")


def _told(said: Said, lines: Mapping[str, str]) -> str:
    """Whether something is wrong: by the subject; by the text only where the subject has no word for it."""
    if said.tool or said.state != FIRING or said.level is not None:
        return said.state
    return said_in(f"status: {_first(lines, *_STATES)}").state if _first(lines, *_STATES) else said.state


def _host(lines: Mapping[str, str]) -> str:
    """`web01 (192.0.2.7)` → `web01`."""
    found = re.split(r"\s*[(\[,]", _first(lines, *_HOSTS), maxsplit=1)[0].strip()
    return without_port(found) if len(found.split()) <= 3 else ""


_OWN = re.compile(r"x-(?:[a-z0-9]+-){0,3}(?:host|hostname|device|asset|server|node)(?:-name)?")


def _named(headers: Mapping[str, str]) -> str:
    """A machine that the tool names in a header of its own: X-Nagios-Host, X-Zabbix-Host-Name."""
    return next((value for name, value in headers.items() if _OWN.fullmatch(name) and 0 < len(value) <= 255), "")


def _sender_host(letter: Letter) -> str:
    return letter.sender.rpartition("@")[2]


def _severity(lines: Mapping[str, str], said: Said, letter: Letter) -> str:
    """How bad the tool calls it: in its text, in the subject, or by how urgent it calls the message."""
    named = _first(lines, *_LEVEL)
    if named.lower() in _WORDS:
        return named
    if said.level is not None:
        return ""
    urgent = letter.headers.get("x-priority", "")[:1] in ("1", "2")
    return "high" if urgent or letter.headers.get("importance", "").lower() == "high" else ""


def _key(asset: str, lines: Mapping[str, str]) -> str | None:
    """The tool's own number of the problem. The number of an event is none: Windows numbers the kinds of them."""
    own = _first(lines, *_PROBLEM).split(" ")[0]
    return whole_key(asset, own) if any(c.isdigit() for c in own) else None


def _tags(letter: Letter, said: Said) -> dict[str, str]:
    found = {
        "from": letter.sender, "message-id": letter.message_id, "tool": said.tool, "state": said.word,
        "thread": letter.refers[0] if letter.refers else "",
    }  # fmt: skip
    return {name: value for name, value in found.items() if value}


tool = Tool(
    name="email",
    title="E-mail",
    read=read,
    setup=Setup(
        steps=(
            "In the tool's notification settings enter {address} as the recipient; plain text, if it lets you choose.",
            "Have it send recoveries too. Let its subject name the machine, what is wrong with it and its state, "
            "as in the template below; problem and recovery should differ in the state alone.",
            "If the mail goes through a relay of yours, let the relay deliver to the mail listener of siems; "
            "it repeats what siems puts off. Programs that have messages as files post them to {url}",
            "Press the tool's test button, and look:  siems integration show {integration}",
        ),
        snippet="{state}: {check} on {host}",
        snippet_name="Subject",
    ),
)
