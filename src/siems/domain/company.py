"""Companies: the clients of the MSP, how they are named and what they may set."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from siems.domain.assignment import MANUAL
from siems.domain.correlation import Rules
from siems.domain.escalation import DEFAULT_POLICY_ID
from siems.domain.sla import Targets, Terms
from siems.domain.tiers import STANDARD
from siems.errors import InvalidField
from siems.vocabulary import AdviceMode, Paging

_LEGAL_FORMS = frozenset(
    [
        "inc",
        "corp",
        "corporation",
        "co",
        "company",
        "ltd",
        "limited",
        "llc",
        "llp",
        "plc",
        "gmbh",
        "ag",
        "kg",
        "ug",
        "sa",
        "sas",
        "sarl",
        "srl",
        "spa",
        "bv",
        "nv",
        "ab",
        "as",
        "oy",
        "aps",
        "pty",
    ]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CompanySettings:
    """What a company may set for itself."""

    rules: Rules = field(default_factory=Rules)
    rate_per_minute: int = 60
    burst: int = 120
    tier: str = STANDARD
    zone: str = "UTC"
    """Where the company is, for business hours."""
    terms: Terms = field(default_factory=Terms)
    paging: Paging = Paging.LIVE
    policy_id: str = DEFAULT_POLICY_ID
    oncall: str = ""
    """The schedule that says who is on call; empty: the default one."""
    assign: str = MANUAL
    """The strategy by which an incident finds its owner when it opens."""
    update_every: timedelta = timedelta(minutes=60)
    """After so long without a status update the owner of a CRITICAL incident is reminded; zero is never."""

    advice: AdviceMode = AdviceMode.ON
    """Whether incidents are advised on, and by whom."""
    advice_lowers: bool = False
    """Whether advice that is sure enough may lower a severity by itself; it moves no deadline all the same."""

    @property
    def targets(self) -> Targets:
        return self.terms.targets


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    id: str
    name: str
    created_at: datetime
    active: bool = True
    settings: CompanySettings = field(default_factory=CompanySettings)

    @property
    def slug(self) -> str:
        return self.id.removeprefix("comp-")


def slug_of(name: str) -> str:
    """`Acme Corp` → `acme`, `Fjord Media` → `fjord-media`. Raises InvalidField when nothing is left."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    words = re.findall(r"[a-z0-9]+", plain)
    while len(words) > 1 and words[-1] in _LEGAL_FORMS:
        words.pop()
    slug = "-".join(words)[:40].strip("-")
    if not slug or slug == "msp":
        raise InvalidField(f"no short name can be made from {name!r}", hint="choose one:  --slug NAME")
    return slug
