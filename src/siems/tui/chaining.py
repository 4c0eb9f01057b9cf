"""What the app does about escalation policies: a form for one, whom it would page, saving it, and its end."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import msgspec
from textual.message import Message

from siems.errors import SiemsError, StaleVersion, Unavailable
from siems.tui import chain_draft
from siems.tui.chain_draft import ChainDraft
from siems.tui.desk import LogLine
from siems.tui.looks import Line
from siems.tui.pickable import ALWAYS, Pick, pickable
from siems.tui.screens.chain_form import ChainForm
from siems.tui.screens.chains import ChainsScreen
from siems.tui.screens.form import Form, Slot, named
from siems.wire import CompanyView, PolicyTrial, PolicyView, ScheduleView, UserView

if TYPE_CHECKING:
    from siems.tui.app import SiemsApp


@dataclass
class ChainTold(Message):
    """What was asked about a policy has its answer; with `why` it was refused. `about`: what it was asked with."""

    what: str
    about: Any
    answer: Any
    why: str = ""


class Chaining:
    """The half of the app that writes policies."""

    @property
    def _app(self) -> SiemsApp:
        return cast("SiemsApp", self)

    def _chain_ask(self, what: str, about: Any, job: Callable[[], Any], *, acting: bool = False) -> None:
        app = self._app

        def run() -> None:
            try:
                app.post_message(ChainTold(what, about, job()))
            except SiemsError as why:
                lost = (
                    "no answer came; y asks again and makes it once: "
                    if acting and isinstance(why, Unavailable)
                    else ""
                )
                app.post_message(ChainTold(what, about, None, f"{lost}{why.message}   {why.hint or ''}".strip()))
            except msgspec.ValidationError as why:
                app.post_message(ChainTold(what, about, None, f"the daemon's answer cannot be read: {why}"))

        lane = app.link.acts if acting else app.link.reads
        lane.put("" if acting else f"chain {what}", run)

    # --- the form -------------------------------------------------------------------------------------------

    def open_chain(self, view: PolicyView | None) -> None:
        """A form for a policy, or for a new one; what was left of it before comes back."""
        app = self._app
        kept = chain_draft.kept(view.id if view else "")
        draft = kept or (chain_draft.of(view) if view else ChainDraft())
        form = ChainForm(draft, self, found=kept is not None)
        app.push_screen(form)
        daemon, chains = app.client, self._known_chains()

        def picks() -> list[Pick]:
            people = msgspec.convert(daemon.users(), list[UserView])
            return pickable(people, msgspec.convert(daemon.schedules(), list[ScheduleView]), chains, draft.company)

        self._chain_ask("picks", form, picks)
        if view is None:
            self._chain_ask(
                "owners",
                form,
                lambda: [one.id for one in msgspec.convert(daemon.companies(), list[CompanyView]) if one.active],
            )
        elif kept is not None and kept.version != view.version:
            form.theirs = view

    def reopen_chain(self, form: ChainForm, theirs: PolicyView | None) -> None:
        """The draft is dropped for what stands, or for nothing."""
        app = self._app
        chain_draft.forget(form.draft.policy_id)
        form.changed = False
        stands = theirs or next((one for one in self._known_chains() if one.id == form.draft.policy_id), None)
        app.pop_screen()
        self.open_chain(stands)

    def _known_chains(self) -> list[PolicyView]:
        return [one for screen in self._app.screen_stack if isinstance(screen, ChainsScreen) for one in screen.all]

    def used_by(self, policy_id: str) -> str:
        """`, used by acme, borealis`, as far as it is known."""
        used = next((one.companies for one in self._known_chains() if one.id == policy_id), [])
        return f" of {', '.join(ref.removeprefix('comp-') for ref in used)}" if used else ""

    def preview_chain(self, draft: ChainDraft, severity: str) -> None:
        """Whom it would page, before anything is kept."""
        daemon, document = self._app.client, draft.document()
        ask: dict[str, Any] = {"policy": document, "severity": severity, "name": draft.name.strip()}
        ask |= {"ref": draft.policy_id} if draft.policy_id else {"owner": draft.company}
        self._chain_ask("preview", document, lambda: msgspec.convert(daemon.preview_policy(**ask), PolicyTrial))

    def save_chain(self, form: ChainForm) -> None:
        """Send it, in an armed context after its name was typed."""
        app, draft = self._app, form.draft

        def send(said: dict[str, str] | None) -> None:
            if said is not None:
                form.sending = True
                app.tell("sent")
                self._send_chain(form)

        if app.armed:
            name = draft.before_name or draft.name.strip()
            lines: list[Line] = [[(draft.command(), "dim")]]
            app.push_screen(Form(f" save {name} ", "save it", (named(name),), lines), send)
        else:
            send({})

    def _send_chain(self, form: ChainForm) -> None:
        daemon, draft = self._app.client, form.draft
        name, document = draft.name.strip(), draft.document()

        def make() -> Any:
            # one key for one draft: an answer that was lost is asked for again, and nothing is made twice
            form.key = form.key or uuid.uuid4().hex
            return daemon.create_policy(idempotency_key=form.key, name=name, policy=document, company=draft.company)

        def change() -> Any:
            try:
                return daemon.edit_policy(draft.policy_id, name=name, policy=document, version=draft.version)["policy"]
            except StaleVersion:
                return msgspec.convert(daemon.policy(draft.policy_id), PolicyView)

        self._chain_ask("saved", form, change if draft.policy_id else make, acting=True)

    # --- the end of one -------------------------------------------------------------------------------------

    def end_chain(self, view: PolicyView) -> None:
        """Ask, and end it; one that clients use is not ended."""
        app = self._app
        if view.companies:
            used = ", ".join(ref.removeprefix("comp-") for ref in view.companies[:4])
            first = view.companies[0].removeprefix("comp-")
            app.tell(f"{view.name} is used by {used}: first  siems company edit {first} --policy default", "error")
            return
        slots = (Slot("reason", "r", "reason", "why"), *((named(view.name),) if app.armed else ()))
        lines: list[Line] = [
            [(f"{view.name} ({view.id})", "bold"), (f"   version {view.version}, no client uses it", "")],
            [("open incidents keep the steps that they opened with", "dim")],
        ]

        def answered(said: dict[str, str] | None) -> None:
            if said is not None:
                daemon, reason = app.client, said["reason"].strip()
                self._chain_ask("ended", view, lambda: daemon.delete_policy(view.id, reason=reason), acting=True)

        app.push_screen(Form(f" end {view.name} ", "end it", slots, lines), answered)

    # --- what the daemon answers ----------------------------------------------------------------------------

    def on_chain_told(self, event: ChainTold) -> None:
        app = self._app
        match event.what, event.about:
            case "owners", ChainForm() as form if form in app.screen_stack:
                self._offer_owners(form, event)
            case "picks", ChainForm() as form if form in app.screen_stack:
                form.known = event.answer or list(ALWAYS)
                form.repaint()
            case "preview", document:
                for screen in app.screen_stack:
                    if isinstance(screen, ChainForm):
                        screen.tried(document, event.answer, event.why)
            case "saved", ChainForm() as form:
                self._saved(form, event)
            case "ended", view:
                self._done(f"siems escalation policy delete {view.id} --yes", event.why or f"{view.name}: ended", event)

    def _offer_owners(self, form: ChainForm, event: ChainTold) -> None:
        own = ["msp"] if self._app.may("administer") or not event.answer else []
        form.offer([*own, *sorted(event.answer or [])])

    def _saved(self, form: ChainForm, event: ChainTold) -> None:
        app, draft = self._app, form.draft
        if event.why:
            form.refused(event.why)
            return
        stands = event.answer if isinstance(event.answer, PolicyView) else None
        # where what is there is what was sent, only the answer to it was lost
        if stands is not None and (
            chain_draft.difference(stands.policy, draft.document()) or stands.name != draft.name
        ):
            form.outrun(stands)
            return
        chain_draft.forget(draft.policy_id)
        form.changed = form.sending = False
        if app.screen is form:
            app.pop_screen()
        use = "" if draft.policy_id else f"; a client uses it by  siems company edit ID --policy {draft.name.strip()}"
        self._done(draft.command(), f"{draft.name.strip()}: saved{use}", event)

    def _done(self, cli: str, said: str, event: ChainTold) -> None:
        app = self._app
        app.desk.log.append(LogLine(app.clock.now(), cli, said))
        app.tell(said, "error" if event.why else "toast")
        app.read_policies()
