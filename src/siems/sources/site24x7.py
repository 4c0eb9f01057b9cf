"""Site24x7, its webhook integration with incident parameters, as JSON or as form fields."""

from __future__ import annotations

from siems.errors import InvalidField
from siems.sources import Headers, Read, Setup, Tool
from siems.sources.reading import alert_of, document
from siems.sources.shapes import down, joined, loose, site, some
from siems.vocabulary import Severity

_WORDS = {
    "down": Severity.CRITICAL,
    "critical": Severity.HIGH,
    "trouble": Severity.MEDIUM,
    "configuration error": Severity.MEDIUM,
}


def read(body: bytes, headers: Headers) -> Read:
    """One change of a monitor's status."""
    doc = loose(document(body, headers))
    name, state = doc.first("monitorname", "displayname", "monitorid"), doc.first("status", "monitorstatus")
    if not name or not state:
        raise InvalidField("it has no MONITORNAME, or no STATUS")
    if state.lower() in ("suspended", "maintenance", "discovery", "active"):
        return Read(said=f"{name}: {state.lower()}")
    firing, url = state.lower() != "up", doc.first("monitorurl")
    reason, places = doc.first("incidentreason", "incidentdetails"), doc.first("failedlocations")
    asset = doc.first("hostname", "servername") or site(url) or name
    return Read(
        (
            alert_of(
                tool="site24x7",
                asset=asset,
                signature=down(name, asset, doc.first("monitortype")),
                word=state,
                words=_WORDS | {"up": Severity.CRITICAL},
                message="\n".join(
                    filter(None, [f"{name} is {state}", reason, f"seen from {places}" if places and firing else ""])
                ),
                firing=firing,
                key=doc.first("monitorid"),
                tags=some(
                    doc, "monitorname", "monitortype", "monitorurl", "monitorgroupname", "failedlocations",
                    "customername", labels=joined(doc.at("labels")), tags=joined(doc.at("tags")),
                ),
                urls=[doc.first("rcalink"), doc.first("monitordashboardlink"), url],
                starts=doc.first("outagetimeunixformat", "incidenttimeiso") if firing else None,
            ),
        )
    )  # fmt: skip


tool = Tool(
    name="site24x7",
    title="Site24x7",
    read=read,
    setup=Setup(
        steps=(
            "Admin → Third-Party Integrations → Add Third-Party Integration → Webhooks.",
            "Hook URL:  {url}  HTTP Method: POST.",
            "Tick Send Incident Parameters and Send in JSON format; alerts for Down, Critical, Trouble and Up.",
            "Save, and choose the integration for All Monitors or for the monitors it is meant for.",
        ),
        docs="https://www.site24x7.com/help/admin/third-party-integrations/webhooks.html",
    ),
)
