"""Falco, by its http_output or by Falcosidekick's webhook: one event of a rule, which has no end."""

from __future__ import annotations

from siems.errors import InvalidField
from siems.sources import Headers, Read, Setup, Tool
from siems.sources.reading import alert_of, document
from siems.sources.shapes import joined, some
from siems.vocabulary import Severity

_WORDS = {
    word: severity
    for severity, words in {
        Severity.CRITICAL: "emergency alert critical",
        Severity.HIGH: "error",
        Severity.MEDIUM: "warning",
        Severity.LOW: "notice informational info debug",
    }.items()
    for word in words.split()
}
_HOSTS = ("evt.hostname", "k8s.node.name", "k8s.pod.name", "k8s_pod_name", "container.name", "container.id")
_MAX_FIELDS = 40


def read(body: bytes, headers: Headers) -> Read:
    """One event. The same rule on the same host is the same alert."""
    doc = document(body, headers)
    rule, said, fields = doc.first("rule"), doc.first("output"), doc.doc("output_fields")
    if not rule and not said:
        raise InvalidField("it has no rule and no output")
    if rule.lower() == "test rule":  # what Falcosidekick sends from /test
        return Read(said="test message of Falcosidekick")
    names = list(fields.value)[:_MAX_FIELDS]
    return Read(
        (
            alert_of(
                tool="falco",
                asset=doc.first("hostname") or fields.first(*_HOSTS),
                signature=rule or "Falco event",
                word=doc.first("priority"),
                words=_WORDS,
                message=f"{rule}\n{said}" if rule else said,
                firing=True,
                tags=some(doc, "priority", "source", "hostname", "uuid", tags=joined(doc.at("tags")))
                | {name: fields.first(name) for name in names if name != "evt.time" and fields.first(name)},
                starts=doc.first("time"),
            ),
        )
    )


tool = Tool(
    name="falco",
    title="Falco",
    read=read,
    setup=Setup(
        steps=(
            "Put the lines below into the configuration of Falcosidekick; they post to  {url}",
            "Restart it, and try it:  curl -X POST http://localhost:2801/test",
            "Falco without Falcosidekick: json_output: true, and http_output with enabled: true and the same url.",
        ),
        snippet_name="falcosidekick config.yaml",
        snippet="""webhook:
  address: "{url}"
  minimumpriority: "notice"
""",
        docs="https://github.com/falcosecurity/falcosidekick/blob/master/docs/outputs/webhook.md",
    ),
)
