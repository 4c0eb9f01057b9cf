"""The five checks of a webhook, in order, and what a request says: all of it in memory (DOMAIN §3).

1 the key, 2 the rate, 3 the signature, 4 its time; 5 the delivery id is decided inside the verb.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import cast

from siems.clock import Clock
from siems.config import Settings
from siems.daemon.keyring import Entry, Keyring
from siems.daemon.limits import Bucket, Limiter
from siems.daemon.refusals import OVERLOADED, RATE_LIMITED, Refusals
from siems.domain.signature import Cause, Headers, verify
from siems.errors import InvalidField, NotAuthenticated, RateLimited, SiemsError, Unavailable, UsageError
from siems.services.ingest import Incoming
from siems.sources import Tool
from siems.sources.hearing import hear, redacted
from siems.vocabulary import MSP, Signing

FORGERIES_PER_MINUTE = 60
FORGERIES_BURST = 120
MAX_DELIVERY_ID = 200
REFUSED = NotAuthenticated("this request is not accepted", hint="check key, signature and clock with your provider")


class Intake:
    """Who may send what; knows no database and no web framework."""

    def __init__(
        self, settings: Settings, clock: Clock, keyring: Keyring, limiter: Limiter, refusals: Refusals
    ) -> None:  # fmt: skip
        self._clock = clock
        self._keyring = keyring
        self._limiter = limiter
        self._refusals = refusals
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
            raise self._forged(f"address:{address}", Cause.UNKNOWN_KEY if key else Cause.NO_KEY, tool, address)
        cause = None
        if entry.revoked:
            cause = Cause.REVOKED
        elif entry.tool not in ("generic", tool.name):
            cause = Cause.WRONG_SOURCE
        if cause is not None:
            raise self._forged(entry.integration_id, cause, tool, address, entry)
        return entry

    def _forged(self, name: str, cause: Cause, tool: Tool, address: str, entry: Entry | None = None) -> SiemsError:
        """A refusal that looks like every other; those who try too often are told to wait."""
        company_id = entry.company_id if entry else MSP
        detail = f"integration {entry.integration_id}" if entry else ""
        self._refusals.note(
            company_id, cause.value, source=tool.name, address=address, detail=detail, now=self._clock.now()
        )
        bucket = self._limiter.bucket(
            f"forgery:{name}:{address}", per_minute=FORGERIES_PER_MINUTE, burst=FORGERIES_BURST
        )
        if bucket.wait:
            return RateLimited("too many requests", hint="try again later", retry_after=bucket.wait)
        bucket.tokens -= 1
        return REFUSED

    # --- 2 the rate --------------------------------------------------------------------------------------------

    def _within_rate(self, entry: Entry, tool: Tool, address: str) -> Bucket:
        """The bucket that this request will draw on. Raises when it is empty."""
        rate, burst, kind = entry.rate_per_minute, entry.burst, "rate"
        if tool.native:
            kind = "native"
            if rate < self._native_rate:
                rate, burst = self._native_rate, max(burst, self._native_rate)
        bucket = self._limiter.bucket(f"{kind}:{entry.company_id}", per_minute=rate, burst=burst)
        if bucket.tokens >= 1:
            return bucket
        detail = f"more than {rate}/min"
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
        cause = verify(
            headers, body, entry.secret or "", now=self._clock.now(), tolerance=self._tolerance, scheme=tool.signing
        )
        if cause is not None:
            raise self._forged(entry.integration_id, cause, tool, address, entry)

    # --- what it says, and 5 the delivery id -------------------------------------------------------------------

    def _read(self, entry: Entry, headers: Headers, body: bytes, tool: Tool, address: str) -> Incoming:
        given = headers.getall("X-Delivery-ID", []) or headers.getall("webhook-id", [])
        if given and (len(given) > 1 or not (0 < len(given[0]) <= MAX_DELIVERY_ID and given[0].isprintable())):
            raise InvalidField(
                f"X-Delivery-ID is one printable text of at most {MAX_DELIVERY_ID} characters",
                hint="a UUID for each delivery is enough",
            )
        try:
            read = hear(tool, body, cast("Mapping[str, str]", headers))  # they are a mapping as well
        except UsageError as unreadable:
            self._refusals.note(
                entry.company_id, "unreadable body", source=tool.name, address=address, detail=unreadable.message,
                now=self._clock.now(),
            )  # fmt: skip
            raise
        return Incoming(
            company_id=entry.company_id, source=tool.name, read=read, raw=redacted(body, tool.redact),
            delivery_id=given[0] if given else None, body_hash=sha256(body).digest(),
        )  # fmt: skip
