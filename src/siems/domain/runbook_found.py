"""A runbook as it stands for a company: whose it is, and what its content counts as (DOMAIN §11)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from siems.domain.runbook import Runbook
from siems.vocabulary import Risk


class Origin(StrEnum):
    """Where a runbook comes from; a company's own goes before the MSP's, and that before the one that ships."""

    COMPANY = "company"
    MSP = "msp"
    LIBRARY = "library"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a name stands for in a company. `version` is 0 for what ships.

    `effective_risk` decides who approves a run: what the runbook declares is believed only once an admin has
    approved its content (`approved`); until then it is HIGH. What ships is approved by shipping.
    """

    runbook: Runbook
    company_id: str
    """Whose it is: the company's, or `msp` (also for what ships)."""
    effective_risk: Risk
    approved: bool
    origin: Origin
    version: int = 0

    @property
    def local_allowed(self) -> bool:
        """Whether it may run on the daemon's own machine: only what ships may."""
        return self.origin is Origin.LIBRARY
