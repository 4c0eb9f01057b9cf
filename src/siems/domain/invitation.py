"""Invitations to be told by a browser: signed, for one person, for a short while."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from siems.domain.answer import signed, unsigned
from siems.errors import NotFound

VALID_FOR = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Invitation:
    """Whose browser it is that subscribes. `random`: no two of them are alike, since each is good for one browser."""

    user_id: str
    random: str
    until: datetime

    def token(self, key: bytes) -> str:
        """What stands in the link."""
        return signed(key, "|".join((self.user_id, self.random, str(int(self.until.timestamp())))).encode())


def read_invitation(key: bytes, text: str, now: datetime) -> Invitation:
    """Who is invited. Raises NotFound for whatever we did not sign, and for what is too old."""
    try:
        user_id, random, until = unsigned(key, text).decode().split("|")
        found = Invitation(user_id, random, datetime.fromtimestamp(int(until), UTC))
    except (ValueError, OverflowError) as why:
        raise NotFound("this link is not one of ours") from why
    if found.until < now:
        raise NotFound("this link is too old", hint="a new one:  siems notify browser")
    return found
