"""The story of an incident, as far as it is not told by its alerts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from siems.clock import to_micros
from siems.domain.permissions import Actor

if TYPE_CHECKING:
    from siems.storage.unit_of_work import UnitOfWork


class Timeline:
    """New lines of a batch."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow

    def add(
        self, company_id: str, incident_id: int, kind: str, text: str, *, actor: Actor,
        data: Mapping[str, Any] | None = None,
    ) -> None:  # fmt: skip
        """One line, at the time of the verb."""
        said = json.dumps(dict(data)) if data else "{}"
        at = to_micros(self._uow.now)
        self._uow.insert("timeline", (company_id, incident_id, at, kind, actor.id, actor.via.value, text, said))
