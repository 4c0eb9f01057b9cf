"""Splunk Enterprise and Splunk Cloud: the webhook action of a saved search, with the first row of its results."""

from __future__ import annotations

from siems.errors import InvalidField
from siems.sources import Headers, Read, Setup, Tool
from siems.sources.reading import Doc, alert_of, document, filled
from siems.sources.shapes import plain, whole_key
from siems.vocabulary import Severity

_WORDS = {
    "critical": Severity.CRITICAL, "fatal": Severity.CRITICAL, "high": Severity.HIGH, "error": Severity.HIGH,
    "medium": Severity.MEDIUM, "warning": Severity.MEDIUM, "warn": Severity.MEDIUM, "low": Severity.LOW,
    "info": Severity.LOW, "informational": Severity.LOW, "unknown": Severity.MEDIUM,
    # Splunk's own numbers of alert severity, 1 the lowest
    "6": Severity.CRITICAL, "5": Severity.CRITICAL, "4": Severity.HIGH, "3": Severity.MEDIUM, "2": Severity.LOW,
    "1": Severity.LOW,
}  # fmt: skip
_HOSTS = ("host", "dest", "dvc", "hostname", "host_name", "orig_host", "dest_host", "dest_nt_host", "Computer",
          "ComputerName", "server", "device", "instance", "entity_title", "entity_name", "entity", "service_name",
          "src", "src_ip", "splunk_server")  # fmt: skip
_NOISE = ("timestartpos", "timeendpos", "linecount", "punct", "eventtype", "host")


def read(body: bytes, headers: Headers) -> Read:
    """One run of a saved search that found something."""
    doc = document(body, headers)
    if not (doc.has("result") or doc.has("sid") or doc.has("search_name")):
        raise InvalidField("this is no Splunk body: it has neither result, sid nor search_name")
    row = doc.doc("result")
    # an ad-hoc search has no name; events of Enterprise Security name the rule
    search = doc.first("search_name") or plain(row, "search_name", "rule_name", "rule_title", "signature", "source")
    if plain(row, "itsi_group_id"):  # an episode of IT Service Intelligence; the search that sends them is one for all
        search = plain(row, "itsi_group_title", "title") or search
    told = plain(row, "_raw", "message", "description", "rule_description", "summary")
    word = plain(row, "urgency", "severity", "alert_severity", "severity_id", "priority", "level")
    columns = [f"{k}={filled(v, 256)}" for k, v in list(row.value.items())[:200] if _telling(k) and filled(v)]
    reading = alert_of(
        tool="splunk",
        asset=plain(row, *_HOSTS),
        signature=search or "Splunk search",
        word=word,
        words=_WORDS,
        severity=None if word else Severity.MEDIUM,
        message="\n".join(filter(None, [search, told or ", ".join(columns[:24])])),
        firing=not (plain(row, "itsi_group_id") and word.lower() in ("2", "normal")),
        key=whole_key(plain(row, "itsi_group_id")),
        tags=_labels(row) | {k: doc.first(k) for k in ("app", "owner") if doc.first(k)},
        urls=[doc.at("results_link")],
        starts=plain(row, "_time") or None,
    )
    return Read((reading,))


def _telling(column: str) -> bool:
    return not column.startswith(("_", "date_")) and column not in _NOISE


def _labels(row: Doc) -> dict[str, str]:
    columns = ((column, plain(row, column)) for column in list(row.value)[:200] if _telling(column))
    return dict([(column, value) for column, value in columns if value][:48])


tool = Tool(
    name="splunk",
    title="Splunk",
    read=read,
    setup=Setup(
        steps=(
            "In Splunk open the search that shall alert and choose Save As > Alert.",
            "Set Trigger to For each result, so that every host gets an alert of its own, and throttle by host.",
            "Under Trigger Actions choose Add Actions > Webhook and enter as URL:  {url}",
            "Let the search end with the line below: host is the machine, severity is critical, high, medium or low.",
            "In Splunk Cloud add the host of that URL under Settings > Server settings > Webhook allow list.",
        ),
        snippet_name="end of the search",
        snippet='| eval severity="high" | table _time host severity message\n',
        docs="https://docs.splunk.com/Documentation/Splunk/latest/Alert/Webhooks",
    ),
)
