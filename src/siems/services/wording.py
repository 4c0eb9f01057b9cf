"""Messages in a company's own words: what its template for an event on a channel makes of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from siems.domain.permissions import SYSTEM
from siems.errors import SiemsError
from siems.services import queries, rendering, templates
from siems.services.delivery import Parcel


class TemplateFails(Exception):
    """A template that cannot be filled in for a message; `name` is its own."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name = name
        self.message = message


def worded(connection: Connection, parcel: Parcel, now: datetime) -> tuple[Parcel, str]:
    """The message as the company wants it, and the template: its first line is the subject, what follows the text.

    Without a template, for a bundle and for what is no incident's it stays as it is. Raises TemplateFails.
    """
    if parcel.bundle is not None or not parcel.object.startswith("INC-"):
        return parcel, ""
    template = templates.for_message(connection, parcel.company_id, parcel.event, parcel.channel)
    if template is None:
        return parcel, ""
    try:
        incident = queries.find_incident(connection, parcel.object, SYSTEM)
        facts = templates.facts_of(incident, parcel.company, now, text="\n".join(parcel.text))
        subject, _, rest = rendering.fill(template.body, facts).partition("\n")
    except SiemsError as why:
        raise TemplateFails(template.name, why.message) from why
    if not subject.strip():
        return parcel, template.name
    return replace(parcel, subject=subject.strip(), text=tuple(rest.strip().splitlines())), template.name
