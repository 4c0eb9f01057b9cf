"""Links by which a message can be answered: signed, for one person, one object and one verb, for a while."""

from __future__ import annotations

import base64
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from hashlib import sha256

from siems.errors import NotFound

VALID_FOR = timedelta(hours=23)
"""Shorter than it is remembered that a link was used."""
SIGNATURE_BYTES = 18


class AnswerVerb(StrEnum):
    """What a link is for. `look` shows, and offers the others."""

    LOOK = "look"
    ACK = "ack"
    RESOLVE = "resolve"
    ESCALATE = "escalate"
    APPROVE = "approve"
    REJECT = "reject"


def verbs_of(object: str) -> tuple[AnswerVerb, ...]:
    """What can be done about it: a bundle and a page can be acknowledged and nothing else, a run let begin or not."""
    if object.startswith("INC-"):
        return (AnswerVerb.ACK, AnswerVerb.ESCALATE, AnswerVerb.RESOLVE)
    if object.startswith("RUN-"):
        return (AnswerVerb.APPROVE, AnswerVerb.REJECT)
    return (AnswerVerb.ACK,)


@dataclass(frozen=True, slots=True)
class Answerable:
    """Who may answer what. `object`: INC-12, PAG-3, RUN-9, or B7 for what bundle 7 listed."""

    user_id: str
    company_id: str
    object: str
    verb: AnswerVerb
    until: datetime

    def token(self, key: bytes) -> str:
        """What stands in the link."""
        said = "|".join(
            (self.user_id, self.company_id, self.object, self.verb.value, str(int(self.until.timestamp())))
        ).encode()
        return signed(key, said)


def signed(key: bytes, said: bytes) -> str:
    """What is said and who says it, as a part of a URL."""
    return base64.urlsafe_b64encode(_sign(key, said) + said).decode().rstrip("=")


def unsigned(key: bytes, text: str) -> bytes:
    """What was said. Raises ValueError for whatever this key did not sign."""
    whole = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    signature, said = whole[:SIGNATURE_BYTES], whole[SIGNATURE_BYTES:]
    if not hmac.compare_digest(signature, _sign(key, said)):
        raise ValueError(text)
    return said


def _sign(key: bytes, said: bytes) -> bytes:
    return hmac.new(key, said, sha256).digest()[:SIGNATURE_BYTES]


def read_token(key: bytes, text: str) -> Answerable:
    """What a link allows. Raises NotFound for whatever we did not sign, all alike."""
    try:
        user_id, company_id, object, verb, until = unsigned(key, text).decode().split("|")
        return Answerable(user_id, company_id, object, AnswerVerb(verb), datetime.fromtimestamp(int(until), UTC))
    except (ValueError, OverflowError) as why:
        raise NotFound("this link is not one of ours") from why
