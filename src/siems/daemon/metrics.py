"""Figures for Prometheus: what was counted anyway, put into its words when it is asked for."""

from __future__ import annotations

import platform
from collections import Counter
from collections.abc import Iterator
from typing import Any

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from siems.daemon.refusals import RAISED
from siems.daemon.runtime import Runtime
from siems.domain.signature import Cause
from siems.histogram import Histogram
from siems.vocabulary import Severity

CAUSES = (*(cause.value for cause in Cause), *RAISED)
"""They begin at zero: what appears with its first refusals has not increased in the eyes of Prometheus."""


def registry_of(runtime: Runtime, overdue: int) -> CollectorRegistry:
    """Everything that is told, at this moment."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Figures(runtime, overdue))
    for collector in (ProcessCollector, PlatformCollector, GCCollector):
        collector(registry=registry)
    return registry


class Figures(Collector):
    """A daemon in numbers. Asks no database: what it needs from there was fetched before."""

    def __init__(self, runtime: Runtime, overdue: int) -> None:
        self._runtime = runtime
        self._overdue = overdue

    def collect(self) -> Iterator[Metric]:
        yield from self._webhooks()
        yield from self._writer()
        yield from self._incidents()
        runtime = self._runtime
        yield _gauge("siems_deadlines_overdue", "Deadlines that are late by more than a minute.", self._overdue)
        watch = runtime.watch
        yield _gauge("siems_messages_overdue", "Messages that are late by more than a minute.", watch.late.messages)
        yield _gauge("siems_well", "1 while nothing is late, the database answers and siems works.", watch.well)
        drift = runtime.clock.drift().total_seconds()
        yield _gauge("siems_clock_drift_seconds", "How far the wall clock has jumped since the start.", drift)
        yield _counter("siems_deadlines_fired", "Deadlines that were fired.", runtime.scheduler.fired)
        yield _counter("siems_messages_sent", "Messages that a provider has taken.", runtime.delivering.sent)
        yield _counter("siems_messages_failed", "Tries that no provider took.", runtime.delivering.failed)
        yield _gauge("siems_stream_subscribers", "Who follows the live stream.", runtime.hub.subscribers)
        up = (runtime.clock.now() - runtime.started_at).total_seconds()
        yield _gauge("siems_uptime_seconds", "For how long this daemon has been running.", up)
        about = {
            "version": runtime.version, "python": platform.python_version(),
            "database": runtime.database.dialect.name,
        }  # fmt: skip
        yield InfoMetricFamily("siems_build", "What runs here.", about)

    def _webhooks(self) -> Iterator[Metric]:
        traffic, refused = self._runtime.traffic, self._runtime.refusals.total
        yield _counters("siems_webhook_requests", "Requests by source.", "source", traffic.received)
        yield _counter("siems_webhook_accepted", "Requests that were stored.", traffic.accepted)
        yield _counter("siems_webhook_duplicates", "Deliveries that were stored before.", traffic.duplicates)
        refused = dict.fromkeys(CAUSES, 0) | refused
        yield _counters("siems_webhook_refused", "Requests refused by the checks, by cause.", "cause", refused)
        answers = {str(status): count for status, count in sorted(traffic.answers.items())}
        yield _counters("siems_webhook_answers", "Answers by HTTP status.", "status", answers)
        yield _histogram("siems_webhook_seconds", "From the first byte to the answer.", traffic.seconds)

    def _writer(self) -> Iterator[Metric]:
        writer, counters = self._runtime.database.writer, self._runtime.database.memory.counters
        yield _gauge("siems_queue_depth", "Verbs that wait for the writer.", writer.lanes.length)
        yield _histogram("siems_batch_size", "Verbs in one transaction.", writer.sizes)
        yield _histogram("siems_commit_seconds", "One transaction, from its first verb to its commit.", writer.seconds)
        for kind, what in (("alert", "Alerts ever stored; repeats are not."), ("incident", "Incidents ever opened.")):
            yield _counter(f"siems_{kind}s", what, counters.get(kind, 0))

    def _incidents(self) -> Iterator[Metric]:
        """From the writer's memory: with several daemons, as this one has last seen each company."""
        by_company = self._runtime.settings.metrics.companies
        found: Counter[tuple[str, ...]] = Counter()
        companies = list(self._runtime.database.memory.companies.values())
        for company in companies:
            owner = (company.id,) if by_company else ()
            for severity in Severity:
                found[(severity.name, *owner)] += 0
            for incident in list(company.incidents.values()):
                if incident.open:
                    found[(incident.severity.name, *owner)] += 1
        labels = ("severity", "company") if by_company else ("severity",)
        gauge = GaugeMetricFamily("siems_incidents_open", "Incidents that are not resolved.", labels=labels)
        for values, count in sorted(found.items()):
            gauge.add_metric(values, count)
        yield gauge


def _gauge(name: str, what: str, value: float) -> Metric:
    return GaugeMetricFamily(name, what, value)


def _counter(name: str, what: str, value: float) -> Metric:
    return CounterMetricFamily(name, what, value)


def _counters(name: str, what: str, label: str, values: dict[str, int]) -> Metric:
    family = CounterMetricFamily(name, what, labels=(label,))
    for word, count in sorted(values.items()):
        family.add_metric((word,), count)
    return family


def _histogram(name: str, what: str, measured: Histogram) -> Metric:
    buckets: list[Any] = [("+Inf" if bound == float("inf") else str(bound), n) for bound, n in measured.cumulated()]
    return HistogramMetricFamily(name, what, buckets, measured.sum)
