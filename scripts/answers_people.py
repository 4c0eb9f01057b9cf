"""What the routes of people, pages and assignment answer: a part of the page on the HTTP API."""

from __future__ import annotations

PEOPLE: dict[str, tuple[str, str]] = {
    "list_candidates": (
        "who might take it, and what a `strategy` makes of them, the best first; with `kept=true` the last choice",
        "ChoiceView",
    ),
    "list_pages": ("pages that have not ended; with `ended=true` those that have, with `mine=true` the caller's",
                   "items: PageView"),
    "open_page": ("call somebody; a page with the same key that has not ended is the answer", "PageAnswer"),
    "show_page": ("one page", "PageView"),
    "acknowledge_page": ("somebody is on it: nothing more is sent", "PageAnswer"),
    "end_page": ("it is not needed any more; its key is free", "PageAnswer"),
    "show_user": ("one person; `@me` is the caller", "UserView"),
    "edit_user": ("changes what is given", "UserChanged"),
    "set_availability": ("available, busy or away; everybody for themselves", "UserChanged"),
    "reset_password": ("another password; sessions of that person end", "UserChanged"),
}  # fmt: skip
