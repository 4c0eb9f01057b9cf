"""StatusCake, its webhook of a contact group: form fields of one test that went down or up."""

from __future__ import annotations

from siems.domain.alert import Reading
from siems.errors import InvalidField
from siems.sources import Headers, Read, Setup, Tool
from siems.sources.reading import Doc, alert_of, document
from siems.sources.shapes import down, joined, loose, site, some
from siems.vocabulary import Severity


def read(body: bytes, headers: Headers) -> Read:
    """One change of a test."""
    doc = loose(document(body, headers))
    url = doc.first("url", "websiteurl")
    name, state = doc.first("name", "websitename") or url, doc.first("status", "state")
    kind = doc.first("type").lower()
    if doc.first("domain") and (kind == "ssl" or "certificate" in doc.first("message").lower()):
        return Read((_certificate(doc),))
    if not name or not state:
        raise InvalidField("it has no Name, or no Status")
    if state.lower() in ("paused", "unpaused", "maintenance"):
        return Read(said=f"{name} is {state.lower()}")
    firing, code = state.lower() not in ("up", "ok", "recovered"), doc.first("statuscode")
    asset = site(url) or doc.first("ip") or name
    return Read(
        (
            alert_of(
                tool="statuscake",
                asset=asset,
                signature=down(name, asset, doc.first("method") or "uptime"),
                severity=Severity.HIGH,
                message=f"{name} is {state}" + (f" (status code {code})" if code and firing else ""),
                firing=firing,
                key=doc.first("testid", "id"),
                tags=some(doc, "name", "url", "ip", "method", "statuscode", "checkrate", tags=joined(doc.at("tags"))),
                urls=url,
            ),
        )
    )


def _certificate(doc: Doc) -> Reading:
    said = doc.first("message", "status")
    return alert_of(
        tool="statuscake",
        asset=site(doc.first("domain")),
        signature="certificate expires",
        severity=Severity.MEDIUM if "expired" in said.lower() else Severity.LOW,
        message=f"{doc.first('domain')}: {said}",
        urls=doc.first("url"),
    )


tool = Tool(
    name="statuscake",
    title="StatusCake",
    read=read,
    redact=("Token",),
    setup=Setup(
        steps=(
            "Alerting → Contact Groups → New Contact Group.",
            "Integrations: Webhook. Webhook URL:  {url}  Method: POST. Save.",
            "Edit each uptime test and choose the contact group.",
        ),
        docs="https://www.statuscake.com/kb/knowledge-base/how-to-use-the-web-hook-url/",
    ),
)
