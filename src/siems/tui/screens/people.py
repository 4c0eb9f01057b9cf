"""The people: who they are, whom they work for, whether they can take something, and a form to change that."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import MappingProxyType

from textual.app import ComposeResult

from siems import present
from siems.tui.actions import Where
from siems.tui.frame import rule
from siems.tui.looks import Line, wrap
from siems.tui.screens.overlay import Overlay
from siems.tui.screens.place import bindings
from siems.tui.screens.roster import Column, Roster
from siems.tui.widgets.choice import Choice
from siems.tui.widgets.field import Field
from siems.wire import UserView

ROLES = ("technician", "manager", "admin", "client")
AVAILABILITIES = ("available", "busy", "away")


def scope(one: UserView) -> str:
    """Whom somebody works for, in words."""
    if one.role == "admin":
        return "all clients"
    return ", ".join(ref.removeprefix("comp-") for ref in one.companies) or "nobody yet"


class PeopleScreen(Roster[UserView]):
    """Users: of the whole MSP for admins, of their clients for others."""

    BINDINGS = bindings(Where.PEOPLE)
    WHERE = Where.PEOPLE
    NOUNS = ("user", "users")
    NEEDS = MappingProxyType({"new": "company_settings", "edit": "company_settings", "expire": "company_settings"})

    def read(self) -> None:
        self.siems.read_users()

    def key(self, row: UserView) -> str:
        return row.id

    def words(self, row: UserView) -> str:
        return f"{row.id} {row.name} {row.email} {row.role} {scope(row)} {' '.join(row.skills)} {row.availability}"

    def columns(self) -> Sequence[Column[UserView]]:
        return (
            Column("NAME", 18, lambda u: (u.name, "dim" if u.disabled else "bold")),
            Column("ROLE", 10, lambda u: (u.role, "")),
            Column(
                "NOW",
                9,
                lambda u: (
                    ("disabled", "dim")
                    if u.disabled
                    else (u.availability, "" if u.availability == "available" else "stale")
                ),
            ),
            Column("OPEN", 4, lambda u: (str(u.open_incidents), ""), right=True),
            Column("WORKS FOR", 0, lambda u: (scope(u), "")),
            Column("SKILLS", 0, lambda u: (", ".join(u.skills), "dim"), wide=True),
        )

    def about(self, row: UserView, width: int) -> list[Line]:
        taken = (
            f"last given something {present.ago(row.assigned_at, self.siems.clock.now())}"
            if row.assigned_at
            else "never given anything yet"
        )
        return [
            rule(self.siems.looks, width, f"{row.name} ({row.id})", "enter edit"),
            [("mail ", "dim"), (row.email, ""), ("   works for ", "dim"), (scope(row), "")],
            [("skills ", "dim"), (", ".join(row.skills) or "none named", ""), ("   ", ""), (taken, "dim")],
        ]

    def clicked_twice(self) -> None:
        self.do_edit()

    def do_edit(self) -> None:
        if self.current is not None and self.siems.may_change("changing people"):
            self.siems.edit_person(self.current)

    def do_new(self) -> None:
        if self.siems.may_change("new people"):
            self.siems.edit_person(None)


class PersonForm(Overlay[None]):
    """One person's form; `y` outside a field sends what stands in it, and it stays until the daemon has taken it."""

    WIDTH = 78

    def __init__(
        self, one: UserView | None, check: Callable[[dict[str, str]], str], send: Callable[[dict[str, str]], None]
    ) -> None:
        super().__init__(f" {one.name} " if one else " new person ")
        self.one, self.check, self.send = one, check, send
        self.complaint, self.sending = "", False

    def compose_fields(self) -> ComposeResult:
        looks, one = self.siems.looks, self.one
        yield from (
            []
            if one
            else [
                Field(looks, f"{'Name':<14}", hint="Jon Berg", id="f-name"),
                Field(
                    looks,
                    f"{'Password':<14}",
                    hint="at least 12 characters; they can change it",
                    id="f-password",
                    masked=True,
                ),
            ]
        )
        yield Field(looks, f"{'Mail':<14}", value=one.email if one else "", hint="jon@msp.example", id="f-email")
        yield Choice(looks, f"{'Role':<14}", ROLES, value=one.role if one else "technician", id="f-role")
        companies = " ".join(ref.removeprefix("comp-") for ref in one.companies) if one else ""
        yield Field(
            looks, f"{'Works for':<14}", value=companies, hint="acme borealis; an admin for all", id="f-companies"
        )
        if one:
            yield Field(
                looks, f"{'Skills':<14}", value=" ".join(one.skills), hint="network disk database", id="f-skills"
            )
            yield Choice(looks, f"{'Now':<14}", AVAILABILITIES, value=one.availability, id="f-availability")
            yield Choice(
                looks,
                f"{'Login':<14}",
                ("enabled", "disabled"),
                value="disabled" if one.disabled else "enabled",
                id="f-login",
            )

    def on_mount(self) -> None:
        super().on_mount()
        for field in self.query(Field):
            field.awake = lambda: self.awake
        self.query(Field).first().focus()

    def values(self) -> dict[str, str]:
        return {(field.id or "").removeprefix("f-"): field.value.strip() for field in self.query(Field)}

    def foot(self) -> Sequence[Line]:
        lines: list[Line] = [[]]
        if self.complaint:
            lines += [[(part, "error")] for part in wrap(self.complaint, self.width)]
        typing = self.focused is not None
        first: Line = (
            [("tab", "key"), (" next   ", ""), ("space", "key"), (" choose   ", ""), ("esc", "key"), (" done", "")]
            if typing
            else [("y", "key"), (" save   ", ""), ("tab", "key"), (" change   ", ""), ("esc", "key"), (" leave it", "")]
        )
        return [*lines, first]

    def on_field_entered(self, event: Field.Entered) -> None:
        event.stop()
        fields = list(self.query(Field))
        at = fields.index(event.field) + 1
        if at < len(fields):
            fields[at].focus()
        else:
            self.set_focus(None)
        self.repaint()

    def on_field_moved(self, event: Field.Moved) -> None:
        event.stop()
        fields = list(self.query(Field))
        fields[(fields.index(event.field) + (1 if event.key == "down" else -1)) % len(fields)].focus()

    def on_field_left(self, event: Field.Left) -> None:
        event.stop()
        if self.awake:
            self.set_focus(None)
            self.repaint()

    def refused(self, why: str) -> None:
        """The daemon did not take it: everything that was typed is still here."""
        self.sending, self.complaint = False, why
        self.repaint()

    def key_pressed(self, key: str) -> None:
        if key == "y":
            values = self.values()
            self.complaint = self.check(values)
            if not self.complaint and not self.sending and self.siems.may_change("saving"):
                self.sending = True
                self.send(values)
            self.repaint()
        else:
            super().key_pressed(key)
