"""Reports: one method per verb."""

from __future__ import annotations

from typing import Any

from siems.client.transport import Transport, part


class Reports(Transport):
    def report(self, kind: str, **asked: Any) -> dict[str, Any]:
        """`wire.MeasureReport`: `sla`, `volume`, `workload`, `noise`, `mttr` or `causes`; `since`, `until`, `by`,
        `company`, `query`, `zone`, `trend`, `compare` (`prior`) or `prior_since` and `prior_until`."""
        return self._get(f"/reports/{part(kind)}", **asked)

    def report_incidents(self, kind: str, measure: str, **asked: Any) -> dict[str, Any]:
        """`wire.MeasuredIncidents`: those behind a `measure`, of a `group`, at most `limit`."""
        return self._get(f"/reports/{part(kind)}/incidents", measure=measure, **asked)
