"""Wazuh and OSSEC: an alert of a rule as the manager's integrator sends it, or as the indexer keeps it."""

from __future__ import annotations

from ipaddress import ip_address

from siems.domain.alert import Reading
from siems.errors import InvalidField
from siems.sources import Headers, Read, Setup, Tool
from siems.sources.reading import Doc, alert_of
from siems.sources.shapes import documents, joined, some
from siems.vocabulary import Severity

_GONE, _BACK = {"504", "505", "506"}, {"501", "503"}
"""Rules of the manager about its agents: disconnected, removed, stopped; connected, started."""
_INNER = ("_source", "all_fields", "alert", "data.alert", "body")


def read(body: bytes, headers: Headers) -> Read:
    docs = documents(body, headers)
    return Read(tuple(_reading(_alert(doc)) for doc in docs), many=len(docs) > 1)


def _alert(doc: Doc) -> Doc:
    """The alert itself: as it is, in a hit of the indexer, or in what an integration wraps around it."""
    for path in ("", *_INNER):
        found = doc.doc(path) if path else doc
        if found.has("rule") and found.doc("rule").value:
            return found
    card = next(doc.docs("attachments"), None)
    if card is not None and card.first("title"):
        return _from_chat(card)
    raise InvalidField("this is no Wazuh alert: it has no rule", hint="send the alert file that the integrator gives")


def _from_chat(card: Doc) -> Doc:
    """The alert behind the message that the built-in Slack integration makes of it."""
    said = {item.first("title").lower(): item.first("value") for item in card.docs("fields")}
    number, _, level = said.get("rule id", "").partition("_(Level ")
    agent = said.get("agent", "").partition(") - ")[2] or said.get("agentless host", "")
    return Doc({
        "rule": {"id": number.strip(), "level": level.partition(")")[0], "description": card.first("title")},
        "agent": {"name": agent}, "location": said.get("location", ""), "full_log": card.first("text"),
    })  # fmt: skip


def _reading(doc: Doc) -> Reading:
    rule = doc.doc("rule")
    number = rule.first("id", "sidid")
    agents = number in _GONE | _BACK
    level = rule.first("level")
    title = rule.first("description", "comment") or f"rule {number}"
    source = doc.first("data.srcip", "data.src_ip", "srcip", "data.win.eventdata.ipAddress")
    about = [("from", source), ("user", doc.first("data.dstuser", "data.srcuser", "data.win.eventdata.targetUserName"))]
    return alert_of(
        tool="wazuh",
        asset=_asset(doc),
        signature="Wazuh agent disconnected" if agents else title,
        word=level,
        severity=_severity(level),
        message="\n".join(filter(None, [
            title, ", ".join(f"{word} {value}" for word, value in about if value),
            doc.first("full_log", "data.win.system.message", "syscheck.path"),
        ])),
        firing=number not in _BACK,
        tags=some(doc, "location", "syscheck.path", manager=doc.first("manager.name"), agent_ip=doc.first("agent.ip"),
                  decoder=doc.first("decoder.name"), rule=number, level=level, groups=joined(rule.at("groups")),
                  srcip=source, mitre=joined(rule.at("mitre.id")), cve=doc.first("data.vulnerability.cve"),
                  agent_id=doc.first("agent.id")),
        starts=doc.first("timestamp", "@timestamp", "TimeStamp") or None,
    )  # fmt: skip


def _asset(doc: Doc) -> str:
    """The agent. What the manager itself (agent 000) gets by syslog is about the device that sent it."""
    name, location = doc.first("agent.name"), doc.first("location")
    if location.startswith("(") and ") " in location:  # OSSEC: (host) address->file
        name = name or location[1:].partition(")")[0]
    if doc.first("agent.id") in ("", "000"):
        try:
            ip_address(location)
        except ValueError:
            pass
        else:
            return doc.first("predecoder.hostname") or location
    return name or doc.first("agent.ip", "predecoder.hostname", "hostname", "manager.name")


def _severity(level: str) -> Severity:
    try:
        number = int(float(level))
    except (ValueError, OverflowError):
        return Severity.MEDIUM
    bands = ((15, Severity.CRITICAL), (12, Severity.HIGH), (7, Severity.MEDIUM))
    return next((severity for least, severity in bands if number >= least), Severity.LOW)


tool = Tool(
    name="wazuh",
    title="Wazuh",
    read=read,
    setup=Setup(
        steps=(
            "On the manager, save the script below as /var/ossec/integrations/custom-siems, then:"
            "  chmod 750 /var/ossec/integrations/custom-siems && chown root:wazuh /var/ossec/integrations/custom-siems",
            "Add to /var/ossec/etc/ossec.conf:  <integration><name>custom-siems</name><hook_url>{url}</hook_url>"
            "<level>10</level><alert_format>json</alert_format></integration>",
            "Restart it:  systemctl restart wazuh-manager",
        ),
        snippet_name="/var/ossec/integrations/custom-siems",
        snippet="""#!/bin/sh
# $1 is the file with the alert, $3 the hook_url
exec curl -sS -m 20 --retry 3 -H 'Content-Type: application/json' --data-binary @"$1" "$3"
""",
        docs="https://documentation.wazuh.com/current/user-manual/manager/integration-with-external-apis.html",
    ),
)
