"""Atlassian Statuspage: incidents, maintenance and components on the status page of somebody whose service is used."""

from __future__ import annotations

from siems.domain.alert import Reading
from siems.errors import InvalidField
from siems.sources import Headers, Read, Setup, Tool
from siems.sources.reading import Doc, alert_of, document, host_in
from siems.sources.shapes import some
from siems.vocabulary import Severity

_IMPACTS = {
    "critical": Severity.CRITICAL, "major": Severity.HIGH, "minor": Severity.MEDIUM, "none": Severity.LOW,
    "maintenance": Severity.LOW,
}  # fmt: skip
_CONDITIONS = {
    "major_outage": Severity.HIGH, "partial_outage": Severity.MEDIUM, "degraded_performance": Severity.MEDIUM,
    "under_maintenance": Severity.LOW, "operational": Severity.LOW,
}  # fmt: skip


def read(body: bytes, headers: Headers) -> Read:
    """An incident, a maintenance, or a change of one component."""
    doc = document(body, headers)
    incident = doc.doc("incident")
    if incident.first("id", "name"):
        if incident.first("status") == "scheduled":
            return Read(said=f"maintenance is planned: {incident.first('name')}, {incident.first('scheduled_for')}")
        return Read((_incident(doc, incident),))
    if doc.first("component.id", "component.name", "component_update.component_id"):
        return Read((_component(doc),))
    raise InvalidField("this is no notification of a status page: it has neither an incident nor a component")


def _incident(doc: Doc, incident: Doc) -> Reading:
    components = [one.first("name") for one in incident.docs("components") if one.first("name")]
    status, page = incident.first("status"), _page(doc)
    said = incident.first("incident_updates.0.body")  # the newest is the first
    impact, harmless = incident.first("impact"), incident.at("impact") == "none"  # which is no missing word here
    return alert_of(
        tool="statuspage", asset=components[0] if len(components) == 1 else page,
        signature=incident.first("name") or "incident", word=impact, words=_IMPACTS,
        severity=Severity.LOW if harmless else None,
        message="\n".join(filter(None, (f"{page}: {incident.first('name')} ({status})", said,
                                        "Affected: " + ", ".join(components[:20]) if components else ""))),
        firing=status not in ("resolved", "postmortem", "completed"), key=incident.first("id") or None,
        starts=incident.first("started_at", "scheduled_for", "created_at"),
        tags=some(doc, "page.status_description", page=page, page_id=doc.first("page.id"), status=status,
                  components=", ".join(components[:20])),
        urls=[incident.first("shortlink"), doc.first("page.url")],
    )  # fmt: skip


def _component(doc: Doc) -> Reading:
    page, name = _page(doc), doc.first("component.name")
    status = doc.first("component_update.new_status", "component.status")
    before = doc.first("component_update.old_status").replace("_", " ")
    return alert_of(
        tool="statuspage", asset=name or page, signature="component not operational", word=status, words=_CONDITIONS,
        message=f"{page}: {name} is {status.replace('_', ' ')}" + (f", was {before}" if before else ""),
        firing=status != "operational", key=doc.first("component.id", "component_update.component_id") or None,
        starts=doc.first("component_update.created_at", "component.updated_at"),
        tags=some(doc, "page.status_description", page=page, page_id=doc.first("page.id")),
        urls=[doc.first("page.url")],
    )  # fmt: skip


def _page(doc: Doc) -> str:
    """Whose page it is; older bodies tell it only in the address by which one unsubscribes."""
    return doc.first("page.name") or host_in(doc.first("page.url", "meta.unsubscribe")) or doc.first("page.id")


tool = Tool(
    name="statuspage",
    title="Atlassian Statuspage",
    read=read,
    setup=Setup(
        steps=(
            "Open the status page of the service, and choose Subscribe to updates.",
            "Choose the tab Webhook (the sign </>). URL: {url}  E-mail: an address of yours, which is told when "
            "deliveries fail.",
            "Choose Subscribe via webhook, and the components that you use.",
        ),
        docs="https://support.atlassian.com/statuspage/docs/enable-webhook-notifications/",
    ),
    redact=("unsubscribe",),
    tenant="page.id",
)
