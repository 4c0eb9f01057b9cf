"""Signs the heads of the audit log again and again, into a file that the database knows nothing of."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from siems import places
from siems.clock import Clock, rfc3339
from siems.config import Audit
from siems.domain.audit import Damage
from siems.domain.checkpoint import Head, Kind, Statement, Witness, public_text, signed, thinned, witness, written
from siems.errors import SiemsError, Unavailable
from siems.services.checkpoints import look
from siems.storage.checkpoint_file import CheckpointFile, Stamp
from siems.storage.database import Database
from siems.storage.signing_key import faults, new_key, read_key, write_key
from siems.wire import WitnessState

log = structlog.get_logger()

FINE_DAYS, COARSE_DAYS = 2, 30
"""All checkpoints are kept for so long; then those of hours, then those of days."""
LATE = timedelta(minutes=5)
CHANGED, UNSIGNED = "audit_log_changed", "audit_log_not_signed"
Tell = Callable[[str, str, bool], Awaitable[None]]
"""Called with a signature, what it says, and whether it goes on."""


class Checkpoints:
    """One daemon's witness. Whatever happens to it, alerts go on being taken: it only ever reads the database."""

    def __init__(self, database: Database, clock: Clock, settings: Audit, tell: Tell | None = None) -> None:
        self._database = database
        self._clock = clock
        self._every = float(settings.every_seconds)
        self.file = CheckpointFile(settings.file)
        self.key_path = places.audit_key_file()
        self.tell = tell
        self._key: Ed25519PrivateKey | None = None
        self._stamp: Stamp | None = None
        self._again = False
        self._signed: dict[str, Head] = {}
        self._hour = ""
        self._began = clock.now()
        self.statements = 0
        self.signed_at: datetime | None = None
        """When the newest statement was made."""
        self.looked_at: datetime | None = None
        """When it was last certain that all is signed."""
        self.error: Unavailable | None = None
        self.bad_lines = 0
        self.gone = False
        """Whether the file was taken away while this process was writing to it."""
        self.damages: dict[str, Damage] = {}

    async def run(self) -> None:
        """For ever: sign what is new."""
        while True:
            await self.turn()
            await asyncio.sleep(self._every)

    async def turn(self) -> None:
        """Sign what is new since the last time, if it goes on from there; what fails is said, and tried again."""
        try:
            await self._turn()
            self.error, self.looked_at = None, self._clock.now()
        except SiemsError as why:
            self.error = why if isinstance(why, Unavailable) else Unavailable(why.message, hint=why.hint)
            log.warning("audit.not_signed", why=why.message)
        except Exception as why:
            self.error = Unavailable(f"nothing was signed: {why!r}", hint="siems daemon logs")
            log.exception("audit.not_signed")
        await self._alarm()

    async def _turn(self) -> None:
        await asyncio.to_thread(self._open)
        found = await self._database.peek(look, dict(self._signed))
        self.damages = dict(found.damages)
        for damage in found.damages.values():
            log.error("audit.damaged", chain=damage.chain, seq=damage.seq, kind=damage.kind, why=damage.explanation)
        await asyncio.to_thread(self._sign, dict(found.heads))

    # --- the file and the key ----------------------------------------------------------------------------------

    def _open(self) -> None:
        """Read what was signed, where somebody else wrote to the file since, or nobody has read it yet."""
        stamp = self.file.stamp()
        if self._key is not None and stamp == self._stamp and not self._again:
            return
        gone = stamp is None and self._stamp is not None
        self.gone = self.gone or gone
        key = read_key(self.key_path)
        found = witness(self.file.lines(), trusted=public_text(key) if key else None)
        if found.statements:
            _check(key, found, self.key_path)
        elif key is None:
            key = new_key()
            write_key(self.key_path, key)
            log.info("audit.key_made", path=str(self.key_path), public=public_text(key))
        self._thin(found)
        self._key, self._stamp, self._again = key, self.file.stamp(), False
        self._signed = self._signed if gone else found.heads()
        self._hour, self.statements, self.signed_at = "", found.statements, found.last_at
        self.bad_lines = len(found.bad_lines)

    def _thin(self, found: Witness) -> None:
        """Old checkpoints make room: the newer ones prove what they did."""
        now = self._clock.now()
        if found.first_at is None or now - found.first_at < timedelta(days=FINE_DAYS):
            return
        lines = self.file.lines()
        kept = thinned(lines, now=now, fine=FINE_DAYS, coarse=COARSE_DAYS)
        if len(kept) < len(lines) * 0.9:
            self.file.replace(kept)

    def _sign(self, heads: dict[str, Head]) -> None:
        assert self._key is not None
        whole = {chain: head for chain, head in heads.items() if chain not in self.damages}
        moved = {chain: head for chain, head in whole.items() if self._signed.get(chain) != head}
        now = self._clock.now()
        hour = rfc3339(now)[:13]
        full = hour != self._hour and not self.damages
        if not moved and not (full and whole):
            return
        statement = Statement(
            kind=Kind.CHECKPOINT, at=rfc3339(now), chains=whole if full else moved, full=full,
            key=public_text(self._key),
        )  # fmt: skip
        self.file.append(written(signed(statement, self._key)))
        self._stamp = self.file.stamp()
        self._again = bool(self._hour) and hour[:10] != self._hour[:10]  # once a day it is read again, and thinned
        self._signed |= moved
        self._hour, self.signed_at = hour, now
        self.statements += 1

    # --- telling -----------------------------------------------------------------------------------------------

    async def _alarm(self) -> None:
        """Damage is an incident at once; that nothing is signed, when it lasts."""
        if self.tell is None:
            return
        said = "; ".join(f"{one.chain} at {one.seq}: {one.kind}, {one.explanation}" for one in self.damages.values())
        late = self._clock.now() - (self.looked_at or self._began) > LATE
        cause = self.error.message if self.error else ""
        try:
            if self.error is None:
                text = f"the audit log was changed: {said}. Details:  siems audit verify"
                over = "the audit log goes on from what was signed"
                await self.tell(CHANGED, text if said else over, bool(said))
            text = f"the audit log is not signed any more: {cause}. Details:  siems doctor"
            await self.tell(UNSIGNED, text if late else "the audit log is signed again", late and bool(cause))
        except (SiemsError, TimeoutError) as why:
            log.error("audit.not_told", why=str(why))

    async def witness(self) -> Witness:
        """All that was signed, read anew. Raises Unavailable when the file cannot be read."""
        return await asyncio.to_thread(self._witness)

    def _witness(self) -> Witness:
        try:
            key = read_key(self.key_path)
        except Unavailable:
            key = None
        return witness(self.file.lines(), trusted=public_text(key) if key else "")

    def signing_key(self) -> Ed25519PrivateKey:
        """The key, for what is signed besides. Raises Unavailable where it is lost."""
        key = read_key(self.key_path)
        if key is None:
            raise Unavailable(f"the key {self.key_path} is not there", hint="siems doctor")
        return key

    def state(self, found: Witness | None) -> WitnessState:
        """How it stands with what was signed; without a witness its file cannot be read."""
        lines = [] if found is None else found.bad_lines
        cause, fix = self._trouble(len(lines))
        return WitnessState(
            ok=not cause, file=str(self.file.path), key=public_text(self._key) if self._key else "",
            statements=found.statements if found else 0, since=found.first_at if found else None,
            signed_at=found.last_at if found else None, bad_lines=lines[:20],
            unvouched=len(found.unvouched) if found else 0, cause=cause, fix=fix,
        )  # fmt: skip

    def _trouble(self, bad_lines: int) -> tuple[str, str]:
        """(cause, fix) of what is not as it should be; empty where all is well."""
        if self.error is not None:
            since = f"; signed until {self.looked_at:%Y-%m-%d %H:%M:%S} UTC" if self.looked_at else ""
            return f"{self.error.message}{since}", self.error.hint
        if self.damages:
            one = next(iter(self.damages.values()))
            return f"{one.chain} is {one.kind} at {one.seq}: {one.explanation}", "siems audit verify"
        if bad_lines or self.bad_lines:
            many = bad_lines or self.bad_lines
            return f"{many} lines of {self.file.path} are not as they were signed", "restore the file from a copy"
        if self.gone:
            return f"{self.file.path} was taken away; a new one has begun", "put the old one back, if there is a copy"
        for cause, fix in faults(self.key_path, places.data_dir()):
            return cause, fix
        return "", ""

    def checks(self) -> list[tuple[str, bool, str, str]]:
        """(name, whether it is well, cause, fix) for `doctor`."""
        if self.looked_at is None and self.error is None:
            return []
        cause, fix = self._trouble(0)
        if cause:
            return [("audit log", False, cause, fix)]
        at = f"{self.signed_at:%Y-%m-%d %H:%M:%S} UTC" if self.signed_at else "never"
        return [("audit log", True, f"its heads are signed, the last at {at}, in {self.file.path}", "")]


def _check(key: Ed25519PrivateKey | None, found: Witness, path: Path) -> None:
    """Raises Unavailable where the key is not the one that has signed so far: nobody makes a new one in silence."""
    lost = "restore it from where you keep it; if it is lost:  siems audit rotate-key --lost"
    if key is None:
        raise Unavailable(f"the key {path} is gone, and checkpoints were signed with it", hint=lost)
    if public_text(key) != found.last_key:
        raise Unavailable(f"the key {path} is another one than that which signed so far", hint=lost)
