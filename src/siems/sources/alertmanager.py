"""Prometheus Alertmanager, webhook version 4 and older: a group of alerts, each with a status of its own."""

from __future__ import annotations

from siems.sources import Headers, Read, Setup, Tool
from siems.sources.groups import group
from siems.sources.reading import parse


def read(body: bytes, headers: Headers) -> Read:
    """A group of alerts, firing and resolved."""
    hint = "point a webhook_config of Alertmanager at this URL"
    value = parse(body)
    if isinstance(value, list):  # alerts as Prometheus itself sends them to an Alertmanager
        value = {"alerts": value}
    return group(value, tool="alertmanager", title="Alertmanager", hint=hint)


tool = Tool(
    name="alertmanager",
    title="Prometheus Alertmanager",
    read=read,
    setup=Setup(
        steps=(
            "Put the receiver below into alertmanager.yml.",
            "Name it in the route of the alerts that siems shall get:  receiver: siems",
            "Reload Alertmanager:  curl -X POST http://localhost:9093/-/reload",
        ),
        snippet_name="alertmanager.yml",
        snippet="""receivers:
  - name: siems
    webhook_configs:
      - url: '{url}'
        send_resolved: true
""",
        docs="https://prometheus.io/docs/alerting/latest/configuration/#webhook_config",
    ),
)
