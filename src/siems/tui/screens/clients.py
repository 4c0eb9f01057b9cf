"""The clients: how each is doing, what is set, and the way to make a new one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from types import MappingProxyType

from siems import present
from siems.tui import drafts
from siems.tui.actions import Where
from siems.tui.frame import rule
from siems.tui.looks import Line, Piece
from siems.tui.screens.place import bindings
from siems.tui.screens.roster import Column, Roster
from siems.wire import CompanyView, IntegrationView

OLD_KEY = timedelta(days=365)
ENDS_SOON = timedelta(days=14)


@dataclass
class Client:
    """A client with its ways in, and the name of its policy."""

    view: CompanyView
    policy: str = "default"
    ways: list[IntegrationView] = field(default_factory=list)
    told: bool = True
    """Whether the reader may know of keys and policies."""

    @property
    def heard(self) -> IntegrationView | None:
        """The way in that something came by last."""
        seen = [way for way in self.ways if way.last_seen_at]
        return max(seen, key=lambda way: way.last_seen_at or way.created_at, default=None)

    @property
    def live(self) -> list[IntegrationView]:
        return [way for way in self.ways if not way.revoked_at]

    @property
    def refused(self) -> IntegrationView | None:
        found = [way for way in self.ways if way.refused_at]
        return max(found, key=lambda way: way.refused_at or way.created_at, default=None)


class ClientsScreen(Roster[Client]):
    """Screen 6."""

    BINDINGS = bindings(Where.CLIENTS)
    WHERE = Where.CLIENTS
    NOUNS = ("company", "companies")
    STRIP = 5
    NEEDS = MappingProxyType({
        "new": "administer", "edit": "company_settings", "setup": "company_settings", "rotate": "company_settings",
    })  # fmt: skip

    def read(self) -> None:
        self.siems.read_clients()

    def key(self, row: Client) -> str:
        return row.view.id

    def words(self, row: Client) -> str:
        return f"{row.view.id} {row.view.name} {row.view.sla_plan.tier} {self._health(row)[0]}"

    def columns(self) -> Sequence[Column[Client]]:
        return (
            Column("NAME", 0, lambda c: (c.view.name, "bold")),
            Column("SLA", 9, lambda c: (c.view.sla_plan.tier, "")),
            Column("OPEN", 4, lambda c: (str(c.view.open_incidents), ""), right=True),
            Column("BRCH", 4, lambda c: (str(c.view.breached), "x" if c.view.breached else "dim"), right=True),
            Column("ZONE", 16, lambda c: (c.view.sla_plan.time_zone, ""), wide=True),
            Column("POLICY", 14, lambda c: (c.policy, ""), wide=True),
            Column(
                "LAST ALERT",
                10,
                lambda c: (self._heard(c), ""),
            ),
            Column("KEY AGE", 7, lambda c: (self._age(c), "dim"), right=True),
            Column("HEALTH", 12, self._health),
        )

    def _heard(self, row: Client) -> str:
        times = (row.view.last_alert_at, row.heard.last_seen_at if row.heard else None)
        at = max((at for at in times if at is not None), default=None)
        return present.ago(at, self.siems.clock.now()) if at else "never" if row.told else "-"

    def _age(self, row: Client) -> str:
        oldest = min((way.created_at for way in row.live), default=None)
        return "-" if oldest is None else f"{(self.siems.clock.now() - oldest).days}d"

    def _health(self, row: Client) -> Piece:
        now = self.siems.clock.now()
        if not row.view.active:
            return ("inactive", "dim")
        if not row.told:
            return ("shadow", "stale") if row.view.paging == "shadow" else ("", "")
        if not row.live:
            return ("NO KEY", "x")
        if row.heard is None:
            return ("NO ALERTS", "stale")
        if any(way.expires_at and way.expires_at - now < ENDS_SOON for way in row.live):
            return ("key ends", "stale")
        if row.refused is not None and row.refused.refused_at and now - row.refused.refused_at < timedelta(days=1):
            return ("refusals", "stale")
        if row.view.paging == "shadow":
            return ("shadow", "stale")
        if any(now - way.created_at > OLD_KEY for way in row.live):
            return ("old key", "~")
        return ("ok", "v")

    def about(self, row: Client, width: int) -> list[Line]:
        c, scene = row.view, self.scene()
        k, plan = c.correlation, c.sla_plan
        lines: list[Line] = [rule(self.siems.looks, width, c.name, "" if "edit" in self.idle() else "enter edit")]
        signed = [f"{way.tool} {way.key_hint}{' signed' if way.signing == 'required' else ''}" for way in row.live[:4]]
        more = f" and {len(row.live) - 4} more" if len(row.live) > 4 else ""
        if row.told:
            lines.append([("ways in ", "dim"), (", ".join(signed) + more if signed else "none", "")])
        hours = f"{plan.calendar.hours} {plan.calendar.time_zone}" if plan.calendar else "24x7"
        lines.append(
            [
                ("clock ", "dim"),
                (f"{plan.tier}, {hours}", ""),
                *([("   policy ", "dim"), (row.policy, "")] if row.told else []),
            ]
        )
        how = f"{k.strategy}, {k.window_minutes} min, minimum {k.min_alerts}" if k.enabled else "off"
        lines.append(
            [
                ("correlation ", "dim"),
                (how, ""),
                ("   paging ", "dim"),
                (c.paging, "stale" if c.paging == "shadow" else ""),
                ("   rate ", "dim"),
                (f"{c.rate_per_minute}/min, burst {c.burst}", ""),
            ]
        )
        worst = row.refused
        if worst is not None and worst.refused_at is not None:
            lines.append(
                [
                    ("last refusal ", "dim"),
                    (f"{scene.time(worst.refused_at)} {worst.refused_cause}", "stale"),
                    (f" ({worst.tool})", "dim"),
                ]
            )
        return lines

    def nothing(self) -> list[list[Piece]]:
        if not self.siems.may("administer"):
            who = self.siems.me.user.id.removeprefix("user-") if self.siems.me else "NAME"
            return [
                [("You work for no client yet.", "bold")],
                [("An admin changes that:  ", ""), (f"siems user edit {who} --add-company CLIENT", "key")],
            ]
        return [
            [("No client yet.", "bold")],
            [("N", "key"), (" makes the first one: a name, a time zone and a tier are enough.", "")],
        ]

    # --- keys -----------------------------------------------------------------------------------------------

    def clicked_twice(self) -> None:
        self.do_edit()

    def do_new(self) -> None:
        app = self.siems
        if not app.may("administer"):
            app.tell("onboarding a client is an admin's", "error")
        elif app.read_only:
            app.tell("onboarding is off: this session is read only", "error")
        else:
            app.open_wizard(drafts.kept())

    def do_edit(self) -> None:
        if self.current is not None:
            self.siems.open_wizard(drafts.of(self.current.view, self.current.policy))

    def do_setup(self) -> None:
        """A key and instructions for a tool of this client."""
        if self.current is not None and self.siems.may_change("a new key"):
            self.siems.choose_tool(self.current.view)

    def do_rotate(self) -> None:
        row = self.current
        if row is None or not self.siems.may_change("rotation"):
            return
        if not row.live:
            self.siems.tell(f"{row.view.name} has no key: I makes one", "error")
        else:
            self.siems.rotate(row.view, row.live)

    def do_only(self) -> None:
        """The incidents of this client."""
        if self.current is not None:
            self.siems.do_board()
            self.siems.set_filter(f"#{self.current.view.id.removeprefix('comp-')}")
