"""What only some integrations have: the rules of mail, and the queue that siems empties."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from siems.domain.letter_rules import Rule, rules_from, rules_told
from siems.errors import InvalidField

MAX_URL = 512
EMAIL, QUEUE = "email", "sqs"
"""The tools whose integrations have particulars."""

_AMAZON = re.compile(r"(?:sqs\.([a-z0-9-]+)|([a-z0-9-]+)\.queue)\.amazonaws\.com(?:\.cn)?")
_REGION = re.compile(r"[a-z]{2}(-[a-z]+){1,3}-[0-9]{1,2}")
_ROLE = re.compile(r"arn:aws[a-z-]*:iam::[0-9]{12}:role/[\w+=,.@/-]{1,512}", re.ASCII)
_EXTERNAL = re.compile(r"[\w+=,.@:/-]{2,1224}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """A queue of SQS, who may empty it, and whose messages are in it."""

    url: str
    region: str
    source: str
    role_arn: str = ""
    external_id: str = ""

    @property
    def name(self) -> str:
        return self.url.rpartition("/")[2]

    def same(self, other: Queue) -> bool:
        """Whether it is this queue, by another of its addresses perhaps."""
        return (self.region, _host(self.url)[1]) == (other.region, _host(other.url)[1])


def queue_from(url: str, region: str, role_arn: str, external_id: str, source: str, *, endpoint: str = "") -> Queue:
    """A queue as somebody wrote it down. Raises InvalidField naming what is wrong with it.

    The daemon calls no other host than Amazon's, or the one that its own settings name as `endpoint`.
    """
    url, region, role_arn, external_id = (text.strip() for text in (url, region, role_arn, external_id))
    host, path = _host(url)
    ours = _AMAZON.fullmatch(host) if url.startswith("https://") else None
    if len(url) > MAX_URL or path.count("/") != 2 or not (ours or (endpoint and host == _host(endpoint)[0])):
        raise InvalidField(
            f"{url[:80]!r} is no queue of SQS",
            hint="--queue-url https://sqs.eu-west-1.amazonaws.com/123456789012/siems",
        )
    region = region or (ours and (ours[1] or ours[2])) or ""
    if not region:
        raise InvalidField("the URL of the queue does not say where it is", hint="--region eu-west-1")
    if not _REGION.fullmatch(region):
        raise InvalidField(f"{region[:40]!r} is no region of AWS", hint="--region eu-west-1")
    if role_arn and not _ROLE.fullmatch(role_arn):
        raise InvalidField(f"{role_arn[:80]!r} is no role", hint="--role-arn arn:aws:iam::123456789012:role/siems")
    if external_id and not (role_arn and _EXTERNAL.fullmatch(external_id)):
        raise InvalidField("an external id goes with a role, and has letters, digits and +=,.@:/-")
    return Queue(url=url, region=region, source=source, role_arn=role_arn, external_id=external_id)


def _host(url: str) -> tuple[str, str]:
    try:
        parts = urlsplit(url)
        return (parts.hostname or "") + (f":{parts.port}" if parts.port else ""), parts.path.rstrip("/")
    except ValueError:
        return "", ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Particulars:
    rules: tuple[Rule, ...] = ()
    queue: Queue | None = None

    def kept(self) -> str:
        """As it lies in the database."""
        said: dict[str, Any] = {}
        if self.rules:
            said["rules"] = rules_told(self.rules)
        if self.queue is not None:
            q = self.queue
            said["queue"] = {
                "url": q.url, "region": q.region, "source": q.source, "role_arn": q.role_arn,
                "external_id": q.external_id,
            }  # fmt: skip
        return json.dumps(said)


NONE = Particulars()


@lru_cache(maxsize=1_024)
def particulars_from(kept: str) -> Particulars:
    """What was kept."""
    if kept == "{}":
        return NONE
    said = json.loads(kept)
    queue = said.get("queue")
    return Particulars(rules=rules_from(said.get("rules", [])), queue=None if queue is None else Queue(**queue))
