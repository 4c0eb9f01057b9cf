"""The link to the daemon: reads the list, follows the stream, and starts over when it breaks."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import msgspec
from textual.message import Message

from siems.client import Client
from siems.errors import NotAuthenticated, SiemsError, UsageError
from siems.tui import board_messages, messages
from siems.tui.lanes import Lane
from siems.tui.run_reads import RunMoved
from siems.wire import (
    AlertView,
    IncidentDetail,
    IncidentView,
    Me,
    NoticeView,
    Page,
    Summary,
    TimelineEntry,
    UserView,
    WhoView,
)

DEFAULT_QUERY = "state:OPEN,ASSIGNED,IN_PROGRESS,RESOLVED"
FIRST_PAGE = 300
NEXT_PAGES = 1_000
AT_MOST = 20_000
BACKOFF = (1.0, 2.0, 4.0, 8.0, 15.0)
IDS_AT_ONCE = 100
NOTICES = 100
"""Of the inbox, the newest."""
OLD_HEARTBEAT = 15.0
"""Of daemons that do not tell."""

Post = Callable[[Message], object]


def whole_query(filter_text: str) -> str:
    """What is asked for: the reader's filter, among incidents that are not closed unless it names states."""
    text = filter_text.strip()
    if not text:
        return DEFAULT_QUERY
    return text if "state:" in text else f"{DEFAULT_QUERY} ({text})"


