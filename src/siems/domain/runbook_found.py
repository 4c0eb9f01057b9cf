"""A runbook as it stands for a company: whose it is, and what its content counts as (DOMAIN §11)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from siems.domain.runbook import Runbook
from siems.vocabulary import MSP, Risk

RISKS = tuple(Risk)
"""From the least to the most."""


class Origin(StrEnum):
    """Where a runbook comes from; a company's own goes before the MSP's, and that before the one that ships."""

    COMPANY = "company"
    MSP = "msp"
    LIBRARY = "library"


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """That an admin has read a text, and what risk they give it."""

    risk: Risk
    by: str
    at: datetime


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
    author: str = ""
    at: datetime | None = None
    approval: Approval | None = None

    @property
    def local_allowed(self) -> bool:
        """Whether it may run on the daemon's own machine: only what ships may."""
        return self.origin is Origin.LIBRARY


def shipped(runbook: Runbook) -> Found:
    """One that ships with siems."""
    return Found(
        runbook=runbook, company_id=MSP, effective_risk=runbook.risk, approved=True, origin=Origin.LIBRARY
    )  # fmt: skip


def written(
    runbook: Runbook, company_id: str, approval: Approval | None, *, version: int, author: str, at: datetime
) -> Found:
    """One that somebody wrote: HIGH until its content was approved, then never less than it declares."""
    risk = max(runbook.risk, approval.risk, key=RISKS.index) if approval is not None else Risk.HIGH
    return Found(
        runbook=runbook, company_id=company_id, effective_risk=risk, approved=approval is not None,
        origin=Origin.MSP if company_id == MSP else Origin.COMPANY, version=version, author=author, at=at,
        approval=approval,
    )  # fmt: skip
