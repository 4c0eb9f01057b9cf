"""What the app does about clients, people and policies: it asks the daemon on the lanes, and hands answers on."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

import msgspec

from siems.errors import Forbidden, SiemsError, UsageError
from siems.tui import drafts, messages
from siems.tui.drafts import Draft
from siems.tui.errands import deliver_test, onboard, person_fault, save_person
from siems.tui.groups import Node, nodes
from siems.tui.rule_lines import DAY_SECONDS, SHOWN
from siems.tui.screens.chain_form import ChainForm
from siems.tui.screens.chains import ChainsScreen, TryChain
from siems.tui.screens.choose_tool import ChooseTool
from siems.tui.screens.clients import Client, ClientsScreen
from siems.tui.screens.handover import Handover
from siems.tui.screens.parents import ParentsScreen
from siems.tui.screens.people import PeopleScreen, PersonForm
from siems.tui.screens.roster import Roster
from siems.tui.screens.rotate_key import TypeName
from siems.tui.screens.silences import SilencesScreen
from siems.tui.screens.wizard import WizardScreen
from siems.wire import (
    CompanyView,
    CorrelationPreview,
    IntegrationView,
    ParentView,
    PolicyTrial,
    PolicyView,
    SilencePreview,
    SilenceView,
    TierView,
    ToolView,
    UserView,
)

if TYPE_CHECKING:
    from siems.tui.app import SiemsApp


PARENTS_TOLD = 20
ROSTERS: Mapping[str, type[Roster[Any]]] = {
    "clients": ClientsScreen, "people": PeopleScreen, "chains": ChainsScreen, "silences": SilencesScreen,
    "parents": ParentsScreen,
}  # fmt: skip
"""The lists by what is asked for them."""


class Office:
    """The half of the app that keeps house."""

    @property
    def _app(self) -> SiemsApp:
        return cast("SiemsApp", self)

    def may(self, permission: str) -> bool:
        """Whether the reader's role allows it, as the daemon has told; what is not told yet is not kept from them."""
        me = self._app.me
        return me is None or not me.may or permission in me.may

    def may_change(self, what: str) -> bool:
        """Whether this session may change something; it is told why not."""
        app = self._app
        if app.read_only:
            app.tell(f"{what}: off, this session is read only", "error")
        elif not app.state.up:
            app.tell(f"{what} needs the daemon; it is unreachable (ctrl+r retry)", "error")
        else:
            return True
        return False

    def keep_draft(self) -> None:
        """A client or a policy that is being described outlives the session."""
        for screen in self._app.screen_stack:
            if isinstance(screen, WizardScreen | ChainForm):
                screen.keep()

    # --- reading --------------------------------------------------------------------------------------------

    def _ask(self, what: str, job: Callable[[], Any], *, acting: bool = False) -> None:
        """Ask on a lane; the answer comes as `Known`, a refusal as `Known` with its reason."""
        app = self._app

        def run() -> None:
            try:
                app.post_message(messages.Known(what, job()))
            except SiemsError as why:
                app.post_message(messages.Known(what, None, f"{why.message}  {why.hint or ''}".strip()))
            except (msgspec.ValidationError, json.JSONDecodeError) as why:
                app.post_message(messages.Known(what, None, f"the daemon's answer cannot be read: {why}"))

        if acting:
            app.link.acts.put("", run)
        else:
            app.link.reads.put(what, run)

    def read_clients(self) -> None:
        daemon = self._app.client

        def job() -> list[Client]:
            names, ways, told = {}, [], False
            with suppress(Forbidden):  # who may see clients need not be one who changes them
                names = {one.id: one.name for one in msgspec.convert(daemon.policies(), list[PolicyView])}
                ways, told = msgspec.convert(daemon.integrations(), list[IntegrationView]), True
            views = msgspec.convert(daemon.companies(), list[CompanyView])
            found = {
                view.id: Client(view, names.get(view.policy, view.policy or "default"), told=told) for view in views
            }
            for way in ways:
                if way.company_id in found:
                    found[way.company_id].ways.append(way)
            return sorted(found.values(), key=lambda one: one.view.name.lower())

        self._ask("clients", job)

    def read_users(self) -> None:
        daemon = self._app.client
        self._ask(
            "people",
            lambda: sorted(msgspec.convert(daemon.users(), list[UserView]), key=lambda u: (u.disabled, u.name.lower())),
        )

    def read_policies(self) -> None:
        self._ask("chains", lambda: msgspec.convert(self._app.client.policies(), list[PolicyView]))

    def read_silences(self) -> None:
        daemon = self._app.client

        def job() -> list[SilenceView]:
            found = msgspec.convert(daemon.silences(), list[SilenceView])
            return sorted(found, key=lambda one: (one.state != "active", one.ends_at, one.id))

        self._ask("silences", job)

    def read_parents(self) -> None:
        daemon = self._app.client

        def job() -> list[Node]:
            found = msgspec.convert(daemon.parents(), list[ParentView])
            # the story of each is told where one asks for it alone
            return nodes([msgspec.convert(daemon.parent(one.id), ParentView) for one in found[:PARENTS_TOLD]]
                         + found[PARENTS_TOLD:])  # fmt: skip

        self._ask("parents", job)

    def foresee_silence(self, ask: dict[str, Any]) -> None:
        """What a silence would match, before it is made."""
        daemon = self._app.client
        self._ask(
            "foreseen",
            lambda: (ask, msgspec.convert(daemon.preview_silence(ask["company"], ask["matchers"]), SilencePreview)),
        )

    def one_company(self) -> str:
        """The client that is meant where only one is on the board."""
        known = {view.company_id for view in self._app.model.views.values()}
        return known.pop().removeprefix("comp-") if len(known) == 1 else ""

    def read_way(self, ref: str) -> None:
        self._ask("way", lambda: msgspec.convert(self._app.client.integration(ref), IntegrationView))

    def try_policy(self, ref: str, severity: str, at: datetime | None) -> None:
        ask: dict[str, Any] = {"severity": severity} | ({"at": at.isoformat()} if at else {})
        self._ask("trial", lambda: msgspec.convert(self._app.client.try_policy(ref, **ask), PolicyTrial))

    # --- clients --------------------------------------------------------------------------------------------

    def open_wizard(self, draft: Draft) -> None:
        app = self._app
        if not draft.company_id and not draft.get("time_zone"):
            draft.values["time_zone"] = getattr(app.zone, "key", "") or "UTC"
        app.push_screen(WizardScreen(draft, self._send_draft))
        daemon = app.client
        self._ask("tiers", lambda: [one.name for one in msgspec.convert(daemon.sla_tiers(), list[TierView])])
        self._ask("policies", lambda: [one.name for one in msgspec.convert(daemon.policies(), list[PolicyView])])

    def try_rules(self, draft: Draft, turn: int) -> None:
        """Replay the last day of the client itself, or of each one that is there in turn, against a draft's rules."""
        daemon = self._app.client

        def job() -> tuple[str, CorrelationPreview]:
            found = [(one.name, one.id) for one in msgspec.convert(daemon.companies(), list[CompanyView]) if one.active]
            known = sorted(one for one in found if draft.company_id in ("", one[1]))
            if not known:
                raise UsageError("there is no client yet whose alerts could be replayed")
            name, company = known[turn % len(known)]
            said = daemon.preview_correlation(company, since_seconds=DAY_SECONDS, show=SHOWN, **draft.rules())
            return name, msgspec.convert(said, CorrelationPreview)

        self._ask("preview", job)

    def _send_draft(self, draft: Draft) -> None:
        daemon, now = self._app.client, self._app.clock.now()
        if draft.company_id:
            told = draft.settings()
            self._ask("edited", lambda: daemon.edit_company(draft.company_id, **told), acting=True)
        else:
            self._ask("onboarded", lambda: onboard(daemon, draft, now), acting=True)

    def choose_tool(self, company: CompanyView) -> None:
        app = self._app

        def chosen(tool: str | None) -> None:
            if tool:
                self._ask("made", lambda: app.client.add_integration(tool=tool, company=company.id), acting=True)

        app.push_screen(ChooseTool(company), chosen)
        self._ask("tools", lambda: msgspec.convert(app.client.tools(), list[ToolView]))

    def rotate(self, company: CompanyView, ways: Sequence[IntegrationView]) -> None:
        app = self._app
        slug = company.id.removeprefix("comp-")

        def chosen(ref: str | None) -> None:
            if ref:
                self._ask("made", lambda: app.client.rotate_integration(ref, what=""), acting=True)

        words = [(way.id, f"{way.id}  {way.tool}  key {way.key_hint}  {way.signing}") for way in ways]
        warning = "A new key (and secret, where it signs) is made and shown once. The old ones work for 24 hours more."
        app.push_screen(TypeName(f"rotate a key of {company.name[:40]}", slug, warning, words), chosen)

    def try_way(self, made: Mapping[str, Any]) -> None:
        """Send an alert to the URL that the client was given, as its tool would."""
        self._ask("tried", lambda: deliver_test(made, self._app.client), acting=True)

    # --- people ---------------------------------------------------------------------------------------------

    def edit_person(self, one: UserView | None) -> None:
        app = self._app

        def send(values: dict[str, str]) -> None:
            self._ask("person", lambda: save_person(app.client, one, values), acting=True)

        app.push_screen(PersonForm(one, person_fault, send))

    # --- what the daemon answers ----------------------------------------------------------------------------

    def on_known(self, event: messages.Known) -> None:
        app = self._app
        form = app.screen if isinstance(app.screen, WizardScreen) else None
        if event.why:
            self._refused(event, form)
            return
        match event.what, event.answer:
            case what, rows if what in ROSTERS:
                self._each(ROSTERS[what], lambda one: one.fill(rows))
            case "foreseen", (ask, found):
                self._each(SilencesScreen, lambda one: one.offer(ask, found))
            case "tiers", names if form is not None:
                form.offer("sla", sorted(names, key=lambda name: (name != "silver", name)))
            case "policies", names if form is not None:
                form.offer("policy", sorted(names, key=lambda name: (name != "default", name)))
            case "preview", found if form is not None:
                form.tried(found)
            case "way", way:
                self._each(Handover, lambda one: one.heard(way))
            case "tools", tools:
                self._each(ChooseTool, lambda one: one.fill(tools))
            case "trial", trial:
                self._each(TryChain, lambda one: one.fill(trial))
            case "tried", said:
                self._each(Handover, lambda one: one.told(said))
            case "edited", _:
                if form is not None and form.sending:
                    app.pop_screen()
                app.tell("saved")
            case "onboarded", (made, left):
                if form is not None and form.sending:
                    app.pop_screen()
                drafts.forget()
                app.tell(f"the client is made, but: {left}" if left else "made", "error" if left else "toast")
                self._hand_over(made, f"{made['name']} is ready")
            case "made", made:
                app.tell("made")
                self._hand_over(made, f"{made['tool']} for {made['company_id'].removeprefix('comp-')}")
            case "person", said:
                app.tell(said)
                if isinstance(app.screen, PersonForm) and app.screen.sending:
                    app.screen.dismiss(None)
                self.read_users()

    def _hand_over(self, made: dict[str, Any], title: str) -> None:
        """Show what is shown once; the list has its client's row under the cursor then."""
        for screen in self._app.screen_stack:
            if isinstance(screen, ClientsScreen):
                screen.shelf.cursor = made["company_id"]
        self.read_clients()
        self._app.push_screen(Handover(made, title))

    def _each(self, kind: type[Any], tell: Callable[[Any], None]) -> None:
        for screen in self._app.screen_stack:
            if isinstance(screen, kind):
                tell(screen)

    def _refused(self, event: messages.Known, form: WizardScreen | None) -> None:
        app = self._app
        if event.what in ROSTERS:
            self._each(ROSTERS[event.what], lambda one: one.refused(event.why))
        if event.what in ("edited", "onboarded") and form is not None and form.sending:
            form.refused(event.why)
        elif event.what == "person" and isinstance(app.screen, PersonForm):
            app.screen.refused(event.why)
        elif event.what == "tried":
            self._each(Handover, lambda one: one.told(event.why))
        elif event.what == "trial":
            self._each(TryChain, lambda one: one.told(event.why))
        elif event.what != "way":
            if event.what == "preview" and form is not None:
                form.tried(None)
            app.tell(event.why, "error")
