"""What the app does about clients, people and policies: it asks the daemon on the lanes, and hands answers on."""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import msgspec

from siems.client import Client as Daemon
from siems.errors import SiemsError
from siems.tui import drafts, messages
from siems.tui.drafts import Draft
from siems.tui.screens.chains import ChainsScreen, TryChain
from siems.tui.screens.clients import Client, ClientsScreen
from siems.tui.screens.handover import ChooseTool, Handover, TypeName
from siems.tui.screens.listing import Listing
from siems.tui.screens.people import PeopleScreen, PersonForm
from siems.tui.screens.wizard import WizardScreen
from siems.wire import (
    CompanyView,
    IntegrationView,
    PolicyTrial,
    PolicyView,
    TierView,
    ToolView,
    UserView,
)

if TYPE_CHECKING:
    from siems.tui.app import SiemsApp

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
TEST = {
    "asset_name": "siems-test",
    "signature": "siems_test",
    "severity": "low",
    "tool_source": "siems test",
    "message": "a test of the way in: nothing is wrong",
}


class Office:
    """The half of the app that keeps house."""

    @property
    def _app(self) -> SiemsApp:
        return cast("SiemsApp", self)

    # --- going there ----------------------------------------------------------------------------------------

    def do_clients(self) -> None:
        self._visit(ClientsScreen)

    def do_people(self) -> None:
        self._visit(PeopleScreen)

    def do_chains(self) -> None:
        self._visit(ChainsScreen)

    def _visit(self, kind: type[Listing[Any]]) -> None:
        app = self._app
        if isinstance(app.screen, kind):
            return
        while isinstance(app.screen, Listing):
            app.pop_screen()
        app.push_screen(kind())

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
            found = {view.id: Client(view) for view in msgspec.convert(daemon.companies(), list[CompanyView])}
            for way in msgspec.convert(daemon.integrations(), list[IntegrationView]):
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

        def filled(values: dict[str, str] | None) -> None:
            if values is not None:
                self._ask("person", lambda: save_person(app.client, one, values), acting=True)

        app.push_screen(PersonForm(one, person_fault), filled)

    # --- what the daemon answers ----------------------------------------------------------------------------

    def on_known(self, event: messages.Known) -> None:
        app = self._app
        form = next((one for one in reversed(app.screen_stack) if isinstance(one, WizardScreen)), None)
        if event.why:
            self._refused(event, form)
            return
        match event.what, event.answer:
            case ("clients" | "people" | "chains") as what, rows:
                kind = {"clients": ClientsScreen, "people": PeopleScreen, "chains": ChainsScreen}[what]
                for screen in app.screen_stack:
                    if isinstance(screen, kind):
                        cast("Listing[Any]", screen).fill(rows)
            case "tiers", names if form is not None:
                form.offer("sla", sorted(names, key=lambda name: (name != "silver", name)))
            case "policies", names if form is not None:
                form.offer("policy", sorted(names, key=lambda name: (name != "default", name)))
            case "way", way:
                self._each(Handover, lambda one: one.heard(way))
            case "tools", tools:
                self._each(ChooseTool, lambda one: one.fill(tools))
            case "trial", trial:
                self._each(TryChain, lambda one: one.fill(trial))
            case "tried", said:
                self._each(Handover, lambda one: one.told(said))
            case "edited", _:
                if form is not None:
                    app.pop_screen()
                app.tell("saved")
            case "onboarded", (made, left):
                if form is not None:
                    app.pop_screen()
                drafts.forget()
                app.push_screen(Handover(made, f"{made['name']} is ready"))
                if left:
                    app.tell(f"the client is made, but: {left}", "error")
            case "made", made:
                app.push_screen(Handover(made, f"{made['tool']} for {made['company_id'].removeprefix('comp-')}"))
                self.read_clients()
            case "person", said:
                app.tell(said)
                self.read_users()

    def _each(self, kind: type[Any], tell: Callable[[Any], None]) -> None:
        for screen in self._app.screen_stack:
            if isinstance(screen, kind):
                tell(screen)

    def _refused(self, event: messages.Known, form: WizardScreen | None) -> None:
        app = self._app
        if event.what in ("edited", "onboarded") and form is not None:
            form.refused(event.why)
        elif event.what == "tried":
            self._each(Handover, lambda one: one.told(event.why))
        elif event.what == "trial":
            self._each(TryChain, lambda one: one.told(event.why))
        elif event.what != "way":
            app.tell(event.why, "error")


# --- on the acting lane --------------------------------------------------------------------------------------------


