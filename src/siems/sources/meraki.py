"""Cisco Meraki: alerts of the dashboard; what is over comes as an alert of its own type, without a status."""

from __future__ import annotations

from siems.domain.alert import Reading
from siems.domain.signature import Scheme
from siems.errors import InvalidField
from siems.sources import Headers, Read, Setup, Tool
from siems.sources.reading import Doc, alert_of, filled
from siems.sources.shapes import documents, joined, some
from siems.vocabulary import Severity

_PAIRS = {
    "started_reporting": "stopped_reporting",
    "rps_base_supply_up": "rps_backup",
    "pcc_outage_end": "pcc_outage_begin",
    "pcc_security_compliance": "pcc_security_violation",
    "geofencing_in": "geofencing_out",
    "bluetooth_in": "bluetooth_out",
}
"""What is over, and the type of what was wrong."""
_ENDINGS = (("_up", "_down"), ("_connected", "_disconnected"), ("_reachable", "_unreachable"), ("_end", "_begin"),
            ("_restored", "_lost"), ("_recovered", ""), ("_resolved", ""), ("_cleared", ""))  # fmt: skip
_STATES = {"vpn_connectivity_change": "connectivity", "client_connectivity": "connected"}
"""Types that come both ways, and the field that says whether all is well."""
_EVENTS = {"new_splash_signup", "pcc_enrollment"}
_WORDS = {"critical": Severity.CRITICAL, "warning": Severity.MEDIUM, "informational": Severity.LOW}
_PARTS = ("portNum", "num", "peerNetworkId", "mac", "port.port", "ssidName", "ssid", "uplink", "subnet",
          "pccSecurityPolicyId", "alertConfigId", "triggerData.0.conditionId", "interface")  # fmt: skip
"""What tells apart problems of one type on one device."""


def read(body: bytes, headers: Headers) -> Read:
    docs = documents(body, headers)
    kinds = {doc.first("alertTypeId") for doc in docs}
    if kinds <= _EVENTS:
        return Read(said=f"Meraki event: {docs[0].first('alertType', 'alertTypeId')}")
    return Read(tuple(map(_reading, docs)), many=len(docs) > 1)


def _reading(doc: Doc) -> Reading:
    kind = doc.first("alertTypeId") or doc.first("alertType").lower().replace(" ", "_")
    if not kind:
        raise InvalidField("this is no Meraki alert: it has no alertTypeId", hint="use the payload template Meraki")
    about = doc.doc("alertData")
    fault, over = _fault(kind, about)
    device = doc.first("deviceName", "deviceSerial", "deviceMac")
    asset = about.first("clientName", "mac", "ip") if kind == "client_connectivity" else device
    title = doc.first("alertType")
    if not title or title.startswith("translation missing"):
        title = kind.replace("_", " ")
    place = [doc.first("organizationId"), doc.first("networkId"), doc.first("deviceSerial")]
    parts = (about.first(path) for path in _PARTS)
    return alert_of(
        tool="meraki",
        asset=asset or device or doc.first("networkName", "organizationName"),
        signature=fault,
        word=doc.first("alertLevel"),
        words=_WORDS,
        message="\n".join(filter(None, [
            f"{title}: {device or doc.first('networkName')}".rstrip(": "),
            " / ".join(filter(None, [doc.first("organizationName"), doc.first("networkName")])),
            ", ".join(_details(about)),
        ])),
        firing=not (over or doc.first("resolvedAt", "dismissedAt")),
        # alertId is another one for each message, and often all zeros
        key="/".join([*place, fault, *filter(None, parts)]) if any(place) else None,
        tags=some(doc, "organizationId", "organizationName", "networkId", "networkName", "deviceSerial", "deviceMac",
                  "deviceModel", "alertTypeId", tags=joined(doc.at("deviceTags")),
                  network_tags=joined(doc.at("networkTags"))),
        urls=[doc.first("deviceUrl"), doc.first("networkUrl")],
        starts=doc.first("occurredAt", "sentAt") or None,
    )  # fmt: skip


def _fault(kind: str, about: Doc) -> tuple[str, bool]:
    """The type of what is wrong, and whether it is over."""
    if kind in _PAIRS:
        return _PAIRS[kind], True
    if kind in _STATES:
        return kind, about.first(_STATES[kind]).lower() == "true"
    if kind.startswith("sensor"):
        return kind, about.first("startedAlerting").lower() == "false"
    for good, bad in _ENDINGS:
        if kind.endswith(good):
            return kind.removesuffix(good) + bad, True
    return kind, "normal" in about.first("temperature").lower()


def _details(about: Doc) -> list[str]:
    """What an alert says of itself, without structures."""
    plain = ((key, filled(value, 500)) for key, value in about.value.items() if not isinstance(value, (dict, list)))
    return [f"{key}: {' '.join(value.split())}" for key, value in plain if value and not key.endswith("Url")][:20]


tool = Tool(
    name="meraki",
    title="Cisco Meraki",
    read=read,
    signing=Scheme(kind="field", field="sharedSecret"),
    redact=("sharedSecret",),
    tenant="organizationId",
    setup=Setup(
        steps=(
            "In the dashboard: Network-wide > Configure > Alerts, section Webhooks: Add an HTTPS server with the name"
            " siems, the URL {url}, the shared secret {secret} and the payload template Meraki.",
            "On the same page add  Webhook: siems  to Default recipients, or to the recipients of single alerts.",
            "Choose alerts in pairs, so that siems hears of the end as well: for gateways, switches and access points"
            " both  goes offline  and  comes online  come with one box.",
        ),
        docs="https://developer.cisco.com/meraki/webhooks/",
    ),
)
