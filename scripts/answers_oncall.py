"""What the routes about on-call answer, for the page of the HTTP API: (what it is, its shape)."""

from __future__ import annotations

ONCALL = {
    "who": ("who is on call: by `schedule`, `company`, `incident`, `at` a time", "items: WhoView"),
    "ready": ("whether those with shifts within `hours` can be reached", "items: ReadyView"),
    "list_schedules": ("the schedules; with `company` the one that it goes by", "items: ScheduleView"),
    "create_schedule": ("a schedule of the MSP, or of `company`", "ScheduleDetail"),
    "show_schedule": ("a schedule with its shifts and gaps of so many `days`", "ScheduleDetail"),
    "edit_schedule": ("what is given is changed; who is on call stays so", "ScheduleDetail"),
    "delete_schedule": ("the schedule goes, with its overrides", "`id`, `changed`"),
    "schedule_fairness": ("how duty was shared in a `month`", "FairnessView"),
    "import_calendar": ("shifts of an iCalendar file as overrides", "CalendarImported"),
    "list_overrides": ("the overrides that are on or to come", "items: OverrideView"),
    "add_override": ("somebody stands in", "OverrideView"),
    "remove_override": ("an override is taken back; one that is on ends now", "`override`, `changed`"),
    "list_swaps": ("swaps that wait, and those of the last month", "items: SwapView"),
    "ask_swap": ("somebody is asked to take a shift", "SwapView"),
    "accept_swap": ("both sides change hands", "`swap`, `changed`"),
    "decline_swap": ("a no, or the one who asked takes it back", "`swap`, `changed`"),
    "show_calendar": ("shifts of a `user` or a `schedule` as iCalendar", "CalendarView"),
    "list_feeds": ("the addresses that calendars subscribe to", "items: FeedView"),
    "make_feed": ("a new address; it is shown once", "FeedView"),
    "revoke_feed": ("the address answers nobody any more", "`id`, `changed`"),
    "show_handoff": ("the briefs of shifts that concern the reader", "items: HandoffView"),
    "note_handoff": ("the next action of an open incident", "`id`, `next_action`, `changed`"),
    "give_handoff": ("the brief is ready", "HandoffDone"),
    "accept_handoff": ("the open incidents of whoever leaves are the reader's", "HandoffDone"),
}