def onboard(daemon: Daemon, draft: Draft, now: datetime) -> tuple[dict[str, Any], str]:
    """Make the client; then what its creation does not take. Answers what was made, and what could not be done."""
    made = daemon.onboard(**draft.onboarding(_expiry(draft.get("expires"), now)))
    left = []
    told = draft.settings()
    if told:
        try:
            daemon.edit_company(made["company_id"], **told)
        except SiemsError as why:
            left.append(why.message)
    window = draft.window()
    if window is not None:
        zone = draft.get("time_zone") or "UTC"
        ask = {
            "company": made["company_id"],
            "matchers": ["asset=*"],
            "comment": "maintenance window",
            "starts_at": first_window(window["days"], window["at"], zone, now).isoformat(),
            "seconds": window["seconds"],
            "repeat": window["repeat"],
            "time_zone": zone,
        }
        try:
            daemon.create_silence(**ask)
        except SiemsError as why:
            left.append(f"no maintenance window: {why.message}")
    return made, "; ".join(left)


def first_window(days: str, at: str, zone: str, now: datetime) -> datetime:
    """The next time of day `at` in a zone, on one of the days (`daily`, `sat,sun`)."""
    here = now.astimezone(ZoneInfo(zone))
    hour, minute = at.split(":")
    for ahead in range(8):
        day = here.date() + timedelta(days=ahead)
        moment = datetime.combine(day, time(int(hour), int(minute)), tzinfo=ZoneInfo(zone))
        if moment > here and (days == "daily" or DAYS[day.weekday()] in days.split(",")):
            return moment.astimezone(UTC)
    raise AssertionError("a week has every day")


def _expiry(text: str, now: datetime) -> str:
    """The end of a key, RFC 3339: `180d` from now, or a day."""
    if not text:
        return ""
    units = {"d": timedelta(days=1), "w": timedelta(weeks=1), "h": timedelta(hours=1), "m": timedelta(minutes=1)}
    if text[-1] in units and text[:-1].isdigit():
        return (now + int(text[:-1]) * units[text[-1]]).isoformat()
    return datetime.fromisoformat(text).replace(tzinfo=UTC).isoformat()


def deliver_test(made: Mapping[str, Any], daemon: Daemon) -> str:
    """Post a test alert to the webhook's own URL; what came of it, in words."""
    stamp = str(int(datetime.fromisoformat(daemon.server_time()).timestamp()))
    body = json.dumps(TEST).encode()
    headers = {"X-API-Key": made["api_key"], "X-Timestamp": stamp, "Content-Type": "application/json"}
    if made.get("hmac_secret"):
        signed = hmac.digest(made["hmac_secret"].encode(), stamp.encode() + b"." + body, "sha256").hex()
        headers["X-Signature"] = f"sha256={signed}"
    url = urlsplit(made["webhook_url"])
    status, said = Daemon(made["webhook_url"], timeout=10.0).deliver(url.path, body, headers)
    if status != 202:
        return f"{made['webhook_url']} answered {status}: {said.get('detail') or said.get('title') or ''}"
    return f"taken as {said.get('alert_id')} {said.get('incident_id') or ''}"


def person_fault(values: dict[str, str]) -> str:
    """What is wrong with a person's form; "" when nothing is."""
    if "name" in values and not values["name"]:
        return "a name is needed"
    if "@" not in values["email"]:
        return "a mail address is needed"
    if "password" in values and len(values["password"]) < 12:
        return "a password has at least 12 characters"
    return ""


def save_person(daemon: Daemon, one: UserView | None, values: dict[str, str]) -> str:
    """Make or change somebody; what was done, in words."""
    companies = values["companies"].replace(",", " ").split()
    if one is None:
        made = daemon.create_user(
            name=values["name"],
            email=values["email"],
            role=values["role"],
            password=values["password"],
            companies=companies,
        )
        return f"{made.get('name', values['name'])} can log in now"
    have = {ref.removeprefix("comp-") for ref in one.companies}
    want = {ref.removeprefix("comp-") for ref in companies}
    asked: tuple[tuple[str, Any, Any], ...] = (
        ("email", values["email"], one.email), ("role", values["role"], one.role),
        ("skills", values["skills"].replace(",", " ").split(), one.skills),
        ("availability", values["availability"], one.availability),
        ("disabled", values["login"] == "disabled", one.disabled),
        ("add_companies", sorted(want - have), []), ("remove_companies", sorted(have - want), []),
    )  # fmt: skip
    told = {name: now for name, now, before in asked if now != before}
    if not told:
        return "nothing was changed"
    daemon.edit_user(one.id, **told)
    return f"{one.name}: saved"
