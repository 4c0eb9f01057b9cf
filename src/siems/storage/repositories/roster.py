"""When people were last given something to do, which decides between those who are equally fit."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from siems.clock import to_micros
from siems.domain.changing import replace

if TYPE_CHECKING:
    from siems.storage.unit_of_work import UnitOfWork

_GIVEN = "UPDATE user_account SET assigned_at = ? WHERE id = ?"


class Roster:
    """Who was given an incident in this batch. Alerts do that too, so nothing is asked or written before the end."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._given: dict[str, datetime] = {}

    def given(self, user_id: str) -> None:
        """This person has just been given an incident."""
        uow = self._uow
        uow.journal.set(self._given, user_id, uow.now)
        person = uow.person(user_id)
        if person is not None:
            uow.journal.set(uow.memory.people, user_id, replace(person, assigned_at=uow.now))

    def flush(self) -> None:
        self._uow.run(_GIVEN, [(to_micros(at), user_id) for user_id, at in sorted(self._given.items())])
        self._given = {}
