"""The sentence model at work: opened beside everything else, and asked on a thread of its own.

Neither an alert nor a page nor the writer ever waits for it. Who asks what is similar waits for one text at most.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from siems.advisors.sentences import OnnxSentences
from siems.clock import Clock
from siems.domain.nearness import Sentences
from siems.errors import SiemsError
from siems.services import nearness
from siems.services.nearness import MOST_READ, Unread, Walk
from siems.storage.database import Database
from siems.vocabulary import MSP

log = structlog.get_logger()

BREATH = 0.05
STORM_BREATH = 1.0
LONGEST_SLEEP = 60.0
AILING_SECONDS = 30.0


@dataclass
class ReadingTexts:
    """One daemon's part in it. Without a folder there is no model, and nothing is done."""

    database: Database
    clock: Clock
    folder: str
    open: Callable[[Path], Sentences] = OnnxSentences
    model: Sentences | None = None
    """The model, once it is open."""
    trouble: tuple[str, str] | None = None
    """Why it cannot be used, and what to do."""
    stopping: bool = False
    _walk: Walk = field(default_factory=Walk)

    def __post_init__(self) -> None:
        self._awake = asyncio.Event()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="siems-sentences")

    def wake(self) -> None:
        """There may be incidents that nobody has read."""
        if self.model is not None:
            self._awake.set()

    async def run(self) -> None:
        """Open the model, read what is there, and then what comes."""
        if not self.folder or not await self.begin():
            return
        while not self.stopping:
            self._awake.clear()
            pause = LONGEST_SLEEP
            try:
                while await self.turn() and not self.stopping:
                    continue
            except Exception as why:
                log.warning("sentences.not_read", why=why.message if isinstance(why, SiemsError) else repr(why))
                pause = AILING_SECONDS
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._awake.wait()

    async def begin(self) -> bool:
        """Open the model; False when that cannot be, which `doctor` tells."""
        loop = asyncio.get_running_loop()
        try:
            self.model = await loop.run_in_executor(self._thread, self._open)
        except SiemsError as why:
            self.trouble = why.message, why.hint
            log.warning("sentences.not_open", why=why.message)
            return False
        log.info("sentences.open", model=self.model.name)
        return True

    def _open(self) -> Sentences:
        return self.open(Path(self.folder).expanduser())

    async def turn(self) -> bool:
        """A step through the incidents; whether there may be more."""
        if self.model is None:
            return False
        before = self._walk
        after, found = await self.database.peek(
            nearness.walked, before, self.model.name, self.clock.now()
        )  # fmt: skip
        await self._read(found, patient=True)
        self._walk = after
        return after != before

    async def learn(self, company_id: str, number: int) -> None:
        """Read the texts of one incident now, where that was not done yet; without a model, nothing."""
        if self.model is None:
            return
        try:
            found = await self.database.peek(nearness.unread_of, company_id, number, self.model.name)
            await self._read(found)
        except Exception as why:
            log.warning("sentences.not_read", why=why.message if isinstance(why, SiemsError) else repr(why))

    async def _read(self, found: Sequence[Unread], *, patient: bool = False) -> None:
        model, loop = self.model, asyncio.get_running_loop()
        assert model is not None
        for begin in range(0, len(found), MOST_READ):
            some = found[begin : begin + MOST_READ]
            vectors = await loop.run_in_executor(self._thread, model.embed, [one.text for one in some])
            await self.database.write(
                nearness.keep, model.name, list(zip(some, vectors, strict=True)), companies=(MSP,), ingest=True
            )
            if self.stopping:
                return
            if patient:
                await self.database.give_way(BREATH, longest=STORM_BREATH)

    def checks(self) -> list[tuple[str, bool, str, str]]:
        """(name, whether it is well, cause, fix) for `doctor`; nothing where no model is named."""
        if not self.folder:
            return []
        if self.trouble is not None:
            return [("sentence model", False, *self.trouble)]
        if self.model is None:
            return [("sentence model", True, f"is being opened: {self.folder}", "")]
        return [("sentence model", True, f"{self.model.name} reads what is similar", "")]

    def stop(self) -> None:
        """Begin nothing more; a text that is being read is let go."""
        self.stopping = True
        self._awake.set()
        self._thread.shutdown(wait=False, cancel_futures=True)
