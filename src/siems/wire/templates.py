"""Texts with blanks: status updates to clients, and messages."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from siems.wire.incidents import ActAnswer
from siems.wire.shapes import Ask, Wire


class TemplateView(Wire):
    """A template as it is in force for a company. `origin`: shipped, msp, or company."""

    name: str
    company_id: str
    event: str
    channel: str
    body: str
    origin: str
    updated_by: str
    updated_at: datetime | None
    problem: str = ""
    """Why it could not be filled in for the last message that wanted it: that went out as if there were none."""


class TemplateEdit(Ask):
    """Another text. `event` and `channel` are those of the template that is there, where they are left out."""

    company: str
    body: str
    event: str = ""
    channel: str = ""
    reason: str = ""


class TemplateRenderAsk(Ask):
    """With the facts of an incident, or with data of one's own; `text` is what somebody wrote to it."""

    company: str = ""
    incident: str = ""
    data: dict[str, Any] = msgspec.field(default_factory=dict)
    text: str = ""
    body: str = ""
    """Instead of the one that is kept: a preview of an edit."""


class TemplateRendered(Wire):
    name: str
    text: str


class UpdateAnswer(ActAnswer, kw_only=True):
    """As the answer to every action, with what the client is told."""

    text: str


class UpdateAsk(Ask):
    """A public note from a template."""

    template: str
    text: str = ""
    undoable: bool = False
    reason: str = ""
