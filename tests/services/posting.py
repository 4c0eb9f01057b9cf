"""The part of the worker that sends messages, by hand."""

from __future__ import annotations

from typing import Any

from tests.services.world import ROOT, VAULT, World

from siems.domain.permissions import Actor
from siems.services import contacts, notify_rules
from siems.services.delivered import Outcome, finish
from siems.services.delivery import Parcel, claim
from siems.vocabulary import MSP
from siems.wire import ContactAsk, RuleAsk

FREE = {"email": 16, "sms": 16, "voice": 16, "webhook": 16, "slack": 16}
TAKEN = Outcome(accepted=True, message_id="P-1")
BUSY = Outcome(accepted=False, error="503")
NEVER = Outcome(accepted=False, error="no such number", refused=True)


class Post:
    """The worker's part, by hand."""

    def __init__(self, world: World) -> None:
        self.world = world
        world.database.memory.channels = frozenset(FREE)
        world.do(lambda uow: uow.journal.drop(uow.memory.people_loaded, MSP), companies=(MSP,))

    def contact(self, who: Actor, channel: str, address: str = "+4790000100") -> str:
        ask = ContactAsk(channel=channel, address=address, user=who.id)
        return str(self.world.do(contacts.add_contact, ROOT, ask, address, VAULT, companies=(MSP,)))

    def rule(self, who: Actor, channel: str, **more: Any) -> str:
        ask = RuleAsk(user=who.id, channel=channel, **more)
        return str(self.world.do(notify_rules.add_rule, ROOT, ask, "", VAULT, companies=(MSP,)))

    def due(self, **free: int) -> list[Parcel]:
        return list(self.world.do(claim, "me", free or FREE, companies=(MSP,)))

    def end(self, parcel: Parcel, outcome: Outcome = TAKEN) -> bool:
        return bool(self.world.do(finish, parcel, outcome, companies=(parcel.company_id,)))

    def states(self, where: str = "1 = 1") -> list[str]:
        rows = self.world.rows(f"SELECT channel, state FROM message WHERE {where} ORDER BY id")
        return [f"{row['channel']} {row['state']}" for row in rows]
