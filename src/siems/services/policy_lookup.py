"""Finding an escalation policy by its id or name, as far as somebody may know of it."""

from __future__ import annotations

from sqlalchemy import Connection

from siems.domain.permissions import Actor, missing
from siems.domain.policies import NamedPolicy
from siems.storage.repositories import policies
from siems.vocabulary import MSP


def sees(actor: Actor, named: NamedPolicy) -> bool:
    """The policies of the MSP are what every company may use; those of a company are its own."""
    return named.company_id == MSP or actor.sees(named.company_id)


def find_policy(connection: Connection, ref: str, actor: Actor, company_id: str | None = None) -> NamedPolicy:
    """The policy behind an id or a name; with `company_id` one that this company may use, its own first.

    Raises NotFound for what is not there and for what the reader may not know of.
    """
    wanted = ref.strip()
    usable = [
        named for named in policies.all_policies(connection)
        if sees(actor, named) and (company_id is None or named.company_id in (MSP, company_id))
    ]  # fmt: skip
    exact = [named for named in usable if wanted == named.id]
    alike = [named for named in usable if named.name.lower() == wanted.lower()]
    alike.sort(key=lambda named: named.company_id == MSP)
    short = [named for named in usable if wanted == named.id.removeprefix("pol-")]
    found = [*exact, *alike, *short]
    if not found:
        raise missing(f"escalation policy {wanted[:64]!r}")
    return found[0]
