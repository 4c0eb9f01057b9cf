"""Splunk Observability Cloud (SignalFx): alerts of a detector's rules."""

from __future__ import annotations

from siems.domain.signature import Scheme
from siems.errors import InvalidField
from siems.sources import Headers, Read, Setup, Tool
from siems.sources.reading import Doc, alert_of, document, without_port
from siems.sources.shapes import plain, some
from siems.vocabulary import Severity

_WORDS = {
    "critical": Severity.CRITICAL, "major": Severity.HIGH, "minor": Severity.MEDIUM, "warning": Severity.MEDIUM,
    "info": Severity.LOW,
}  # fmt: skip
_OVER = ("ok", "cleared", "manually resolved", "manually_resolved", "stopped", "auto_resolved")
_HOSTS = ("host", "host.name", "hostname", "instance", "instance_name", "InstanceId", "AWSUniqueId",
          "azure_resource_id", "gcp_id", "server", "k8s.pod.name", "kubernetes_pod_name", "k8s.node.name",
          "kubernetes_node", "container_name", "k8s.deployment.name", "sf_service", "service.name", "service",
          "k8s.cluster.name", "kubernetes_cluster", "cluster")  # fmt: skip
_OWN = ("sf_", "orgId", "computationId")


def read(body: bytes, headers: Headers) -> Read:
    """One alert of one rule."""
    doc = document(body, headers)
    inputs = doc.doc("inputs")
    rule = doc.first("rule") or plain(inputs, "rule")
    title = doc.first("messageTitle", "title") or plain(inputs, "messageTitle")
    detector = doc.first("detector", "detectorName") or plain(inputs, "detector")
    said = doc.first("messageBody", "message", "body") or plain(inputs, "messageBody")
    if not (rule or detector or title):
        raise InvalidField("this is no SignalFx body: it has neither rule, detector nor messageTitle")
    state = doc.first("statusExtended", "status", "state").lower()
    # people resolve an alert by hand while its signal stays anomalous; the texts say so
    over = state in _OVER or title.lower().startswith(("manually resolved:", "cleared:", "stopped:"))
    dimensions = Doc(doc.doc("dimensions").value or _signal(said))
    values = (value for name, value in dimensions.value.items() if not str(name).startswith(_OWN))
    asset = plain(dimensions, *_HOSTS) or plain(Doc({"values": [v for v in values if isinstance(v, str)]}), "values")
    reading = alert_of(
        tool="signalfx",
        asset=without_port(asset) or detector or rule,
        signature=f"{detector}: {rule}" if detector and rule and rule != detector else rule or detector or title,
        word=doc.first("severity"),
        words=_WORDS,
        message="\n".join(filter(None, [title, said or doc.first("description")])),
        firing=not over,
        key=doc.first("incidentId", "incident_id") or None,
        tags=dict(dimensions.value) | some(doc, "detector", "rule", "originatingMetric", "orgId", "description"),
        urls=[doc.at("detectorUrl"), doc.at("runbookUrl"), inputs.at("runbookUrl"), doc.at("imageUrl")],
        starts=None if over else doc.at("timestamp"),
    )
    return Read((reading,))


def _signal(said: str) -> dict[str, str]:
    """The dimensions as the default message writes them: `{sf_metric=cpu, host=web-1}`."""
    inner = said.partition("Signal details:")[2].partition("{")[2].partition("}")[0]
    pairs = (part.partition("=") for part in inner.split(",")[:64])
    return {name.strip(): value.strip() for name, equals, value in pairs if equals and value.strip()}


tool = Tool(
    name="signalfx",
    title="Splunk Observability Cloud (SignalFx)",
    read=read,
    setup=Setup(
        steps=(
            "In Splunk Observability Cloud open Data Management > Available integrations and choose Webhook.",
            "Name: siems.  URL:  {url}",
            "Enter as Shared Secret:  {secret}",
            "Leave the payload at its default and save.",
            "In each detector open Alert recipients > Add Recipient > Webhook and choose siems.",
        ),
        docs="https://help.splunk.com/en/splunk-observability-cloud/create-alerts-detectors-and-service-level-objectives/"
        "send-alert-notifications-to-third-party-services/webhook",
    ),
    signing=Scheme(header="X-SFX-Signature", base64=True),
    tenant="orgId",
)
