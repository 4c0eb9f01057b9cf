"""Asks the daemon for what arrived: the newest, what came since, older pages, and the body of one."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec
from textual.message import Message

from siems.errors import CursorGone, SiemsError, UsageError
from siems.tui import messages
from siems.tui.lanes import Lane
from siems.wire import ArrivalView, Page

if TYPE_CHECKING:
    from siems.client import Client

FIRST = 200
AT_ONCE = 1_000


class Feed:
    """The alert stream's questions, on a lane of their own; answers are posted."""

    def __init__(self, client: Client, post: Callable[[Message], object]) -> None:
        self.client, self.post = client, post
        self.lane = Lane("siems-feed")

    def first(self, query: str) -> None:
        """The newest rows of a query."""
        self._ask("first", lambda: messages.ArrivalsRead(query, "", *self._page(query, limit=FIRST)), query)

    def since(self, query: str, after: str) -> None:
        """What came after a row."""

        def job() -> Message:
            try:
                return messages.ArrivalsRead(query, after, *self._page(query, limit=AT_ONCE, after=after))
            except CursorGone:  # another database stands behind the daemon
                return messages.ArrivalsRead(query, "", *self._page(query, limit=FIRST))

        self._ask("since", job)

    def older(self, query: str, cursor: str) -> None:
        """The page that ends before a row."""
        self._ask("older", lambda: messages.OlderRead(query, cursor, *self._page(query, limit=AT_ONCE, cursor=cursor)))

    def body(self, ref: str) -> None:
        """The body that an alert came in."""

        def run() -> None:
            try:
                found = self.client.alert(ref)
            except SiemsError as why:
                self.post(messages.BodyRead(ref, None, f"{why.message}  {why.hint}".strip()))
            else:
                self.post(messages.BodyRead(ref, found))

        self.lane.put("body", run)

    def _page(self, query: str, **how: Any) -> tuple[list[ArrivalView], str | None]:
        page = msgspec.convert(self.client.arrivals(query, **how), Page[ArrivalView])
        return page.items, page.next

    def _ask(self, name: str, job: Callable[[], Message], query: str = "") -> None:
        def run() -> None:
            try:
                self.post(job())
            except UsageError as why:
                self.post(messages.ArrivalsRefused(why.message, why.hint, query))
            except SiemsError as why:
                self.post(messages.ArrivalsFailed(why.message, why.hint))
            except msgspec.ValidationError as why:
                self.post(messages.ArrivalsFailed(f"the daemon's answer cannot be read: {why}", "upgrade siems"))

        self.lane.put(name, run)
