"""VictoriaMetrics: alerts of vmalert, in groups as Alertmanager passes them on or in a list as vmalert sends them."""

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
    hint = "point a webhook_config of the Alertmanager behind vmalert at this URL"
    return group(parse(body), tool="victoriametrics", title="VictoriaMetrics", hint=hint, at=at)


tool = Tool(
    name="victoriametrics",
    title="VictoriaMetrics",
    read=read,
    read_at=read_at,
    setup=Setup(
        steps=(
            "Let vmalert notify an Alertmanager:  -notifier.url=http://alertmanager:9093",
            "Put the receiver below into that Alertmanager's alertmanager.yml.",
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
        docs="https://docs.victoriametrics.com/victoriametrics/vmalert/",
    ),
)
