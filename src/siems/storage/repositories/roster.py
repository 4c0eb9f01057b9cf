"""When people were last given something to do, which decides between those who are equally fit."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from siems.clock import to_micros
from siems.domain.changing import replace

if TYPE_CHECKING:
    from siems.storage.unit_of_work import UnitOfWork

_INSTANT = timedelta(microseconds=1)
_GIVEN = "UPDATE user_account SET assigned_at = ? WHERE id = ?"


class Roster:
    """Who was given an incident in this batch. Alerts do that too, so nothing is asked or written before the end."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._given: dict[str, datetime] = {}

    def given(self, user_id: str) -> None:
        """This person has just been given an incident."""
        uow = self._uow
        person = uow.person(user_id)
        if person is None:
            return
        # what one body opens has one time, and still goes around
        last = max((p.assigned_at for p in uow.people() if p.assigned_at is not None), default=None)
        at = uow.now if last is None or last < uow.now else last + _INSTANT
        uow.journal.set(self._given, user_id, at)
        uow.journal.set(uow.memory.people, user_id, replace(person, assigned_at=at))

    def flush(self) -> None:
        self._uow.run(_GIVEN, [(to_micros(at), user_id) for user_id, at in sorted(self._given.items())])
        self._given = {}
