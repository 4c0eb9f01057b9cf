"""Apex Ping, its webhook: an alert rule of a check that triggered or resolved."""

from __future__ import annotations

from siems.errors import InvalidField
from siems.sources import Headers, Read, Setup, Tool
from siems.sources.reading import alert_of, document
from siems.sources.shapes import site, some
from siems.vocabulary import Severity

_SLOW = ("time", "apdex", "latency", "duration", "size")
_SIGNS = {"gt": "above", "lt": "below", "gte": "at least", "lte": "at most", "eq": "equal to"}


def read(body: bytes, headers: Headers) -> Read:
    """One rule of one check."""
    doc = document(body, headers)
    check, rule, state = doc.doc("check"), doc.doc("alert"), doc.first("state").lower()
    address = check.first("url")
    name, kind = check.first("name", "url", "id"), rule.first("type")
    if not state or not name:
        raise InvalidField("it has no state, or no check")
    url = address if "://" in address or not address else f"{check.first('protocol') or 'http'}://{address}"
    firing = state != "resolved"
    sign, limit = _SIGNS.get(rule.first("op"), rule.first("op")), rule.first("value")
    what = " ".join(filter(None, [rule.first("stat"), kind.replace("_", " ")])) or "check"
    key = [check.first("id"), rule.first("id")]
    return Read(
        (
            alert_of(
                tool="apexping",
                asset=site(url) or name,
                signature=" ".join(filter(None, [what, sign, "limit" if sign else "failing"])),
                severity=Severity.MEDIUM if any(word in kind for word in _SLOW) else Severity.HIGH,
                message=f"{name}: {what} is {doc.first('value') or state}"
                + (f" (limit: {sign} {limit})" if limit else ""),
                firing=firing,
                key=":".join(key) if all(key) else None,
                tags=some(check, "name", "url", "method") | some(rule, "type", "stat", "window_duration"),
                urls=url,
                starts=doc.first("triggered_at") if firing else None,
            ),
        )
    )


tool = Tool(
    name="apexping",
    title="Apex Ping",
    read=read,
    setup=Setup(
        steps=(
            "Settings → Integrations → Webhook: add the URL  {url}",
            "Add the webhook to the alerts of your checks.",
        ),
        docs="https://apex.sh/docs/ping/webhooks/",
    ),
)
