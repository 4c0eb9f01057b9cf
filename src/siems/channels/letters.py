"""A message as a letter: text and HTML, in the thread of its incident, marked as written by a machine."""

from __future__ import annotations

import re
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from hashlib import sha256
from html import escape

from siems.channels import Destination, Message
from siems.channels.calling import now
from siems.channels.rendering import COLOURS, blocks, body_lines, cut, members, one_line, plain, title
from siems.errors import InvalidField

_LOCAL = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
_ADDRESS = re.compile(rf"(?P<local>{_LOCAL})@(?P<domain>[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?)")


def address(text: str, *, field: str = "address") -> str:
    """`sarah@msp.example` in its one form; a domain in other letters becomes its ASCII form. Raises InvalidField."""
    local, _, domain = text.strip().rpartition("@")
    try:
        domain = domain.encode("idna").decode().lower()
    except UnicodeError:
        domain = ""
    found = f"{local}@{domain}"
    if len(found) > 254 or not _ADDRESS.fullmatch(found):
        raise InvalidField(
            f"{field}: {one_line(text, 60)!r} is no mail address", hint="it looks like sarah@msp.example"
        )
    return found


def sender(text: str) -> Address:
    """`Siems <siems@msp.example>` of the settings. Raises InvalidField."""
    name, found = parseaddr(text)
    return _addressed(address(found, field="sender in [email]"), name or "siems")


def letter(message: Message, to: Destination, origin: Address) -> EmailMessage:
    """The letter; its Message-ID is the same at every try."""
    made = EmailMessage(policy=SMTP)
    made["From"] = origin
    made["To"] = _addressed(to.address, one_line(to.name, 60))
    made["Subject"] = title(message)
    made["Date"] = format_datetime(now())
    made["Message-ID"] = message_id(message.key, origin.domain)
    if message.thread:
        root = message_id(f"thread {message.company_id} {message.thread}", origin.domain)
        made["In-Reply-To"] = root
        made["References"] = root
    made["List-Id"] = f"<{_label(message.company_id)}.siems.{origin.domain}>"
    made["Auto-Submitted"] = "auto-generated"
    made["X-Auto-Response-Suppress"] = "All"
    if message.pages:
        made["X-Priority"] = "1"
        made["Importance"] = "high"
        made["Priority"] = "urgent"
    made.set_content(blocks(_heading(message), plain(message)) + "\n", cte="quoted-printable")
    made.add_alternative(page(message), subtype="html", cte="quoted-printable")
    return made


def message_id(text: str, domain: str) -> str:
    """An id of RFC 5322 for this text."""
    return f"<{sha256(text.encode('utf-8', 'replace')).hexdigest()[:32]}@{domain}>"


def page(message: Message) -> str:
    """The letter for eyes: no outside parts, every foreign text escaped."""
    colour = COLOURS[message.severity.name]
    rows = "".join(f"<li>{_shown(line)}</li>" for line in members(message))
    told = "<br>".join(_shown(line) for line in body_lines(message))
    buttons = [*((a.label, a.url) for a in message.answers), *([("Open", message.url)] if message.url else [])]
    links = " ".join(
        f'<a href="{_shown(url)}" style="display:inline-block;padding:8px 14px;margin:0 6px 6px 0;border-radius:4px;'
        f'background:{colour};color:#fff;text-decoration:none">{_shown(one_line(label, 60))}</a>'
        for label, url in buttons
    )
    return (
        '<!doctype html><html><body style="font-family:sans-serif;font-size:14px;color:#222">'
        f'<p style="border-left:4px solid {colour};padding-left:10px;margin:0 0 12px">'
        f"{_shown(_heading(message))}<br><strong>{_shown(one_line(message.subject))}</strong></p>"
        + (f'<ul style="list-style:none;padding-left:0">{rows}</ul>' if rows else "")
        + (f"<p>{told}</p>" if told else "")
        + (f"<p>{links}</p>" if links else "")
        + "</body></html>\n"
    )


def _heading(message: Message) -> str:
    words = (message.severity.name, one_line(message.company, 60), one_line(message.object, 40))
    return " · ".join(word for word in words if word)


def _shown(text: str) -> str:
    return escape(text, quote=True).encode("utf-8", "replace").decode()


def _addressed(found: str, name: str) -> Address:
    local, _, domain = found.rpartition("@")
    return Address(display_name=cut(name, 60), username=local, domain=domain)


def _label(text: str) -> str:
    return re.sub(r"[^a-z0-9-]+", "-", text.lower()).strip("-") or "msp"
