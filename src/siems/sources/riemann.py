"""Riemann: one event, or several, of a service on a host."""

from __future__ import annotations

from siems.domain.alert import SEVERITY_WORDS, Reading
from siems.errors import InvalidField
from siems.sources import Headers, Read, Setup, Tool
from siems.sources.reading import Doc, alert_of
from siems.sources.shapes import documents, is_over, joined, some
from siems.vocabulary import Severity

WORDS = {**SEVERITY_WORDS, "expired": Severity.MEDIUM, "unknown": Severity.MEDIUM}
_OWN = frozenset(["host", "service", "state", "description", "metric", "tags", "time", "ttl"])


def read(body: bytes, headers: Headers) -> Read:
    docs = documents(body, headers)
    events = list(docs[0].docs("events")) if len(docs) == 1 and docs[0].has("events") else docs
    if not events:
        return Read(said="Riemann sent no events")
    return Read(tuple(map(_reading, events)), many=len(events) > 1)


def _reading(event: Doc) -> Reading:
    host, service, state = event.first("host"), event.first("service"), event.first("state")
    if not (host or service):
        raise InvalidField("this is no event of Riemann: it has neither a host nor a service")
    over = is_over(state)
    metric, said = event.first("metric"), event.first("description")
    head = f"{service or 'host'} on {host} is {state or 'in trouble'}"
    own = {str(name): event.first(str(name)) for name in list(event.value)[:64] if name not in _OWN}
    return alert_of(
        tool="riemann",
        asset=host or service,
        signature=service or "host",
        word=state,
        words=WORDS,
        message=f"{head}: {said}" if said else head,
        firing=not over,
        tags=some(event, "metric", state=state, tags=joined(event.at("tags")), **own) if metric or own else {},
        starts=None if over else event.at("time"),
    )


tool = Tool(
    name="riemann",
    title="Riemann",
    read=read,
    setup=Setup(
        steps=(
            "Put the function below into riemann.config.",
            'Use it in your streams:  (changed-state {:init "ok"} siems)',
            "Reload:  systemctl reload riemann",
        ),
        snippet_name="riemann.config",
        snippet="""(defn siems [event]
  (clj-http.client/post "{url}"
    {:body (cheshire.core/generate-string event)
     :content-type :json
     :socket-timeout 20000
     :conn-timeout 5000}))
""",
        docs="https://riemann.io/howto.html",
    ),
)