class Link:
    """Speaks to the daemon on threads of its own and posts what it learns."""

    def __init__(self, client: Client, post: Post) -> None:
        self.client = client
        self.post = post
        self.query = DEFAULT_QUERY
        self.sort = "sla"
        self.reads = Lane("siems-reads")
        self.acts = Lane("siems-acts")
        self._basket: set[str] = set()
        self._lock = threading.Lock()
        self._again = threading.Event()
        self._generation = 0
        self._known = False
        self.renew: Callable[[], str] | None = None

    # --- the stream -----------------------------------------------------------------------------------------

    def start(self, attempt: int = 0) -> None:
        """Connect afresh; what an earlier connection still says is ignored."""
        self._generation += 1
        self._again.set()
        threading.Thread(target=self._follow, args=(self._generation, attempt), name="siems-link", daemon=True).start()

    def stop(self) -> None:
        self._generation += 1
        self._again.set()

    def _follow(self, generation: int, attempt: int) -> None:
        while generation == self._generation:
            self._again.clear()
            try:
                for event in self._connected(generation):
                    attempt = 0
                    if generation != self._generation:
                        return
                    self._take(event)
                lost = SiemsError("the stream ended")
            except NotAuthenticated as why:
                lost = why
                self.renew_token()
            except SiemsError as why:
                lost = why
            except msgspec.ValidationError as why:
                lost = SiemsError(f"the daemon's answer cannot be read: {why}", hint="upgrade siems")
            if generation != self._generation:
                return
            wait = max(BACKOFF[min(attempt, len(BACKOFF) - 1)], float(lost.retry_after or 0))
            attempt += 1
            self.post(messages.LinkDown(lost.message, lost.hint, wait, attempt))
            self._again.wait(wait)

    def give_up(self, quiet: float) -> None:
        """Nothing came for so many seconds, though nobody hung up: what is open is as good as closed."""
        self.post(messages.LinkDown(f"nothing came for {int(quiet)} s", "", 0.0, 1))
        self.start(1)

    def renew_token(self) -> None:
        """Sessions end before their readers leave: ask for the token again where there is a way to."""
        if self.renew is not None:
            with suppress(SiemsError):
                self.client.token = self.renew() or self.client.token

    def _connected(self, generation: int) -> Iterator[dict[str, Any]]:
        """Open the stream, read the list after it, then hand on what comes: so nothing falls in between."""
        stream = self.client.events()
        hello = next(stream)
        me = msgspec.convert(self.client.me(), Me)
        page = self._page(self.query, "", FIRST_PAGE)
        views, after = page.items, page.next
        if self._known:
            while after and len(views) < AT_MOST:
                page = self._page(self.query, after, NEXT_PAGES)
                views, after = views + page.items, page.next
        self._known = True
        self.post(messages.LinkUp(views, page.total, bool(after), me, generation, _heartbeat(hello)))
        self.read_pages(after, len(views), generation)
        yield from stream

    def read_pages(self, after: str | None, have: int, generation: int) -> None:
        """The rest of a first list, page by page."""
        while after and have < AT_MOST and generation == self._generation:
            page = self._page(self.query, after, NEXT_PAGES)
            have, after = have + len(page.items), page.next
            self.post(messages.PageRead(page.items, generation))

    def _take(self, event: dict[str, Any]) -> None:
        kind = event.get("type", "")
        if kind == "ping":
            self.post(messages.Heard())
            return
        data = event.get("data") or {}
        if kind == "notice.created":
            self.post(messages.Noticed(data))
        if kind.startswith("run."):
            self.post(RunMoved(str(event.get("object", "")), kind))
        if kind == "reset":
            raise SiemsError("the stream asks for a fresh start")
        if kind.startswith(("alert.", "delivery.")):
            self.post(messages.Arrived())
        else:
            self.post(messages.Happened())
        ref = data.get("incident_id") or event.get("object", "")
        if isinstance(ref, str) and ref.startswith("INC-"):
            with self._lock:
                self._basket.add(ref)
            self.post(messages.Dirty())

    # --- reads ----------------------------------------------------------------------------------------------

    def _page(self, query: str, cursor: str, limit: int) -> Page[IncidentView]:
        return msgspec.convert(
            self.client.incidents(query, sort=self.sort, limit=limit, cursor=cursor), Page[IncidentView]
        )

    def _read(self, name: str, job: Callable[[], Message]) -> None:
        def run() -> None:
            try:
                self.post(job())
            except SiemsError as why:
                self.post(messages.ReadFailed(why.message, why.hint))
            except msgspec.ValidationError as why:
                self.post(messages.ReadFailed(f"the daemon's answer cannot be read: {why}", "upgrade siems"))

        self.reads.put(name, run)

    def take_basket(self) -> set[str]:
        with self._lock:
            basket, self._basket = self._basket, set()
        return basket

    def refetch(self, refs: set[str]) -> None:
        """Ask what changed incidents look like now, and which of them have left the list."""
        query = self.query

        def job() -> Message:
            changes: dict[str, IncidentView | None] = dict.fromkeys(refs)
            wanted = sorted(refs)
            page = None
            for start in range(0, len(wanted), IDS_AT_ONCE):
                part = ",".join(wanted[start : start + IDS_AT_ONCE])
                page = self._page(f"{query} id:{part}", "", IDS_AT_ONCE)
                changes |= {view.id: view for view in page.items}
            assert page is not None
            return messages.Refetched(changes, page.as_of)

        self._read("", job)

    def relist(self, query: str, sort: str) -> None:
        """Ask for another list; a query that the daemon does not take changes nothing."""

        def run() -> None:
            before, self.sort = self.sort, sort
            try:
                page = self._page(query, "", FIRST_PAGE)
                views, after = page.items, page.next
                while after and len(views) < AT_MOST:
                    page = self._page(query, after, NEXT_PAGES)
                    views, after = views + page.items, page.next
            except UsageError as why:
                self.sort = before
                self.post(messages.QueryRefused(why.message, why.hint, query))
                return
            except SiemsError as why:
                self.post(messages.ReadFailed(why.message, why.hint))
                return
            self.query = query
            self.post(messages.ListRead(views, page.total, query))

        self.reads.put("list", run)

    def read_me(self) -> None:
        self._read("me", lambda: messages.MeRead(msgspec.convert(self.client.me(), Me)))

    def read_summary(self) -> None:
        self._read("whos", lambda: board_messages.WhosRead(msgspec.convert(self.client.on_call(), list[WhoView])))
        self._read("summary", lambda: messages.SummaryRead(msgspec.convert(self.client.summary(), Summary)))

    def read_people(self) -> None:
        self._read(
            "people",
            lambda: messages.PeopleRead(msgspec.convert(self.client.users(), list[UserView])),
        )

    def read_notices(self, *, unread: bool = False) -> None:
        """The newest notices, or the newest of those that are unread."""
        self._read("notices", lambda: self._notices(unread))

    def _notices(self, unread: bool) -> Message:
        found = self.client.inbox(unread=unread, limit=NOTICES)
        return messages.NoticesRead(msgspec.convert(found, list[NoticeView]))

    def mark_read(self, ids: list[int] | None, *, unread: bool = False) -> None:
        """Mark notices as read and read the inbox again."""

        def job() -> Message:
            self.client.read_inbox(ids)
            return self._notices(unread)

        self._read("", job)
        self.read_me()

    def read_story(self, ref: str) -> None:
        """One incident with its timeline and alerts."""

        def run() -> None:
            try:
                story = messages.Story(
                    msgspec.convert(self.client.incident(ref), IncidentDetail),
                    msgspec.convert(self.client.timeline(ref), list[TimelineEntry]),
                    msgspec.convert(self.client.incident_alerts(ref), list[AlertView]),
                )
            except SiemsError as why:
                self.post(messages.StoryFailed(ref, why.message, why.hint))
            else:
                self.post(messages.StoryRead(ref, story))

        self.reads.put("story", run)


def _heartbeat(hello: dict[str, Any]) -> float:
    said = hello.get("heartbeat")
    return float(said) if isinstance(said, int | float) and 0 < said <= 60 else OLD_HEARTBEAT
