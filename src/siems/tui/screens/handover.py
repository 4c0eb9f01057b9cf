"""What is shown once: keys and secrets of a way in, how to set its tool up, and the wait for its first alert."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from textual import events
from textual.app import ComposeResult

from siems import present
from siems.tui.looks import Line, Piece, wrap
from siems.tui.screens.overlay import Overlay
from siems.tui.widgets.field import Field
from siems.wire import IntegrationView

HIDDEN = 8
"""So many characters of a secret are shown while it is hidden."""
POLL = 3.0

SIGNED = """\
ts=$(date +%s); body='{{"asset_name":"web-01","signature":"test_alert","severity":"low","message":"hello"}}'
sig=$(printf '%s.%s' "$ts" "$body" | openssl dgst -sha256 -hmac '{secret}' -r | cut -d' ' -f1)
curl -fsS '{url}' -H 'X-API-Key: {key}' -H "X-Timestamp: $ts" \\
  -H "X-Signature: sha256=$sig" -H 'Content-Type: application/json' --data-raw "$body"
"""
UNSIGNED = """\
curl -fsS '{url}' -H 'X-API-Key: {key}' -H 'Content-Type: application/json' \\
  --data-raw '{{"asset_name":"web-01","signature":"test_alert","severity":"low","message":"hello"}}'
"""


def _plain(text: str) -> str:
    """A part of a file's name: nothing that leads into another folder."""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", text)[:60]


def _quoted(text: str) -> str:
    """For a shell, always in quotes."""
    return "'" + text.replace("'", "'\"'\"'") + "'"


