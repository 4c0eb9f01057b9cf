"""Webhook formats: how the body of a tool becomes alerts. One file per tool, loaded when it is first used."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from siems.domain.alert import Read as Read
from siems.domain.alert import Remark as Remark
from siems.domain.signature import Scheme
from siems.registry import Registry

Headers = Mapping[str, str]
"""Headers of a request; names in any case."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """How a person makes the tool send to siems. Texts may hold {url}, {base}, {key}, {secret}, {integration},
    {company} and {source}."""

    steps: tuple[str, ...]
    """What to do, in order, in the words of the tool's own screens."""
    snippet: str = ""
    """A file, a command or a body that can be pasted as it is."""
    snippet_name: str = ""
    """Where it belongs: `alertmanager.yml`, `Custom payload`."""
    docs: str = ""
    """The tool's own page about it."""

    def filled(self, values: Mapping[str, str]) -> Setup:
        """The same with `{url}` and so on replaced; other braces stay as they are."""

        def fill(text: str) -> str:
            for name, value in values.items():
                text = text.replace(f"{{{name}}}", value)
            return text

        return replace(self, steps=tuple(map(fill, self.steps)), snippet=fill(self.snippet))


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """One tool. `read` raises UsageError for a body in no form that can be read, InvalidField for what cannot be an
    alert; `hearing.hear` turns both into an alert that holds the body, so that nothing a tool says is lost."""

    name: str
    title: str
    """As its makers write it."""
    read: Callable[[bytes, Headers], Read]
    setup: Setup
    native: bool = True
    """Whether the body is the tool's own; such senders get 503 rather than 429, since many repeat only on that."""
    signing: Scheme | None = None
    """How the tool can sign; None when it cannot."""
    proves: str = ""
    """How its messages prove themselves beyond what this process can compute at once: `sns`; "" when they do not."""
    redact: tuple[str, ...] = ()
    """Names of fields that hold a secret; they are blanked before a body is kept."""
    tenant: str = ""
    """The field by which one sender's bodies are told apart by client: `organizationId`; "" when there is none."""
    read_at: Callable[[bytes, Headers, datetime], Read] | None = None
    """`read` for bodies that mean something else later, such as an alert that is over once its end has passed. The
    time is that of receipt: sources have no clock, so that a body that was kept is read again as it was then."""


def _entries(*names: str) -> dict[str, str]:
    return {name: f"siems.sources.{name.replace('-', '_')}:tool" for name in names}


SOURCES: Registry[Tool] = Registry(
    "source",
    _entries(
        "generic", "alertmanager", "email",
        # clouds
        "aws-sns", "aws-cloudwatch", "aws-eventbridge", "aws-guardduty", "aws-backup", "aws-health", "sqs",
        "azure-monitor", "gcp-monitoring", "cloudflare", "statuspage", "oracle-cloud",
        # machines and networks
        "zabbix", "nagios", "icinga", "checkmk", "centreon", "prtg", "librenms", "scom", "logicmonitor", "auvik",
        "solarwinds", "netdata", "opmanager", "vmware-vrealize", "riemann", "sensu", "observium", "whatsup-gold",
        "domotz", "juniper-mist",
        # applications and logs
        "grafana", "datadog", "newrelic", "dynatrace", "sentry", "elastic", "splunk", "signalfx", "graylog",
        "coralogix", "axiom", "sumologic", "appdynamics", "openobserve", "thousandeyes", "falco", "opsgenie",
        "pagerduty", "honeycomb", "rollbar", "bugsnag", "instana", "victoriametrics",
        # uptime
        "uptime-kuma", "uptimerobot", "pingdom", "statuscake", "healthchecks", "site24x7", "hyperping", "checkly",
        "cronitor", "updown-io", "uptime-com", "apexping", "dead-mans-snitch", "hetrixtools", "better-stack",
        "pulsetic", "freshping", "gatus",
        # managed machines and security
        "wazuh", "fail2ban", "tacticalrmm", "meraki", "ninjaone", "datto-rmm", "n-able", "netbox",
        "unifi", "crowdstrike", "sentinelone", "veeam", "synology", "comet-backup",
    ),
    aliases={
        "alerts": "generic", "mail": "email", "smtp": "email", "aws-sqs": "sqs",
        "prometheus": "alertmanager", "prom": "alertmanager", "sns": "aws-sns",
        "cloudwatch": "aws-cloudwatch", "eventbridge": "aws-eventbridge", "guardduty": "aws-guardduty",
        "azure": "azure-monitor", "gcp": "gcp-monitoring", "google-cloud": "gcp-monitoring",
        "stackdriver": "gcp-monitoring", "kibana": "elastic", "elasticsearch": "elastic", "icinga2": "icinga",
        "new-relic": "newrelic", "uptimekuma": "uptime-kuma", "check_mk": "checkmk", "tactical": "tacticalrmm",
        "ninja": "ninjaone", "ninjarmm": "ninjaone", "datto": "datto-rmm", "healthchecks-io": "healthchecks",
        "betterstack": "better-stack", "betteruptime": "better-stack", "updown": "updown-io",
        "vrops": "vmware-vrealize", "aria-operations": "vmware-vrealize", "n-central": "n-able",
        "mist": "juniper-mist", "comet": "comet-backup", "splunk-observability": "signalfx",
        "vmalert": "victoriametrics",
    },
)  # fmt: skip
