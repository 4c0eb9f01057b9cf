"""Gatus, its custom alerting provider: the operator's body of one endpoint that failed or recovered."""

from __future__ import annotations

from siems.errors import InvalidField
from siems.sources import Headers, Read, Setup, Tool
from siems.sources.reading import alert_of, document
from siems.sources.shapes import down, loose, site, some
from siems.vocabulary import Severity

_OVER = frozenset(["resolved", "ok", "up", "healthy", "operational", "success", "recovered"])


def read(body: bytes, headers: Headers) -> Read:
    """One endpoint, in the body of the setup page or as the text of the documentation's example."""
    doc = loose(document(body, headers))
    name, group = doc.first("name", "endpointname", "endpoint"), doc.first("group", "endpointgroup")
    state = doc.first("status", "state", "alerttriggeredorresolved", "alertstatus", "alert", "eventtype")
    text = doc.first("text", "message", "content")
    if not state and ":" in text:  # TRIGGERED: group - name - description - errors
        state, _, rest = text.partition(":")
        parts = [part.strip() for part in rest.split(" - ")]
        group, name = (parts[0], parts[1]) if len(parts) > 1 else ("", parts[0])
    if not name or not state:
        raise InvalidField("it has no name of an endpoint, or no status", hint="use the body of the setup page")
    url, firing = doc.first("url", "endpointurl"), state.lower() not in _OVER
    asset = site(url) or name
    errors, conditions = doc.first("errors", "resulterrors"), doc.first("conditions", "resultconditions")
    about = doc.first("description", "alertdescription")
    title = f"{group} / {name}" if group else name
    word = doc.first("severity")
    return Read(
        (
            alert_of(
                tool="gatus",
                asset=asset,
                signature=down(name, asset, "endpoint"),
                word=word,
                severity=None if word else Severity.HIGH,
                message="\n".join(filter(None, [f"{title}: {state.lower()}", about, errors, conditions, text])),
                firing=firing,
                key=doc.first("key") or f"{group}_{name}",
                tags=some(doc, "url", group=group, name=name),
                urls=url,
            ),
        )
    )


tool = Tool(
    name="gatus",
    title="Gatus",
    read=read,
    setup=Setup(
        steps=(
            "Put the provider below into the configuration of Gatus. It posts to  {url}",
            "Give the endpoints  alerts: [{type: custom, send-on-resolved: true}]",
            "Restart Gatus.",
        ),
        snippet_name="config.yaml",
        snippet="""alerting:
  custom:
    url: "{url}"
    method: "POST"
    headers:
      Content-Type: application/json
    body: |
      {"status": "[ALERT_TRIGGERED_OR_RESOLVED]", "group": "[ENDPOINT_GROUP]", "name": "[ENDPOINT_NAME]",
       "url": "[ENDPOINT_URL]", "description": "[ALERT_DESCRIPTION]", "errors": "[RESULT_ERRORS]"}
    default-alert:
      enabled: true
      send-on-resolved: true
""",
        docs="https://github.com/TwiN/gatus#configuring-custom-alerts",
    ),
)
