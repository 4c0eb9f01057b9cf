"""Groups of incidents that have one cause at several clients: each client keeps an incident and clocks of its own."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from typing import Any

from siems import present
from siems.tui.actions import Deed, Where
from siems.tui.frame import rule
from siems.tui.groups import (
    WAITS,
    Node,
    clients_of,
    names_of,
    numbers_of,
    outcome,
    refs_fault,
    severity_of,
    title_of,
    waits_fault,
    who_of,
    yes_fault,
)
from siems.tui.looks import Line, Piece
from siems.tui.screens.confirm import told
from siems.tui.screens.form import Form, Slot, length
from siems.tui.screens.place import bindings
from siems.tui.screens.roster import Column, Roster
from siems.wire import ParentView

OWN = {"ack": "ack", "note": "note", "resolve": "resolve", "hold": "hold", "close": "close"}
"""Keys of incidents that mean the same for a whole group here."""


class ParentsScreen(Roster[Node]):
    """The groups that are open, and what belongs to them."""

    BINDINGS = bindings(Where.PARENTS)
    WHERE = Where.PARENTS
    NOUNS = ("group", "groups")
    STRIP = 6

    def read(self) -> None:
        self.siems.read_parents()

    def key(self, row: Node) -> str:
        return row.parent.id if row.child is None else f"{row.parent.id}/{row.child.id}"

    def words(self, row: Node) -> str:
        whole = f"{row.parent.id} {row.parent.title} {row.parent.query}"
        return whole if row.child is None else f"{whole} {row.child.id} {row.child.company} {row.child.title}"

    def total(self) -> str:
        groups, clients = {row.parent.id for row in self.all}, {row.child.company_id for row in self.all if row.child}
        return f"{present.plural(len(groups), 'group')} over {present.plural(len(clients), 'client')}"

    def columns(self) -> Sequence[Column[Node]]:
        return (
            Column("ID", 11, self._ref),
            Column("P", 2, lambda n: severity_of(n)),
            Column("STATE", 9, self._state),
            Column("CLIENT", 14, lambda n: (clients_of(n), "")),
            Column("TITLE", 0, lambda n: title_of(n)),
            Column("WHO", 8, lambda n: (who_of(n), "")),
            Column("DUE", 9, self._due, right=True),
            Column("SINCE", 10, self._since, wide=True),
        )

    def _ref(self, row: Node) -> Piece:
        return (row.parent.id, "bold") if row.child is None else (f"  {row.child.id}", "")

    def _state(self, row: Node) -> Piece:
        if row.child is not None:
            return (present.state_short(row.child.state, on_hold=row.child.on_hold), "" if row.child.open else "dim")
        return ("ACKED", "live") if row.parent.acknowledged_at else ("NOT ACKED", "!")

    def _due(self, row: Node) -> Piece:
        now = self.siems.clock.now()
        if row.child is None:
            return (f"{row.parent.open} open", "")
        if row.child.due_at is None:
            return ("-", "dim")
        left = (row.child.due_at - now).total_seconds()
        return (present.duration(left) if left >= 0 else f"-{present.duration(-left)}", "x" if left < 0 else "")

    def _since(self, row: Node) -> Piece:
        at = row.parent.created_at if row.child is None else row.child.added_at
        return (present.ago(at, self.siems.clock.now()), "dim")

    def about(self, row: Node, width: int) -> list[Line]:
        p, scene = row.parent, self.scene()
        lines: list[Line] = [rule(self.siems.looks, width, f"{p.id} {p.title}", "enter opens an incident")]
        acked = f"acknowledged by {present.person(p.acknowledged_by or '')}: what joins calls nobody"
        head = (
            f"{present.plural(len(p.children), 'incident')} of {present.plural(p.companies, 'client')}, {p.open} open"
        )
        lines.append([(head, ""), ("   ", ""), (acked if p.acknowledged_by else "not acknowledged", "dim")])
        if p.query:
            lines.append([("new ones join by ", "dim"), (p.query, "")])
        for one in p.story[-(self.STRIP - len(lines)) :][::-1]:
            text = f"{present.person(one.actor)} {one.text}"
            lines.append([(f"{scene.time(one.at)} ", "dim"), (present.clip(present.safe(text), width - 10), "")])
        return lines

    def nothing(self) -> list[list[Piece]]:
        return [
            [("No cause that several clients share is open.", "bold")],
            [("N", "key"), (" groups incidents: mark them on the board first, or say what new ones join by.", "")],
        ]

    # --- keys -----------------------------------------------------------------------------------------------

    def able(self) -> set[str]:
        """The keys of incidents that mean a group here."""
        return set() if self.siems.read_only or self.current is None else set(OWN)

    def refusal(self, deed: Deed) -> str:
        return self.siems.hands.held_back(deed) or ("" if self.current is not None else "no group is selected")

    def action_deed(self, name: str) -> None:
        deed = OWN.get(name)
        if deed is None:
            super().action_deed(name)
            return
        self.siems.touched()
        if self.current is None:
            self.siems.tell(f"{name}: no group is selected", "error")
        elif self.siems.may_change(name):
            getattr(self, f"group_{deed}")(self.current.parent)

    def clicked_twice(self) -> None:
        self.do_open()

    def do_open(self) -> None:
        row = self.current
        if row is None:
            return
        if row.child is not None:
            self.siems.open_incident(row.child.id)
        else:
            self.siems.tell(f"{row.parent.id}: its incidents stand under it, enter opens one")

    def _act(self, action: str, parent: ParentView, said: str, flags: str = "", **ask: Any) -> None:
        client = self.siems.client

        def job(key: str) -> str:
            return outcome(client.act_on_parent(action, parent.id, idempotency_key=key, **ask), said)

        self.siems.change(job, f"siems parent {action} {parent.id} {flags}".strip(), f"{parent.id}: {said}")

    def _asks(
        self, title: str, verb: str, parent: ParentView, slots: Sequence[Slot], then: Callable[[dict[str, str]], None]
    ) -> None:
        lines: list[Line] = [
            [(parent.id, "bold"), (f"  {present.clip(present.safe(parent.title), 60)}", "")],
            [(f"{parent.open} open of {present.plural(len(parent.children), 'incident')}", "dim"),
             (f", {present.plural(parent.companies, 'client')}: ", "dim"), (names_of(parent), "")],
        ]  # fmt: skip

        def answered(said: dict[str, str] | None) -> None:
            if said is not None:
                then({name: text.strip() for name, text in said.items()})

        self.siems.push_screen(Form(title, verb, slots, lines), answered)

    def group_ack(self, parent: ParentView) -> None:
        """All at once is bulk: it asks."""
        self._asks(
            f" acknowledge {parent.id} ", "acknowledge", parent, (), lambda _: self._act("ack", parent, "acknowledged")
        )

    def group_note(self, parent: ParentView) -> None:
        slots = (
            Slot("note", "n", "note", "what is known", needed=True),
            Slot("children", "c", "into", "yes: into each incident too; name no client then", check=yes_fault),
        )

        def send(said: dict[str, str]) -> None:
            each = bool(said["children"])
            flags = shlex.quote(said["note"]) + (" --children" if each else "")
            self._act("note", parent, "noted", flags, note=said["note"], to_children=each)

        self._asks(f" note {parent.id} ", "note", parent, slots, send)

    def group_resolve(self, parent: ParentView) -> None:
        slots = (
            Slot("note", "n", "note", "what was done", needed=True),
            Slot("cause", "c", "cause", "what it was"),
        )

        def send(said: dict[str, str]) -> None:
            flags = f"--note {shlex.quote(said['note'])}"
            flags += f" --cause {shlex.quote(said['cause'])}" if said["cause"] else ""
            self._act("resolve", parent, "resolved", f"{flags} --yes", note=said["note"], cause=said["cause"])

        self._asks(f" resolve {parent.id} ", "resolve all", parent, slots, send)

    def group_hold(self, parent: ParentView) -> None:
        """Hold all of it; where all that is open is on hold, go on."""
        open_ = [child for child in parent.children if child.open]
        if open_ and all(child.on_hold for child in open_):
            self._asks(
                f" resume {parent.id} ", "resume all", parent, (), lambda _: self._act("resume", parent, "resumed")
            )
            return
        slots = (
            Slot("hold_for", "f", "for", ", ".join(WAITS), needed=True, check=waits_fault),
            Slot("until", "u", "until", "4h, 1d", needed=True, check=lambda text: "" if length(text) else "4h or 1d"),
        )

        def send(said: dict[str, str]) -> None:
            ask = told(said, self.siems.clock.now())
            self._act("hold", parent, "on hold", f"--for {said['hold_for']} --until {said['until']}", **ask)

        self._asks(f" hold {parent.id} ", "hold all", parent, slots, send)

    def group_close(self, parent: ParentView) -> None:
        self._asks(
            f" close {parent.id} ", "close the group", parent, (), lambda _: self._act("close", parent, "closed")
        )

    def do_join(self) -> None:
        """More incidents of it: those that are marked on the board, unless others are named."""
        if self.current is None:
            return
        parent = self.current.parent
        slot = Slot("ids", "i", "add", "INC-12 INC-14", needed=True, value=self._marked(), check=refs_fault)

        def send(said: dict[str, str]) -> None:
            refs = numbers_of(said["ids"])
            self._act("add", parent, "added", " ".join(refs), incidents=refs)

        self._asks(f" join {parent.id} ", "add them", parent, (slot,), send)

    def do_leave(self) -> None:
        """The incident under the cursor is on its own again."""
        row = self.current
        if row is None or row.child is None:
            self.siems.tell("leave: select an incident of a group first", "error")
            return
        ref, parent = row.child.id, row.parent
        self._asks(
            f" {ref} leaves {parent.id} ", f"take {ref} out", parent, (),
            lambda _: self._act("remove", parent, f"{ref} taken out", ref, incidents=[ref]),
        )  # fmt: skip

    def do_new(self) -> None:
        if not self.siems.may_change("grouping"):
            return
        slots = (
            Slot("title", "t", "title", "technicians of these clients read it"),
            Slot("ids", "i", "of", "INC-3 INC-9; marked ones stand here", value=self._marked(), check=refs_fault),
            Slot("query", "m", "match", "signature:vpn_down severity:>=HIGH: what new ones join by"),
        )

        def answered(said: dict[str, str] | None) -> None:
            if said is None:
                return
            words = {name: text.strip() for name, text in said.items()}
            refs, client = numbers_of(words["ids"]), self.siems.client
            if not refs and not words["query"]:
                self.siems.tell("a group needs incidents, or what new ones join by", "error")
                return
            flags = [*refs]
            flags += ["--match", shlex.quote(words["query"])] if words["query"] else []
            flags += ["--title", shlex.quote(words["title"])] if words["title"] else []

            def job(key: str) -> str:
                ask = {"title": words["title"], "query": words["query"], "incidents": refs}
                return outcome(client.create_parent(idempotency_key=key, **ask), "grouped")

            self.siems.change(job, f"siems parent create {' '.join(flags)}", "grouped")

        self.siems.push_screen(Form(" one cause at several clients ", "group them", slots), answered)

    def _marked(self) -> str:
        return " ".join(sorted(self.siems.model.marks, key=lambda ref: int(ref.rpartition("-")[2] or 0)))
