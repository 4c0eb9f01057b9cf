"""Checkly, its webhook alert channel: a check that fails, degrades, recovers, or whose certificate runs out."""

from __future__ import annotations

from siems.domain.signature import Scheme
from siems.errors import InvalidField
from siems.sources import Headers, Read, Setup, Tool
from siems.sources.reading import alert_of, document
from siems.sources.shapes import down, joined, loose, some
from siems.vocabulary import Severity

_WORDS = {
    "alert_failure": Severity.CRITICAL,
    "alert_failure_remain": Severity.CRITICAL,
    "alert_degraded_failure": Severity.CRITICAL,
    "alert_degraded": Severity.MEDIUM,
    "alert_degraded_remain": Severity.MEDIUM,
    "alert_failure_degraded": Severity.MEDIUM,
    "alert_recovery": Severity.CRITICAL,
    "alert_degraded_recovery": Severity.MEDIUM,
    "alert_ssl": Severity.LOW,
}


def read(body: bytes, headers: Headers) -> Read:
    """One change of a check's state, in the channel's own template or one with like names."""
    doc = loose(document(body, headers))
    name, event = doc.first("checkname", "name", "checkid"), doc.first("alerttype").lower()
    if not name or not event:
        raise InvalidField("it has no check_name, or no alert_type", hint="use the template of the setup page")
    if event == "no_alert":
        return Read(said=f"{name}: no alert")
    domain = doc.first("sslcheckdomain")
    ssl, firing = event == "alert_ssl", not event.endswith("recovery")
    asset, check = (domain if ssl and domain else name), doc.first("checkid")
    lines = (
        doc.first("event", "alerttitle", "title") or f"{name}: {event}",
        doc.first("checkerrormessage", "error"),
        f"{doc.first('ssldaysremaining')} days left" if ssl and doc.first("ssldaysremaining") else "",
    )
    return Read(
        (
            alert_of(
                tool="checkly",
                asset=asset,
                signature="certificate expires" if ssl else down(name, asset, doc.first("checktype")),
                word=event,
                words=_WORDS,
                message="\n".join(filter(None, lines)),
                firing=firing,
                key=f"{check}:ssl" if check and ssl else check,
                tags=some(
                    doc, "checkname", "checktype", "groupname", "runlocation", "region", "responsetime",
                    "apicheckresponsestatuscode", tags=joined(doc.at("tags")),
                ),
                urls=[doc.first("link", "resultlink")],
                starts=doc.first("startedat") if firing else None,
            ),
        )
    )  # fmt: skip


tool = Tool(
    name="checkly",
    title="Checkly",
    read=read,
    signing=Scheme(header="X-Checkly-Signature"),
    setup=Setup(
        steps=(
            "Alerts → Alert settings → Add more channels → Webhook.",
            "Method POST, URL:  {url}",
            "Webhook secret:  {secret}",
            "Keep the body that Checkly proposes, or paste the one below.",
            "Subscribe the checks and groups, tick failed, degraded, recovered and SSL, and send a test.",
        ),
        snippet_name="Body",
        snippet="""{
  "event": "{{ALERT_TITLE}}", "alert_type": "{{ALERT_TYPE}}",
  "check_name": "{{CHECK_NAME}}", "check_id": "{{CHECK_ID}}", "check_type": "{{CHECK_TYPE}}",
  "group_name": "{{GROUP_NAME}}", "check_error_message": "{{CHECK_ERROR_MESSAGE}}",
  "response_time": "{{RESPONSE_TIME}}", "api_check_response_status_code": "{{API_CHECK_RESPONSE_STATUS_CODE}}",
  "run_location": "{{RUN_LOCATION}}", "started_at": "{{STARTED_AT}}", "tags": "{{TAGS}}", "link": "{{RESULT_LINK}}",
  "ssl_days_remaining": "{{SSL_DAYS_REMAINING}}", "ssl_check_domain": "{{SSL_CHECK_DOMAIN}}"
}
""",
        docs="https://www.checklyhq.com/docs/integrations/alerts/webhooks/",
    ),
)
