"""updown.io, its webhook: a list of events of checks that went down or up, of certificates and of slow answers."""

from __future__ import annotations

from siems.domain.alert import Reading
from siems.errors import InvalidField
from siems.sources import Headers, Read, Setup, Tool
from siems.sources.reading import Doc, alert_of
from siems.sources.shapes import documents, down, site, some
from siems.vocabulary import Severity

_SSL = "certificate"
_EVENTS = {
    "check.down": ("", True, Severity.HIGH),
    "check.still_down": ("", True, Severity.HIGH),
    "check.up": ("", False, Severity.HIGH),
    "check.ssl_invalid": (_SSL, True, Severity.HIGH),
    "check.ssl_expiration": (_SSL, True, Severity.LOW),
    "check.ssl_valid": (_SSL, False, Severity.LOW),
    "check.ssl_renewed": (_SSL, False, Severity.LOW),
    "check.performance_drop": ("apdex", True, Severity.MEDIUM),
}
_SIGNATURES = {_SSL: "certificate invalid or expiring", "apdex": "performance dropped"}


def read(body: bytes, headers: Headers) -> Read:
    """The events of one delivery."""
    docs = documents(body, headers)
    return Read(tuple(map(_reading, docs)), many=body.lstrip()[:1] == b"[")


def _reading(doc: Doc) -> Reading:
    event, check, outage = doc.first("event"), doc.doc("check"), doc.doc("downtime")
    url, token = check.first("url"), check.first("token")
    name = check.first("alias") or url or token
    if not event or not name:
        raise InvalidField("an event has no name, or no check")
    kind, firing, severity = _EVENTS.get(event, (event, True, Severity.MEDIUM))
    asset = site(url) or name
    error, took = outage.first("error") or check.first("error") or doc.first("ssl.error"), outage.first("duration")
    short = f"{name}: {event.removeprefix('check.').replace('_', ' ')}" + (f", {error}" if error and firing else "")
    dropped = doc.first("apdex_dropped")
    return alert_of(
        tool="updown-io",
        asset=asset,
        signature=_SIGNATURES.get(kind, kind) or down(name, asset, "HTTP"),
        severity=severity,
        message=doc.first("description")
        or short + (f" after {took} s" if took and not firing else "") + (f" by {dropped}" if dropped else ""),
        firing=firing,
        key=f"{token}:{kind}" if token and kind else token,
        tags=some(check, "alias", "url", "last_status", "period") | some(doc, "event", "ssl.days_before_expiration"),
        urls=[f"https://updown.io/{token}" if token.isalnum() else "", url],
        starts=(outage.first("started_at") or doc.first("time")) if firing else None,
    )


tool = Tool(
    name="updown-io",
    title="updown.io",
    read=read,
    setup=Setup(
        steps=(
            "Settings → Recipients → Add a webhook.",
            "URL:  {url}",
            "Press Test, then choose the recipient in each check.",
        ),
        docs="https://updown.io/api#webhooks",
    ),
)
