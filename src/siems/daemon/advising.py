"""Advice is asked for after the commit, a few incidents at a time: no answer and no page waits for it.

The providers are asked in the order of the settings, each for so long; what one has no answer to, the next is asked.
Nothing leaves this machine but sealed prompts (`domain/sealing.py`), within the budget of the day.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import structlog

from siems.advisors import ADVISORS, Advisor, Answer, Refused, TryLater
from siems.clock import Clock
from siems.config import Settings
from siems.daemon.reading import ReadingTexts
from siems.daemon.tending import Tending
from siems.domain.advice import Insight, Question
from siems.domain.advice_rules import advise as by_rules
from siems.domain.drafts import Nonsense, read_draft
from siems.domain.sealing import Prompt, opened, prompt_of
from siems.errors import NotFound, SiemsError, UsageError
from siems.services import advising, insights
from siems.services.advising import Budget, Work
from siems.services.insights import Background
from siems.storage.database import Database
from siems.vocabulary import AdviceMode

log = structlog.get_logger()

AT_ONCE = 2
"""So many looks are under way at the same time: in a storm, alerts and people come first."""
TOGETHER = 6
"""So many incidents of one company are kept in one verb, which takes some milliseconds."""
BREATH = 0.05
STORM_BREATH = 0.5
LONGEST_SLEEP = 30.0
SHARED_SLEEP = 2.0
"""Where other daemons take alerts too, what is queued is looked for at least this often."""
KNOWN_FOR = timedelta(seconds=60)
_TEACHES = frozenset({"incident.resolved", "incident.closed", "incident.merged"})
RESTS = timedelta(seconds=60)
"""For so long a provider that fails is not asked again, unless it says how long."""


@dataclass(slots=True)
class Provider:
    """One of those that are asked, and until when it is let be."""

    name: str
    advisor: Advisor | None
    why: str = ""
    """Why it cannot be asked."""
    rests_until: datetime | None = None


@dataclass
class Advising:
    """What one daemon does about advice."""

    database: Database
    clock: Clock
    settings: Settings
    reading: ReadingTexts | None = None
    """The sentence model, where there may be one."""
    providers: list[Provider] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.jobs = Tending[tuple[int, ...]]("advice", self.begin, self._turn)
        """By the numbers of their incidents."""
        self._known: dict[str, tuple[datetime, Background]] = {}
        a = self.settings.advice
        self._budget = Budget(calls=a.daily_calls, company_calls=a.company_daily_calls, tokens=a.daily_tokens)
        for name in a.order:
            try:
                self.providers.append(Provider(name, ADVISORS.get(name)(self.settings)))
            except (UsageError, NotFound) as why:
                log.warning("advice.not_set_up", provider=name, why=why.message)
                self.providers.append(Provider(name, None, f"{why.message} ({why.hint})"))

    # --- the loop ----------------------------------------------------------------------------------------------

    def wake(self) -> None:
        """Something may have been queued."""
        if self.providers:
            self.jobs.wake()

    def follow(self, type: str, company_id: str) -> None:
        """Something was committed: it may be worth a look, or make what is known of a company old."""
        if type in _TEACHES or type.startswith("asset."):
            self._known.pop(company_id, None)
        if type.startswith("incident.") or type == "alert.received":
            self.wake()

    async def _turn(self) -> float:
        """Look at what is due; how long until the next is. Off is off: then what waits is let go."""
        await self.database.give_way(BREATH, longest=STORM_BREATH)
        longest = SHARED_SLEEP if self.database.dialect.shared else LONGEST_SLEEP
        if not self.providers:
            if await self.database.peek(advising.next_at) is not None:
                await self.database.write(advising.forget_all, companies=())
            return LONGEST_SLEEP
        await self.begin()
        if len(self.jobs.under_way) >= AT_ONCE:
            return longest  # the end of each wakes us
        found = await self.database.peek(advising.next_at)
        return longest if found is None else min(longest, max(0.2, self.clock.seconds_until(found)))

    async def begin(self) -> int:
        """Begin what is due and has room; how many incidents."""
        begun, busy = 0, {number for some in self.jobs.under_way for number in some}
        waiting: dict[str, list[int]] = {}
        for incident_id, company_id in await self.database.peek(advising.due, self.clock.now(), 20):
            if incident_id not in busy:
                waiting.setdefault(company_id, []).append(incident_id)
        for company_id, numbers in waiting.items():
            if self.jobs.stopping or len(self.jobs.under_way) >= AT_ONCE:
                break
            some = tuple(numbers[: TOGETHER if self._at_home else 1])
            self.jobs.go(self._look(company_id, some), some)
            begun += len(some)
        return begun

    @property
    def _at_home(self) -> bool:
        """Whether nobody outside is asked, so that no answer takes long."""
        return not any(provider.advisor is not None and provider.advisor.leaves for provider in self.providers)

    async def stop(self) -> None:
        """Begin nothing more; what is under way is let go, its lease runs out."""
        await self.jobs.stop()
        for provider in self.providers:
            if provider.advisor is not None:
                await provider.advisor.close()

    # --- one incident, or a few of one company -----------------------------------------------------------------

    async def _look(self, company_id: str, numbers: tuple[int, ...]) -> None:
        works: list[Work] = await self._write(company_id, advising.claim_some, company_id, numbers)
        if not works:
            return
        if self.reading is not None:
            for work in works:
                await self.reading.learn(company_id, work.incident_id)
        known = await self._background(company_id)
        claimed = [work.incident_id for work in works]
        questions = await self.database.peek(insights.questions_of, company_id, claimed, known, self.clock.now())
        said: list[tuple[Work, Insight]] = []
        for work in works:
            question = questions[work.incident_id]
            if question is None:
                await self._write(company_id, advising.forget, work.incident_id)
            elif (insight := await self._ask(work, question)) is None:
                await self._write(company_id, advising.failed, work)
            else:
                said.append((work, insight))
        await self._keep(company_id, said)

    async def _keep(self, company_id: str, said: list[tuple[Work, Insight]]) -> None:
        """All in one verb; where one of them cannot be kept, the others are kept without it."""
        if not said:
            return
        try:
            await self._write(company_id, advising.keep_some, said)
        except SiemsError:
            if len(said) == 1:
                raise
            for one in said:
                await self._keep(company_id, [one])

    async def _background(self, company_id: str) -> Background:
        now, held = self.clock.now(), self._known.get(company_id)
        if held is not None and now - held[0] < KNOWN_FOR:
            return held[1]
        model = None if self.reading is None else self.reading.model
        found: Background = await self.database.peek(insights.background, company_id, now, model)
        self._known = {c: one for c, one in self._known.items() if now - one[0] < KNOWN_FOR} | {
            company_id: (now, found)
        }
        return found

    async def _ask(self, work: Work, question: Question) -> Insight | None:
        """The first sound answer of the providers in their order."""
        for provider in self.providers:
            advisor = provider.advisor
            if advisor is None or (advisor.leaves and work.mode is not AdviceMode.ON):
                continue
            if provider.rests_until is not None and self.clock.now() < provider.rests_until:
                continue
            try:
                if not advisor.leaves:
                    return read_draft((await self._timed(advisor, question)).draft, question, provider.name)
                return await self._ask_outside(provider, advisor, work, question)
            except (TryLater, Refused, Nonsense, TimeoutError, SiemsError) as why:
                await self._did_not(provider, work, why)
            except Exception as why:  # a provider of somebody else's making
                await self._did_not(provider, work, why)
        return None

    async def _ask_outside(
        self, provider: Provider, advisor: Advisor, work: Work, question: Question
    ) -> Insight | None:  # fmt: skip
        rules: dict[str, Any] = await asyncio.to_thread(by_rules, question)
        prompt = await asyncio.to_thread(prompt_of, question, rules, names=self.settings.advice.hide_names)
        key, company = f"{provider.name[:8]}:{prompt.key}"[:64], work.company_id
        since = self.clock.now() - timedelta(hours=self.settings.advice.cache_hours)
        kept = await self.database.peek(advising.remembered, company, key, since)
        if kept is not None:
            await self._write(company, _booked, company, provider.name, 0, 1)
            return self._read(json.loads(kept), prompt, question, provider)
        stopped = await self._write(company, advising.spend, company, provider.name, self._budget)
        if stopped:
            raise Refused(f"the budget is used up: {stopped}")
        answer = await self._timed(advisor, prompt)
        insight = self._read(answer.draft, prompt, question, provider)  # nonsense is not kept
        body = json.dumps({name: answer.draft[name] for name in prompt.schema["properties"] if name in answer.draft})
        tokens = max(0, min(answer.tokens, 10_000_000))
        await self._write(company, advising.remember, company, provider.name, key, body, tokens)
        return insight

    def _read(self, draft: Any, prompt: Prompt, question: Question, provider: Provider) -> Insight:
        return read_draft(opened(draft, prompt, question), question, provider.name)

    async def _timed(self, advisor: Advisor, asked: Question | Prompt) -> Answer:
        async with asyncio.timeout(self.settings.advice.timeout_seconds):
            return await advisor.advise(asked)

    async def _did_not(self, provider: Provider, work: Work, why: BaseException) -> None:
        """Why is written down, without a word of what was asked; a provider that fails rests."""
        said = why.message if isinstance(why, SiemsError) else str(why) or type(why).__name__
        log.warning("advice.no_answer", provider=provider.name, incident=work.incident_id, why=said[:200])
        provider.why = said[:200]
        over_budget = isinstance(why, Refused) and "budget" in said
        if not over_budget:
            await self._write(work.company_id, _booked, work.company_id, provider.name, 1, 0)
        if not isinstance(why, Nonsense) and not over_budget:
            wait = why.retry_after if isinstance(why, TryLater) else None
            provider.rests_until = self.clock.now() + (RESTS if wait is None else timedelta(seconds=wait))

    async def _write(self, company_id: str, verb: Callable[..., Any], *args: Any) -> Any:
        return await self.database.write(verb, *args, companies=(company_id,))


def _booked(uow: Any, company_id: str, provider: str, failures: int, kept: int) -> None:
    advising.book(uow, company_id, provider, failures=failures, kept=kept)
