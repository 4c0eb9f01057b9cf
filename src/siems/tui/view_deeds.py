"""What keys do that belong to no screen: windows, copying, commands, time zone, leaving."""

from __future__ import annotations

import shlex
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, cast
from zoneinfo import ZoneInfo

from siems.tui import clipboard, saved
from siems.tui.actions import BY_ID, DEEDS, Deed, Where
from siems.tui.commands import SORTS, Wish, parse
from siems.tui.link import whole_query
from siems.tui.looks import THEMES
from siems.tui.screens.advised import AdviceMenu, decided
from siems.tui.screens.books import Help
from siems.tui.screens.choose import CopyMenu
from siems.tui.screens.logs import CommandLog, Doctor
from siems.tui.screens.palette import Palette
from siems.tui.screens.place import Place
from siems.wire import IncidentView

if TYPE_CHECKING:
    from siems.tui.app import SiemsApp


class ViewDeeds:
    """The half of the app that answers to keys and commands."""

    _last_filter = ""

    @property
    def _app(self) -> SiemsApp:
        return cast("SiemsApp", self)

    @property
    def _place(self) -> Place:
        return self._app.places()[-1]

    # --- incidents ------------------------------------------------------------------------------------------

    def ask(self, deed: Deed, views: list[IncidentView], *, bulk: bool = False) -> None:
        self._app.hands.ask(deed, views, bulk=bulk)

    def send_note(self, text: str) -> None:
        self._app.hands.note(text)

    def prompt_note(self, ref: str) -> None:
        self._place.prompt("note", f"note {ref}> ", hint="enter sends, esc leaves it")

    def do_undo(self) -> None:
        self._app.hands.undo()

    def do_insight(self) -> None:
        """Decide on what is advised for the selected incident, or say whether it helped."""
        app = self._app
        view = next(iter(self._place.subjects()), None)
        if view is None or view.insight is None:
            app.tell(f"there is no advice on {view.id} yet" if view else "insight: no incident is selected", "error")
            return
        ref = view.id

        def chosen(verdict: str | None) -> None:
            if verdict:
                job, cli, said = decided(app.client, ref, verdict)
                app.change(job, cli, said)

        app.push_screen(AdviceMenu(view, view.insight), chosen)

    # --- windows --------------------------------------------------------------------------------------------

    def do_help(self) -> None:
        place, app = self._place, self._app
        views = place.subjects()
        acts = [deed for deed in DEEDS if deed.changes and deed.keys and place.WHERE in deed.where]
        whys = {d.id: place.refusal(d) for d in acts}
        grey = [name for name, why in whys.items() if why]
        if "hold" in grey and views and views[0].on_hold:
            grey.remove("hold")
        why = place.standing() if app.state.up else "no daemon answers"
        why = "read only" if app.read_only else why

        def run(name: str | None) -> None:
            if name:
                place.action_deed(name)

        app.push_screen(Help(place.WHERE, grey, why), run)

    def do_doctor(self) -> None:
        self._app.push_screen(Doctor())
        if self._app.state.up:
            self._app.records.status()

    def do_log(self) -> None:
        self._app.push_screen(CommandLog())

    def do_copy(self) -> None:
        views = self._place.subjects()
        if not views:
            self._app.tell("copy: no incident is selected")
            return
        ids = " ".join(view.id for view in views)
        first = views[0]
        choices = [
            ("i", "id", ids),
            ("l", "link", f"siems tui {first.id}"),
            ("c", "command", f"siems incident show {ids}"),
            ("t", "text", f"{first.id} {first.severity} {first.state} {first.company}: {first.title}"),
        ]

        self.offer_copies(choices)

    def offer_copies(self, choices: list[tuple[str, str, str]]) -> None:
        """Ask which of some texts is meant."""

        def copied(text: str | None) -> None:
            if text:
                self.copy(text)

        self._app.push_screen(CopyMenu(choices), copied)

    def copy(self, text: str) -> None:
        """To the terminal's clipboard, and into a file in case the terminal does not take it."""
        app = self._app
        kept = clipboard.keep(text)
        driver = app._driver
        if driver is not None and not app.is_headless:
            driver.write(clipboard.osc52(text))
        also = f"   also in {str(kept).replace(str(Path.home()), '~')}" if kept else ""
        app.tell(f"copied: {text[:60]}{also}")

    # --- the view -------------------------------------------------------------------------------------------

    def set_filter(self, text: str) -> None:
        """Ask for the list that a query describes."""
        app = self._app
        if not app.state.up:
            app.tell("a filter needs the daemon; it is unreachable (ctrl+r retry)", "error")
            return
        self._last_filter, app.saved.filter, app.saved.view = app.saved.filter, text, ""
        app.link.relist(whole_query(text), app.model.sort)
        app.repaint_all()

    def use_view(self, view: saved.View) -> None:
        """The list as a view has it."""
        app = self._app
        if not app.state.up:
            app.tell("a view needs the daemon; it is unreachable (ctrl+r retry)", "error")
            return
        app.model.resort(view.sort)
        self.set_filter(view.filter)
        app.saved.view = view.name

    def save_view(self, name: str) -> None:
        """Keep filter and order under a name."""
        app = self._app
        if not name:
            app.tell("no name, nothing saved")
            return
        view = saved.View(name[:30], app.saved.filter, app.model.sort)
        try:
            saved.keep_view(view)
        except OSError as why:
            app.tell(f"the view cannot be kept: {why.strerror}", "error")
            return
        app.saved.view = view.name
        app.tell(f"saved as {view.name}: f lists views, siems incident list --view {shlex.quote(view.name)}")

    @staticmethod
    def find_zone(name: str) -> tzinfo | None:
        """UTC for nothing, this machine's zone for `local`, else the zone of that name; None when unknown."""
        if name.lower() in ("", "utc"):
            return UTC
        if name == "local":
            return datetime.now(UTC).astimezone().tzinfo
        try:
            return ZoneInfo(name)
        except (KeyError, ValueError, OSError):
            return None

    def set_zone(self, name: str) -> None:
        app = self._app
        zone = self.find_zone(name)
        if zone is None:
            app.tell(f"no time zone is called {name}", "error")
            return
        app.zone, app.saved.zone = zone, "" if zone is UTC else name
        app.tell(f"times are in {'UTC' if zone is UTC else name}")
        app.repaint_all()

    def do_zone(self) -> None:
        self.set_zone("local" if self._app.zone is UTC else "utc")

    def do_retry(self) -> None:
        self._app.tell("asking the daemon")
        self._app.link.start()

    def do_quit(self) -> None:
        self._app.leave()

    # --- commands -------------------------------------------------------------------------------------------

    def do_command(self) -> None:
        def run(text: str | None) -> None:
            if text:
                self.run_command(text)

        self._app.push_screen(Palette(self._place.WHERE), run)

    def run_command(self, text: str) -> None:
        """Do what was typed behind `:`."""
        try:
            wish = parse(text)
        except ValueError as why:
            self._app.tell(str(why), "error")
            return
        if wish.word == "open" and wish.refs:
            self._app.open_incident(wish.refs[0])
        elif wish.word == "open run":
            self._app.open_run(wish.rest)
        elif wish.word == "run book":
            self._app.run_named(wish.rest)
        elif wish.word == "runs" and wish.rest:
            self._app.do_runs()
            self._app.runs_screen.take_filter(wish.rest)
        elif wish.word == "alerts" and wish.rest:
            self._app.do_alerts()
            self._app.filter_arrivals(wish.rest)
        elif wish.word == "audit" and wish.rest:
            self._app.do_audit()
            self._app.audit_screen.take_filter(wish.rest)
        elif wish.word in (
            "oncall export",
            "audit export",
            "clients new",
            "people new",
            "silences new",
            "parents new",
            "policies new",
        ):
            where, _, name = wish.word.replace("oncall", "on-call").partition(" ")
            self._elsewhere(name, Where(where))
        elif wish.word in BY_ID and not wish.rest:
            self._run_deed(BY_ID[wish.word], wish)
        elif wish.word:
            self._run_view(wish)

    def _elsewhere(self, name: str, where: Where) -> None:
        """Do it on the screen where it is done."""
        self._app.go_to(where)
        self._app.places()[-1].action_deed(name)

    def _run_deed(self, deed: Deed, wish: Wish) -> None:
        app = self._app
        if not wish.refs:
            if self._place.WHERE not in deed.where and len(deed.where) == 1 and deed.where[0] in app.lists:
                self._elsewhere(deed.id, deed.where[0])
            elif self._place.WHERE not in deed.where:
                app.tell(f"{deed.id} belongs to the {' and '.join(deed.where)}", "error")
            else:
                self._place.action_deed(deed.id)
            return
        views = [view for ref in wish.refs if (view := self._known(ref)) is not None]
        missing = [ref for ref in wish.refs if self._known(ref) is None]
        if missing:
            app.tell(f"{missing[0]} is not in this list: open it first  :inc {missing[0][4:]}", "error")
        elif deed.acts:
            app.hands.ask(deed, views)
        else:
            app.tell(f"{deed.id} takes no incident", "error")

    def _known(self, ref: str) -> IncidentView | None:
        story = self._app.stories.get(ref)
        return self._app.model.views.get(ref) or (story.detail.incident if story else None)

    def _company(self, text: str) -> str:
        """The filter for a company from part of its name, as far as the list knows it."""
        wanted = text.removeprefix("#").removeprefix("comp-").lower()
        known = {view.company_id.removeprefix("comp-"): view.company.lower() for view in self._app.model.views.values()}
        begins = [slug for slug, name in known.items() if slug.startswith(wanted) or name.startswith(wanted)]
        return f"#{wanted if wanted in known or len(begins) != 1 else begins[0]}"

    def _run_view(self, wish: Wish) -> None:
        app = self._app
        match wish.word, wish.rest:
            case "filter", rest:
                self._place.take_filter(rest)
            case (("co" | "company"), rest):
                self._place.take_filter(self._company(rest) if rest else "")
            case "view", rest if (view := saved.view_named(rest)) is not None:
                app.do_board()
                self.use_view(view)
            case "view", _:
                known = ", ".join(one.name for one in (*saved.own_views(), *saved.STOCK))
                app.tell(f"there is no such view; there are: {known}", "error")
            case "sort", rest if rest in SORTS:
                app.model.resort(SORTS[rest])
                if app.state.up:
                    app.link.relist(app.link.query, SORTS[rest])
                app.repaint_all()
            case "tz", rest if rest:
                self.set_zone(rest)
            case "theme", rest if rest in THEMES:
                app.looks.use(rest)
                app.screen.refresh(layout=True)
                app.refresh_css(animate=False)
            case word, _:
                app.tell(f":{word} wants one of  {_choices(word)}", "error")


def _choices(word: str) -> str:
    return {"sort": " ".join(SORTS), "theme": " ".join(THEMES), "tz": "utc local Europe/Oslo"}.get(word, "")
