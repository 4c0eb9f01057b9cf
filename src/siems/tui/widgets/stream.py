"""The rows of the alert stream: when, how bad, whose, from where, about what, and where it went."""

from __future__ import annotations

from dataclasses import dataclass

from siems import present
from siems.tui.arrivals import Arrivals
from siems.tui.looks import Looks, Piece
from siems.tui.panes import Scene
from siems.tui.widgets.window import Window
from siems.wire import ArrivalView

TIME, SEVERITY, ROOM = 8, 3, 18


@dataclass(frozen=True, slots=True)
class Columns:
    """How wide each column is; 0 leaves it out."""

    company: int
    source: int
    device: int
    rule: int
    message: int
    to: int


def columns(width: int, *, to: int = 10) -> Columns:
    """Columns for a list of this width: RULE, SOURCE, COMPANY and DEVICE give way to the message."""
    company, source, device, rule = (12, 9, 12, 0) if width < 110 else (16, 12, 18, 15)
    for drop in range(4):
        kept = (company if drop < 2 else 0, source if drop < 1 else 0, device if drop < 3 else 0, rule)
        message = width - 1 - TIME - 1 - SEVERITY - 1 - to - 1 - sum(size + 1 for size in kept if size)
        if message >= ROOM or drop == 3:
            return Columns(*kept, max(1, message), to)
    raise AssertionError("the last round returns")


def heading(shape: Columns) -> list[Piece]:
    """The words over the columns."""
    words = [f" {'TIME':<{TIME}}", f"{'SEV':<{SEVERITY}}"]
    named = (("COMPANY", shape.company), ("SOURCE", shape.source), ("DEVICE", shape.device), ("RULE", shape.rule))
    words += [present.fit(name, size) for name, size in named if size]
    words += [present.fit("MESSAGE", shape.message), present.fit("INCIDENT", shape.to)]
    return [(" ".join(words), "head")]


def moment(row: ArrivalView, scene: Scene) -> str:
    """`14:02:31` today, `Mo 14:02` on another day."""
    there, here = row.at.astimezone(scene.zone), scene.now.astimezone(scene.zone)
    if there.date() == here.date():
        return present.clock_time(row.at, scene.zone)
    return f"{there:%a}"[:2] + f" {there:%H:%M}"


def severity(row: ArrivalView) -> Piece:
    """`CR`, `ok` for what is over, `rej` for what was refused."""
    if row.alert is None:
        return "rej", "stale"
    if row.kind == "recovered":
        return "ok", "v"
    return present.severity_short(row.alert.severity), row.alert.severity


def whither(row: ArrivalView, looks: Looks) -> Piece:
    """Where it went, in words: an incident, or why there is none."""
    if row.alert is None:
        return "refused", "stale"
    if row.incident_id or row.alert.incident_id:
        return f"{looks.arrow} {present.safe((row.incident_id or row.alert.incident_id or '')[:20])}", ""
    if row.alert.suppressed_by or row.alert.status == "suppressed":
        return "silenced", "dim"
    return ("over", "dim") if row.alert.status == "resolved" else ("waits", "dim")


def text_of(row: ArrivalView) -> str:
    """What it says, safe."""
    if row.refusal is not None:
        return present.safe(f"{row.refusal.cause}: {row.refusal.detail}"[:300])
    assert row.alert is not None
    over = "over: " if row.kind == "recovered" else ""
    return over + present.safe((row.alert.message or row.alert.signature)[:300])


def times(row: ArrivalView) -> str:
    """` x4` for what came more than once."""
    return f" x{row.count}" if row.count > 1 and row.kind != "recovered" else ""


def line(row: ArrivalView, shape: Columns, scene: Scene, *, here: bool = False) -> list[Piece]:
    """One row. Severity and fate are always words; colour only underlines them."""
    looks, (sev, role) = scene.looks, severity(row)
    calm = row.kind in ("repeated", "recovered")
    pieces: list[Piece] = [
        (">" if here else " ", "mark"), (present.fit(moment(row, scene), TIME) + " ", "dim"),
        (present.fit(sev, SEVERITY) + " ", role),
    ]  # fmt: skip
    source = row.refusal.source if row.refusal else row.alert.tool_source if row.alert else ""
    device = row.refusal.address if row.refusal else row.alert.asset_name if row.alert else ""
    rule = row.alert.rule if row.alert else ""
    cells = (row.company, shape.company), (source, shape.source), (device, shape.device), (rule or "-", shape.rule)
    pieces += [(present.cell(text, size, mark=looks.cut) + " ", "") for text, size in cells if size]
    many = times(row)
    room = max(0, shape.message - len(many))
    said = present.clip(text_of(row), room, mark=looks.cut)
    pieces += [(said, "dim" if calm else ""), (many, "bold")]
    pieces.append((" " * (room - present.cell_width(said) + 1), ""))
    where, look = whither(row, looks)
    return [*pieces, (present.fit(where, shape.to), look)]


class Stream(Window):
    """The rows of the alert stream that are in its window."""

    def __init__(self, arrivals: Arrivals, looks: Looks) -> None:
        super().__init__(looks, id="stream")
        self.arrivals = arrivals
        self.shape = columns(80)
        self.scene: Scene | None = None

    def line(self, y: int) -> tuple[list[Piece], str]:
        row = self.arrivals.at(y)
        if row is None or self.scene is None:
            return (self.empty[y - 1] if not len(self.arrivals) and 0 < y <= len(self.empty) else []), ""
        here = row.cursor == self.arrivals.cursor
        return line(row, self.shape, self.scene, here=here), "cursor" if here else ""

    def show(self, scene: Scene) -> None:
        """Draw the window as it is now."""
        self.scene = scene
        widest = max((len(whither(row, self.looks)[0]) for y in range(self.size.height)
                      if (row := self.arrivals.at(y)) is not None), default=0)  # fmt: skip
        self.shape = columns(self.size.width, to=max(8, min(13, widest)))
        self.repaint()
