"""The five checks of a webhook, in order, and what a request says: all of it in memory (DOMAIN §3).

1 the key, 2 the rate, 3 the signature, 4 its time; 5 the delivery id is decided inside the verb.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import cast

from siems.clock import Clock
from siems.config import Settings
from siems.daemon.keyring import Beat, Entry, Keyring
from siems.daemon.limits import Bucket, Limiter
from siems.daemon.refusals import OVERLOADED, RATE_LIMITED, Refusals
from siems.daemon.sightings import Sightings
from siems.domain.alert import MAX_MESSAGE, Read, Reading, clip
from siems.domain.integration import tenant_of, within
from siems.domain.letter import opened
from siems.domain.letter_rules import ruled
from siems.domain.signature import Cause, Headers, verify
from siems.errors import InvalidField, NotAuthenticated, NotFound, RateLimited, SiemsError, Unavailable, UsageError
from siems.services.ingest import Incoming
from siems.sources import Tool
from siems.sources.hearing import hear, redacted
from siems.vocabulary import MSP, Severity, Signing

FORGERIES_PER_MINUTE = 60
FORGERIES_BURST = 120
MAX_DELIVERY_ID = 200
ASKED_TOO_OFTEN = "asked too often"
REFUSED = "this request is not accepted"


class Intake:
    """Who may send what; knows no database and no web framework."""

    def __init__(
        self, settings: Settings, clock: Clock, keyring: Keyring, limiter: Limiter, refusals: Refusals,
        sightings: Sightings,
    ) -> None:  # fmt: skip
        self._clock = clock
        self._keyring = keyring
        self._limiter = limiter
        self._refusals = refusals
        self._sightings = sightings
        self._native_rate = settings.ingest.native_rate_per_minute
        self._tolerance = settings.ingest.timestamp_tolerance_seconds

    def admit(self, tool: Tool, key: str, headers: Headers, body: bytes, address: str) -> Incoming:
        """What an accepted request says. Raises NotAuthenticated, RateLimited, Unavailable, UsageError, InvalidField;
        all that is refused is counted."""
        entry = self._known(tool, key, address)
        bucket = self._within_rate(entry, tool, address)
        if entry.signing is not Signing.NONE:
            self._signed(entry, headers, body, tool, address)
        incoming = self._read(entry, headers, body, tool, address)
        bucket.tokens -= 1
        return incoming

    def letter(self, entry: Entry, tool: Tool, raw: bytes, read: Read, address: str) -> Incoming:
        """A message that came by mail and was read beside the loop; `knows` has let it in. Raises Unavailable."""
        bucket = self._within_rate(entry, tool, address)
        incoming = self._of(entry, tool, raw, read, None)
        bucket.tokens -= 1
        return incoming

    def pulled(self, entry: Entry, tool: Tool, body: bytes, read: Read, message_id: str) -> Incoming:
        """A message of a queue. It comes at our own pace, so no rate is asked."""
        return self._of(entry, tool, body, read, message_id)

    def knows(self, tool: Tool, key: str, address: str) -> Entry:
        """The first two checks alone, for messages that are proved by asking somebody else before they are taken."""
        entry = self._known(tool, key, address)
        self._within_rate(entry, tool, address)
        return entry

    def tool_of(self, key: str) -> str:
        """The name of the tool that a key is made for; "" of an unknown one."""
        entry = self._keyring.find(key)
        return "" if entry is None else entry.tool

    def forged(self, entry: Entry, cause: Cause, tool: Tool, address: str, detail: str = "") -> SiemsError:
        """The refusal of a message that did not prove itself."""
        return self._forged(entry.integration_id, cause, tool.name, address, entry, detail)

    def look(self, tool: Tool, key: str, headers: Headers, body: bytes, address: str) -> Entry:
        """Whoever asks about alerts of their own, or calls a heartbeat by its name: the same checks, but a bucket of
        its own, so that looking takes nothing from alerts. Raises as `admit`."""
        entry = self._known(tool, key, address)
        if entry.signing is not Signing.NONE:
            self._signed(entry, headers, body, tool, address)
        self._look(f"look:{entry.company_id}", entry.company_id, entry.company, tool.name, address)
        return entry

    def beats(self, token: str, address: str) -> Beat:
        """The heartbeat of a token. Raises NotFound, RateLimited; both are counted."""
        found = self._keyring.beat(token)
        if found is None:
            refused = self._forged(f"address:{address}", Cause.UNKNOWN_KEY, "heartbeat", address)
            raise refused if isinstance(refused, RateLimited) else NotFound("there is nothing at this address")
        self._look(f"beat:{found.id}", found.company_id, found.id, "heartbeat", address)
        return found

    def _look(self, name: str, company_id: str, who: str, source: str, address: str) -> None:
        bucket = self._limiter.bucket(name, per_minute=self._native_rate, burst=self._native_rate)
        if bucket.wait:
            detail = f"more than {self._native_rate}/min"
            self._refusals.note(
                company_id, ASKED_TOO_OFTEN, source=source, address=address, detail=detail, now=self._clock.now()
            )
            raise RateLimited(
                f"{who} asks {detail}", hint="ask again after Retry-After", retry_after=bucket.wait
            )  # fmt: skip
        bucket.tokens -= 1

    def overloaded(self, incoming: Incoming, address: str, why: Unavailable) -> None:
        """An accepted request found no room in the queue: counted like every other refusal."""
        self._refusals.note(
            incoming.company_id, OVERLOADED, source=incoming.source, address=address, detail=why.message,
            now=self._clock.now(),
        )  # fmt: skip

    # --- 1 the key ---------------------------------------------------------------------------------------------

    def _known(self, tool: Tool, key: str, address: str) -> Entry:
        """The integration behind the key, and that it may use this URL."""
        entry = self._keyring.find(key) if key else None
        if entry is None:
            raise self._forged(f"address:{address}", Cause.UNKNOWN_KEY if key else Cause.NO_KEY, tool.name, address)
        cause = None
        if entry.revoked:
            cause = Cause.REVOKED
        elif entry.tool not in ("generic", tool.name):
            cause = Cause.WRONG_SOURCE
        elif entry.until is not None and self._clock.now().timestamp() >= entry.until:
            cause = Cause.EXPIRED
        elif entry.networks and not within(address, entry.networks):
            cause = Cause.WRONG_ADDRESS
        if cause is not None:
            raise self._forged(entry.integration_id, cause, tool.name, address, entry)
        return entry

    def _forged(
        self, name: str, cause: Cause, source: str, address: str, entry: Entry | None = None, why: str = ""
    ) -> SiemsError:
        """A refusal that looks like every other; those who try too often are told to wait."""
        company_id, detail = MSP, ""
        if entry is not None:
            company_id, detail = entry.company_id, f"integration {entry.integration_id}{f': {why}' if why else ''}"
            self._sightings.refused[entry.integration_id] = company_id, f"{cause.value}{f': {why}' if why else ''}"
        self._refusals.note(
            company_id, cause.value, source=source, address=address, detail=detail, now=self._clock.now()
        )
        bucket = self._limiter.bucket(
            f"forgery:{name}:{address}", per_minute=FORGERIES_PER_MINUTE, burst=FORGERIES_BURST
        )
        if bucket.wait:
            return RateLimited("too many requests", hint="try again later", retry_after=bucket.wait)
        bucket.tokens -= 1
        # one of its own each time: an error that is raised again keeps all that it ever went through
        return NotAuthenticated(REFUSED, hint="check key, signature and clock with your provider")

    # --- 2 the rate --------------------------------------------------------------------------------------------

    def rate_of(self, entry: Entry, tool: Tool) -> tuple[int, int]:
        """Requests a minute, and how many at once, that a key may send as this tool."""
        rate, burst = entry.rate_per_minute, entry.burst
        if tool.native and rate < self._native_rate and not entry.own_rate:
            return self._native_rate, max(burst, self._native_rate)
        return rate, burst

    def _within_rate(self, entry: Entry, tool: Tool, address: str) -> Bucket:
        """The bucket that this request will draw on. Raises when it is empty."""
        rate, burst = self.rate_of(entry, tool)
        bucket = self._limiter.bucket(
            entry.native_bucket if tool.native else entry.bucket, per_minute=rate, burst=burst
        )
        if bucket.tokens >= 1:
            return bucket
        detail = f"more than {rate}/min"
        self._sightings.refused[entry.integration_id] = entry.company_id, RATE_LIMITED
        self._refusals.note(
            entry.company_id, RATE_LIMITED, source=tool.name, address=address, detail=detail, now=self._clock.now()
        )
        # tools that repeat only on errors of ours would lose what a 429 refuses
        kind_of_error = Unavailable if tool.native else RateLimited
        raise kind_of_error(
            f"{entry.company} sends {detail}", hint="send again after Retry-After", retry_after=bucket.wait,
            headers={"X-RateLimit-Limit": str(rate), "X-RateLimit-Burst": str(burst)},
        )  # fmt: skip

    # --- 3 the signature and 4 the timestamp -------------------------------------------------------------------

    def _signed(self, entry: Entry, headers: Headers, body: bytes, tool: Tool, address: str) -> None:
        now, scheme = self._clock.now(), tool.signing
        cause: Cause | None = Cause.NO_SECRET  # where there is none, an empty one must not do
        if entry.secret is not None:
            cause = verify(headers, body, entry.secret, now=now, tolerance=self._tolerance, scheme=scheme)
        if cause is not None:
            for secret, until in entry.old_secrets:
                if until > now.timestamp():
                    other = verify(headers, body, secret, now=now, tolerance=self._tolerance, scheme=scheme)
                    if other is None or other is Cause.STALE:
                        cause = other
                        break
        if cause is not None:
            raise self._forged(entry.integration_id, cause, tool.name, address, entry)

    # --- what it says, and 5 the delivery id -------------------------------------------------------------------

    def _read(self, entry: Entry, headers: Headers, body: bytes, tool: Tool, address: str) -> Incoming:
        given = headers.getall("X-Delivery-ID", []) or headers.getall("webhook-id", [])
        if given and (len(given) > 1 or not (0 < len(given[0]) <= MAX_DELIVERY_ID and given[0].isprintable())):
            raise InvalidField(
                f"X-Delivery-ID is one printable text of at most {MAX_DELIVERY_ID} characters",
                hint="a UUID for each delivery is enough",
            )
        try:
            at = None if tool.read_at is None else self._clock.now()  # few ask, and everything comes through here
            read = hear(tool, body, cast("Mapping[str, str]", headers), at)  # they are a mapping as well
            if entry.particulars.rules:
                read = ruled(entry.particulars.rules, opened(body), read)
        except UsageError as unreadable:
            self._refusals.note(
                entry.company_id, "unreadable body", source=tool.name, address=address, detail=unreadable.message,
                now=self._clock.now(),
            )  # fmt: skip
            self._sightings.refused[entry.integration_id] = entry.company_id, "unreadable body"
            raise
        return self._of(entry, tool, body, read, given[0] if given else None)

    def _of(self, entry: Entry, tool: Tool, body: bytes, read: Read, delivery_id: str | None) -> Incoming:
        """What was read, for the client whose it is."""
        company_id = entry.company_id
        if entry.tenants is not None:
            company_id, read = _client(entry, entry.tenants, tool, body, read)
        self._sightings.accepted[entry.integration_id] = entry.company_id, company_id, read
        return Incoming(
            company_id=company_id, source=tool.name, read=read, raw=redacted(body, tool.redact),
            delivery_id=delivery_id, body_hash=sha256(body).digest(),
        )  # fmt: skip


def _client(entry: Entry, tenants: Mapping[str, str], tool: Tool, body: bytes, read: Read) -> tuple[str, Read]:
    """Whose a body of an MSP-wide integration is. What belongs to nobody is an alert of the MSP's own, so that it is
    seen and mapped; that stays until somebody has looked at it."""
    value = tenant_of(body, entry.tenant_field)
    found = tenants.get(value)
    if found is not None or not read.readings:
        return found or entry.company_id, read
    if not any(reading.firing for reading in read.readings):
        return entry.company_id, Read(said="the recovery of what belongs to no client")
    shown = f"{entry.tenant_field} {value!r}" if value else f"no {entry.tenant_field}"
    firing = [reading for reading in read.readings if reading.firing]
    said = "; ".join(f"{one.asset_name}: {one.signature} ({one.severity.name})" for one in firing[:10])
    hint = f"siems integration map {entry.integration_id} {value or 'VALUE'} --company ACME"
    own = Reading(
        asset_name=clip(value or "unknown", 200), signature=f"{tool.name} of an unknown client",
        severity=Severity.HIGH, original_severity="",
        message=clip(f"{tool.title} sent alerts with {shown}, which is no client's.\n{said}\nmap it:  {hint}",
                     MAX_MESSAGE),
        tool_source=tool.name, dedup_key=clip(f"{entry.integration_id}:{value}", 255),
        labels={"integration": entry.integration_id, "field": entry.tenant_field, "value": value},
    )  # fmt: skip
    return entry.company_id, Read((own,), warnings=(f"no client is known by {shown}",))
