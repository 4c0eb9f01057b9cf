"""From a key to an order: why it cannot be, what must be asked first, and off it goes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from siems.tui import desk
from siems.tui.actions import BY_ID, Deed, Level
from siems.tui.desk import Order, Target
from siems.tui.screens.choose import AssignTo
from siems.tui.screens.confirm import Confirm, told
from siems.wire import IncidentView, UserView

if TYPE_CHECKING:
    from siems.tui.app import SiemsApp


class Hands:
    """What the app does with keys that change something."""

    def __init__(self, app: SiemsApp) -> None:
        self.app = app
        self.noting: Sequence[Target] = ()

    def refusal(self, deed: Deed, views: Sequence[IncidentView]) -> str:
        """Why an action cannot be asked for now, or nothing. The daemon says what an incident allows."""
        if why := self.held_back(deed):
            return why
        if not views:
            return f"{deed.needs}: no incident is selected"
        blocked = [view for view in views if deed.needs not in view.actions]
        if len(blocked) == len(views):
            view = blocked[0]
            able = ", ".join(view.actions[:6]) or "nothing"
            if deed.needs == "hold" and "ack" in view.actions and view.state in ("OPEN", "ASSIGNED"):
                return f"hold needs an ack first: nobody has acknowledged {view.id}"
            return f"{deed.needs} is not possible: {view.id} is {view.state}; possible: {able}"
        return ""

    def held_back(self, deed: Deed) -> str:
        """Why nothing can be changed at all, or nothing."""
        if self.app.read_only:
            return f"{deed.needs} is off: this session is read only"
        if not self.app.state.up:
            return f"{deed.needs} needs the daemon; it is unreachable (ctrl+r retry)"
        return ""

    def ask(self, deed: Deed, views: Sequence[IncidentView], *, bulk: bool = False) -> None:
        """A key of an action was pressed: targets and versions are those of this moment.

        `bulk` when marks decide what is meant, so that nothing happens to rows out of sight unasked.
        """
        if deed.id == "hold" and views and all(view.on_hold for view in views):
            deed = BY_ID["resume"]
        why = self.refusal(deed, views)
        if why:
            self.app.tell(why, "error")
            return
        waiting = [view.id for view in views if self.app.desk.pending.get(view.id, "").endswith("..")]
        if waiting:
            self.app.tell(f"{waiting[0]} is still being written; wait for its answer", "error")
            return
        targets = [desk.target(view) for view in views if deed.needs in view.actions]
        left = len(views) - len(targets)
        if left:
            self.app.tell(f"{left} of {len(views)} marked do not allow {deed.needs} and are left out")
        bulk = bulk or len(views) > 1
        if self.app.armed and deed.id not in ("assign", "note"):
            bulk = True  # an armed context asks before everything
        if deed.id == "assign":
            self._assign(deed, targets, bulk=bulk)
        elif deed.id == "note" and not bulk:
            self.noting = targets
            self.app.prompt_note(targets[0].ref)
        elif deed.level is Level.CONFIRM or bulk:
            self._confirm(deed, targets, {"to": "@me"} if deed.id == "take" else {})
        else:
            self.send(Order(deed, targets, {"to": "@me"} if deed.id == "take" else {}))

    def _confirm(self, deed: Deed, targets: Sequence[Target], fields: dict[str, Any], *, to: str = "") -> None:
        def answered(values: dict[str, str] | None) -> None:
            if values is not None:
                values.pop("confirm", None)
                self.send(Order(deed, targets, fields | told(values, self.app.clock.now())))

        self.app.push_screen(Confirm(deed, targets, to=to, typed=self._typed(deed, targets)), answered)

    def _typed(self, deed: Deed, targets: Sequence[Target]) -> str:
        """What must be typed before a severe act: the client's name, or the context's where it is about several."""
        if not (deed.level is Level.SEVERE or (self.app.armed and (deed.level is Level.CONFIRM or len(targets) > 1))):
            return ""
        clients = {one.company_id for one in targets}
        return clients.pop().removeprefix("comp-") if len(clients) == 1 else self.app.context

    def _assign(self, deed: Deed, targets: Sequence[Target], *, bulk: bool) -> None:
        def chosen(person: UserView | None) -> None:
            if person is None:
                return
            if bulk or self.app.armed:
                self._confirm(deed, targets, {"to": person.id}, to=person.name)
            else:
                self.send(Order(deed, targets, {"to": person.id}))

        me = self.app.me.user.id if self.app.me else ""
        self.app.push_screen(AssignTo(targets, me, others=self.app.may("assign_others")), chosen)
        self.app.link.read_people()

    def note(self, text: str) -> None:
        """The note that was typed is sent; an empty one is not."""
        targets, self.noting = self.noting, ()
        if not targets:
            return
        if text.strip():
            self.send(Order(BY_ID["note"], targets, {"note": text.strip()}))
        else:
            self.app.tell("nothing noted")

    def undo(self) -> None:
        """Take back what was done last, while that is possible."""
        last = self.app.desk.undoable(self.app.clock.now())
        if last is None:
            self.app.tell("nothing to undo: an act can be taken back for 10 s")
        elif self.app.read_only or not self.app.state.up:
            self.app.tell(self.refusal(BY_ID["undo"], []), "error")
        else:
            self.send(Order(desk.UNDO, last.targets))

    def undo_of(self, ref: str) -> None:
        """Take back what was done to this incident; the daemon says whether it still can be. Without one: the last."""
        last = self.app.desk.undoable(self.app.clock.now())
        if not ref or (last is not None and ref in {one.ref for one in last.targets}):
            self.undo()
        elif why := self.held_back(BY_ID["undo"]):
            self.app.tell(why, "error")
        else:
            self.send(Order(desk.UNDO, (Target(ref, None),)))

    def send(self, order: Order) -> None:
        """Off to the acting lane; the rows show that they wait."""
        app = self.app
        if not app.state.up:
            app.tell(f"{order.deed.needs} was not sent: the daemon is unreachable", "error")
            return
        app.desk.begin(order, app.clock.now())
        app.link.acts.put("", lambda: desk.carry_out(app.client, order, app.post_message))
        app.repaint_all()

    def look_up(self) -> None:
        """After a return: ask what became of the writes whose answers were lost."""
        app = self.app
        keys = list(app.desk.unknown)
        if keys:
            app.link.acts.put("look-up", lambda: desk.look_up(app.client, keys, app.post_message))
