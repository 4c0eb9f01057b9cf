"""Sensu Go and Sensu Core: the result of a check on an entity, by a handler that passes the event on."""

from __future__ import annotations

from siems.domain.alert import Reading
from siems.errors import InvalidField
from siems.sources import Headers, Read, Setup, Tool
from siems.sources.reading import Doc, alert_of
from siems.sources.shapes import documents, joined, some, whole_key
from siems.vocabulary import Severity

_SEVERITY = {"1": Severity.MEDIUM, "2": Severity.CRITICAL}
_STATE = {"1": "warning", "2": "critical"}


def read(body: bytes, headers: Headers) -> Read:
    events = documents(body, headers)
    checks = [event for event in events if isinstance(event.at("check"), dict)]
    if not checks:
        if all(event.has("metrics") or event.has("entity.metadata") for event in events):
            return Read(said="Sensu sent metrics or an entity, and no check")
        raise InvalidField("this is no event of Sensu: it has no check")
    return Read(tuple(map(_reading, checks)), many=len(events) > 1)


def _reading(event: Doc) -> Reading:
    check = event.doc("check")
    asset = event.first("entity.metadata.name", "check.proxy_entity_name", "client.name", "entity.name", "entity.id")
    name = check.first("metadata.name", "name")
    if not asset or not name:
        raise InvalidField("this is no event of Sensu: its check or its entity has no name")
    status = check.first("status")
    over = status == "0" or (not status and check.first("state") == "passing") or event.first("action") == "resolve"
    namespace = event.first("entity.metadata.namespace", "check.metadata.namespace", "metadata.namespace")
    state = "ok" if over else _STATE.get(status, f"unknown (status {status})")
    said = check.first("output") or check.first("notification", "description")
    tags = some(
        event, "client.address", "check.interval", "entity.entity_class", "entity.system.os", "check.proxy_entity_name",
        namespace=namespace, state=state, subscriptions=joined(event.at("entity.subscriptions")),
        occurrences=check.first("occurrences") or event.first("occurrences"),
    )  # fmt: skip
    mine = {
        str(label): text
        for path in ("entity.metadata.labels", "check.metadata.labels")
        for label, text in list(event.doc(path).value.items())[:32]
        if isinstance(text, str)
    }
    return alert_of(
        tool="sensu",
        asset=asset,
        signature=name,
        # above 2 is unknown by convention, yet a check that exits with 127 is broken and not only worth a look
        severity=_SEVERITY.get(status, Severity.MEDIUM),
        message=f"{name} on {asset} is {state}: {said}".removesuffix(": "),
        firing=not over,
        key=whole_key(namespace, asset, name),
        tags=mine | tags,
        urls=[event.first("check.metadata.annotations.runbook", "check.metadata.annotations.sensu_url")],
        starts=None if over else event.at("last_state_change"),
    )


tool = Tool(
    name="sensu",
    title="Sensu",
    read=read,
    setup=Setup(
        steps=(
            "Save the handler below as siems.yml and create it:  sensuctl create --file siems.yml",
            "Name it in the checks that siems shall get:  sensuctl check set-handlers CHECK siems",
            "For machines that fall silent, add it to the handler called keepalive as well.",
        ),
        snippet_name="siems.yml",
        snippet="""type: Handler
api_version: core/v2
metadata:
  name: siems
spec:
  type: pipe
  timeout: 20
  filters:
    - is_incident
    - not_silenced
  command: >-
    curl -fsS -m 20 -X POST -H 'Content-Type: application/json' --data-binary @- '{url}'
""",
        docs="https://docs.sensu.io/sensu-go/latest/observability-pipeline/observe-process/handlers/",
    ),
)