class Handover(Overlay[None]):
    """`made` is `wire.Onboarded` or `wire.IntegrationAdded` as it came. It is left by a word while nothing was kept."""

    WIDTH = 100

    def __init__(self, made: Mapping[str, Any], title: str) -> None:
        super().__init__(f" {title} ")
        self.made = made
        self.shown = self.saved = False
        self._copied: set[str] = set()
        self.first: IntegrationView | None = None
        self.said = ""
        self.top = 0
        self._polled = 0.0

    def compose_fields(self) -> ComposeResult:
        field = Field(self.siems.looks, "leave: ", hint='type "saved": the secrets cannot be shown again', id="leave")
        field.display = False
        yield field

    # --- what it holds ----------------------------------------------------------------------------------------

    @property
    def _integration(self) -> str:
        return str(self.made.get("integration_id") or "")

    @property
    def things(self) -> list[tuple[str, str]]:
        """What can be copied, in the order of its digits."""
        made = self.made
        key, secret = made.get("api_key") or "", made.get("hmac_secret") or ""
        found = [("Webhook URL", made.get("webhook_url") or ""), ("API key", key), ("HMAC secret", secret),
                 ("Mail address", made.get("mail_address") or ""), ("Queue", made.get("queue_url") or "")]  # fmt: skip
        setup = made.get("setup")
        if setup and setup.get("snippet"):
            found.append((setup.get("snippet_name") or "Snippet", setup["snippet"]))
        elif key:
            form = SIGNED if secret else UNSIGNED
            found.append(("curl", form.format(url=made["webhook_url"], key=key, secret=secret)))
        return [(name, text) for name, text in found if text]

    @property
    def _secrets(self) -> list[str]:
        return [text for name in ("hmac_secret", "api_key") if (text := self.made.get(name))]

    def _masked(self, text: str) -> str:
        if self.shown:
            return text
        for one in self._secrets:
            text = text.replace(one, f"{one[:HIDDEN]}...")
        return text

    # --- painting -------------------------------------------------------------------------------------------

    def content(self) -> Sequence[Line]:
        lines: list[Line] = []
        if self._secrets:
            lines += [[("These secrets are shown ONCE: keys are kept as hashes, secrets encrypted.", "stale")], []]
        for number, (name, text) in enumerate(self.things, 1):
            shown = self._masked(text)
            if "\n" in shown.strip():
                lines.append([(f" {number} ", "key"), (name, "bold")])
                for source in shown.rstrip().splitlines():
                    deep = 3 + min(20, len(source) - len(source.lstrip(" ")))
                    parts = wrap(source.strip(), self.width - deep)
                    lines += [[(" " * deep + part, "")] for part in parts]
            else:
                lines.append([(f" {number} ", "key"), (f"{name:<12} ", "dim"), (present.safe(shown), "")])
        if self.made.get("awaits_secret"):
            lines += [
                [],
                [("The tool makes the signing secret; until siems has it, all is refused:", "stale")],
                [(f"   siems integration rotate {self._integration} --what hmac --secret-file -", "")],
            ]
        setup = self.made.get("setup")
        if setup:
            lines.append([])
            for number, step in enumerate(setup["steps"], 1):
                parts = wrap(self._masked(step), self.width - 5)
                lines += [
                    [(f"{number:>2}. " if at == 0 else "    ", "dim"), (part, "")] for at, part in enumerate(parts)
                ]
        room = max(3, self.room - 6)
        self.top = max(0, min(self.top, len(lines) - room))
        cut = lines[self.top : self.top + room]
        if len(lines) > room:
            cut = [
                *cut[:-1],
                [(f" -- lines {self.top + 1} to {self.top + room - 1} of {len(lines)}; j k scroll --", "dim")],
            ]
        return cut

    def foot(self) -> Sequence[Line]:
        lines: list[Line] = [[], self._waiting()]
        if self.said:
            lines += [[(part, "stale")] for part in wrap(self.said, self.width)]
        keys: list[Piece] = [
            (f"1-{len(self.things)}", "key"),
            (" copy  ", ""),
            ("v", "key"),
            (" hide  " if self.shown else " show  ", ""),
        ]
        if self.made.get("api_key"):
            keys += [("w", "key"), (" write a file  ", "")]
        if self._can_try:
            keys += [("t", "key"), (" send a test from here  ", "")]
        return [*lines, [*keys, ("esc", "key"), (" leave", "")]]

    @property
    def _can_try(self) -> bool:
        return bool(self.made.get("api_key")) and self.made.get("tool", "generic") == "generic"

    def _waiting(self) -> Line:
        one = self.first
        if one is None or one.last_seen_at is None:
            why = f"   last refused: {one.refused_cause}" if one is not None and one.refused_cause else ""
            return [(" waiting for the first alert ...", "dim"), (why, "stale")]
        seen = one.last_seen
        what = (
            f"{seen.severity} {seen.asset_name}: {seen.signature}" if seen is not None and seen.alerts else "a message"
        )
        return [
            (" v ", "v"),
            ("it arrived: ", "bold"),
            (present.safe(what), ""),
            (f"  {self.siems.looks.arrow} {seen.incident_id}" if seen is not None and seen.incident_id else "", "key"),
        ]

    def tick(self) -> None:
        now = self.siems.monotonic()
        if self._integration and self.siems.state.up and now - self._polled >= POLL:
            self._polled = now
            self.siems.read_way(self._integration)

    def heard(self, way: IntegrationView) -> None:
        """How the way in stands now."""
        if way.id == self._integration:
            self.first = way
            self.repaint()

    # --- keys -----------------------------------------------------------------------------------------------

    def on_key(self, event: events.Key) -> None:
        if self.focused is None and event.key in ("escape", "ctrl+c", "q"):
            event.stop()
            event.prevent_default()
            if self.awake:
                self._leave()
        else:
            super().on_key(event)

    def _leave(self) -> None:
        if self.saved or not self._secrets:
            self.dismiss(None)
            return
        field = self.query_one("#leave", Field)
        field.display = True
        field.focus()
        self.repaint()

    def on_field_entered(self, event: Field.Entered) -> None:
        event.stop()
        if event.value.strip().lower() == "saved":
            self.dismiss(None)
        else:
            self.said = 'leaving needs the word "saved"'
            self._stay()

    def on_field_left(self, event: Field.Left) -> None:
        event.stop()
        self._stay()

    def _stay(self) -> None:
        field = self.query_one("#leave", Field)
        field.set("")
        field.display = False
        self.set_focus(None)
        self.repaint()

    def key_pressed(self, key: str) -> None:
        if key.isdigit() and 0 < int(key) <= len(self.things):
            name, text = self.things[int(key) - 1]
            self.siems.copy(text)
            self._copied |= {secret for secret in self._secrets if secret in text}
            self.saved = self.saved or self._copied == set(self._secrets)
            self.said = f"copied: {name}. Where the terminal blocks that: w writes a file"
        elif key == "v":
            self.shown = not self.shown
        elif key == "w" and self.made.get("api_key"):
            self._write()
        elif key == "t" and self._can_try:
            self.said = "sending a test ..."
            self.siems.try_way(self.made)
        elif key in ("j", "down", "k", "up", "pagedown", "pageup"):
            step = 1 if key in ("j", "down") else -1 if key in ("k", "up") else (10 if key == "pagedown" else -10)
            self.top = max(0, self.top + step)
        else:
            return
        self.repaint()

    def told(self, said: str) -> None:
        """What became of the test."""
        self.said = said
        self._polled = 0.0
        self.repaint()

    def _write(self) -> None:
        """Into a file that only its owner reads; one that exists is never written over."""
        made = self.made
        slug = _plain(str(made.get("company_id") or "client").removeprefix("comp-"))
        tool = _plain(made.get("tool") or "")
        path = Path.cwd() / f"{slug}{f'-{tool}' if tool and tool != 'generic' else ''}.env"
        lines = {
            "SIEMS_COMPANY": made.get("company_id"),
            "SIEMS_WEBHOOK": made.get("webhook_url"),
            "SIEMS_KEY": made.get("api_key"),
            "SIEMS_HMAC": made.get("hmac_secret"),
        }
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "w", errors="replace") as out:
                out.write("".join(f"{name}={_quoted(str(value))}\n" for name, value in lines.items() if value))
        except FileExistsError:
            self.said = f"{path} exists already; secrets are never written over: copy them by 2 and 3"
        except OSError as why:
            self.said = f"{path} cannot be written ({why.strerror}): copy them by 2 and 3"
        else:
            self.saved, self.said = True, f"written to {path} (0600); for a shell:  set -a; . {path.name}"
