"""Fail2Ban: addresses that a jail has banned or released, by an action of the operator."""

from __future__ import annotations

import re

from siems.errors import InvalidField
from siems.sources import Headers, Read, Setup, Tool
from siems.sources.reading import alert_of, document
from siems.sources.shapes import fields, some
from siems.vocabulary import Severity

_ADDRESS = re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}\b|\b(?:[0-9a-fA-F]{1,4}:){2,7}[0-9a-fA-F:]{0,39}", re.ASCII)
_JAIL = re.compile(r"\[([\w.-]{1,64})\]|\bjail:? ([\w.-]{1,64})", re.IGNORECASE)


def read(body: bytes, headers: Headers) -> Read:
    doc = fields(document(body, headers))
    event, more = doc.first("event", "text", "content", "description", "title"), doc.first("message", "msg")
    said = f"{event}\n{more}".strip()
    act = doc.first("action", "type", "eventtype", "status").lower()
    named = _JAIL.search(said)
    jail = doc.first("jail", "jailname", "resource", "service", "filter", "name") or (
        (named[1] or named[2]) if named else ""
    )
    found = _ADDRESS.search(said)
    address = doc.first("bannedip", "ip", "ipaddress", "address", "sourceip", "srcip") or (found[0] if found else "")
    host = doc.first("hostname", "host", "fqhostname", "server", "node", "origin")
    words = f"{act} {said}".lower()
    if not address and any(word in words for word in ("start", "stop", "flush", "reload")):
        return Read(said=f"a jail of Fail2Ban on {host or 'a server'}: {act or event}")
    if not address and not jail:
        raise InvalidField("this is no Fail2Ban message: it names neither a jail nor an address")
    word = doc.first("severity", "level", "priority")
    over = any(sign in words for sign in ("unban", "released", "restored"))
    told = f"{address or 'an address'} was {'released' if over else 'banned'} by jail {jail or 'of an unknown name'}"
    return Read((alert_of(
        tool="fail2ban",
        asset=host,
        signature=f"intrusion attempts: {jail or 'unknown jail'}",
        word=word,
        severity=None if word else Severity.LOW,  # what is banned is dealt with
        message=f"{told}\n{said}",
        firing=not over,
        key=f"{host}/{jail}/{address}" if address else None,
        tags=some(doc, "environment", "failures", "matches", "bantime", "country", jail=jail, ip=address),
        starts=doc.first("time", "timestamp", "bantime_start") or None,
    ),))  # fmt: skip


tool = Tool(
    name="fail2ban",
    title="Fail2Ban",
    read=read,
    setup=Setup(
        steps=(
            "Save the file below as /etc/fail2ban/action.d/siems.conf.",
            "Add the action to your jails, in /etc/fail2ban/jail.local under [DEFAULT]:  action = %(action_)s"
            "  and in the next line, indented:  siems",
            "Reload it:  fail2ban-client reload",
        ),
        snippet_name="/etc/fail2ban/action.d/siems.conf",
        snippet="""[Definition]
actionban = curl -sS -m 10 '{url}' --data-urlencode 'action=ban' --data-urlencode 'jail=<name>' \\
    --data-urlencode 'ip=<ip>' --data-urlencode 'failures=<failures>' --data-urlencode 'hostname=<fq-hostname>'
actionunban = curl -sS -m 10 '{url}' --data-urlencode 'action=unban' --data-urlencode 'jail=<name>' \\
    --data-urlencode 'ip=<ip>' --data-urlencode 'hostname=<fq-hostname>'
""",
        docs="https://github.com/fail2ban/fail2ban/wiki",
    ),
)
