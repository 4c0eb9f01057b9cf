"""Prometheus Alertmanager, webhook version 4 and older, and the list that Prometheus itself sends."""

from __future__ import annotations

from datetime import datetime

from siems.sources import Headers, Read, Setup, Tool
from siems.sources.groups import group
from siems.sources.reading import parse


def read(body: bytes, headers: Headers) -> Read:
    """A group of alerts, firing and resolved."""
    return _read(body, None)


def read_at(body: bytes, headers: Headers, at: datetime) -> Read:
    return _read(body, at)


def _read(body: bytes, at: datetime | None) -> Read:
    hint = "point a webhook_config of Alertmanager at this URL"
    return group(parse(body), tool="alertmanager", title="Alertmanager", hint=hint, at=at)


tool = Tool(
    name="alertmanager",
    title="Prometheus Alertmanager",
    read=read,
    read_at=read_at,
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
