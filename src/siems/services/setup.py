"""The ground that everything stands on: the MSP itself, and the work that never ends."""

from __future__ import annotations

from siems.domain.company import Company, CompanySettings
from siems.domain.deadlines import DueKind
from siems.domain.events import Recorded
from siems.domain.permissions import SYSTEM
from siems.services import policies
from siems.services.companies import store_company
from siems.services.retention import HOUSE, SWEEP_EVERY
from siems.services.users import create, make_local_token
from siems.storage.unit_of_work import UnitOfWork
from siems.vocabulary import MSP
from siems.wire import UserAsk


def prepare(uow: UnitOfWork, defaults: CompanySettings) -> bool:
    """Make the MSP's own rows; True when they were not there."""
    if uow.memory.companies.get(MSP) is not None:
        return False
    policies.make_default(uow)
    store_company(uow, Company(id=MSP, name="MSP", created_at=uow.now, settings=defaults))
    uow.deadlines.set(HOUSE, DueKind.HOUSEKEEPING.value, uow.now + SWEEP_EVERY, company_id=MSP)
    uow.emit(Recorded(type="siems.set_up", actor=SYSTEM, company_id=MSP, object="siems"))
    return True


def first_admin(uow: UnitOfWork, ask: UserAsk, password_hash: str) -> str:
    """The first person who may do everything; the id."""
    return create(uow, SYSTEM, ask, password_hash)


def local_token(uow: UnitOfWork, user_id: str) -> str:
    """A token for this machine's commands."""
    token = make_local_token(uow, user_id)
    uow.emit(Recorded(type="token.created", actor=SYSTEM, company_id=MSP, object=user_id, details={"kind": "local"}))
    return token
