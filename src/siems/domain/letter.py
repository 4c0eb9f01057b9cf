"""A message of RFC 5322 opened: its headers, its text, and what it belongs to.

Written by strangers, so all work is bounded: only the beginning is looked at, nothing is searched twice, and what is
malformed is shown as it is. Nothing here raises.
"""

from __future__ import annotations

import binascii
import codecs
import quopri
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from email.errors import HeaderParseError
from email.header import decode_header
from email.message import Message
from html import unescape

MAX_READ = 256 * 1024
"""So much of a message is looked at: pictures and logs come after what a person reads first."""
MAX_HEADERS = 200
MAX_HEADER = 2_048
MAX_DEPTH = 8
MAX_PARTS = 64
MAX_PAGE = 64 * 1024
MAX_TEXT = 16_384

_NAME = re.compile(rb"[A-Za-z0-9_-]{1,78}[ \t]*")
_BLANK = re.compile(rb"\n[ \t]*\n")
_ID = re.compile(r"<[^<>\s]{1,250}>")
_ADDRESS = re.compile(r"[^\s<>\"(),:;]{1,128}@[^\s<>\"(),:;@]{1,255}")
_SLOW = frozenset(["idna", "punycode", "unicode-escape", "raw-unicode-escape", "undefined"])
"""Encodings that no mail is in, and that take long over nonsense."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A message as a person would see it. Header names are in lower case; of several alike the first counts."""

    headers: Mapping[str, str] = field(default_factory=dict)
    text: str = ""
    kind: str = "text/plain"
    report: str = ""
    """What kind of report it is, where it is one: `delivery-status` of a bounce."""

    @property
    def subject(self) -> str:
        return self.headers.get("subject", "")

    @property
    def sender(self) -> str:
        """The address that it is from; "" when there is none."""
        found = _ADDRESS.search(self.headers.get("from", "")) or _ADDRESS.search(self.headers.get("return-path", ""))
        return "" if found is None else found[0].lower()

    @property
    def message_id(self) -> str:
        found = _ID.search(self.headers.get("message-id", ""))
        return "" if found is None else found[0]

    @property
    def refers(self) -> tuple[str, ...]:
        """The messages that it belongs to, the first of the thread first."""
        found = (_ID.findall(self.headers.get(name, "")) for name in ("references", "in-reply-to"))
        return tuple(dict.fromkeys(id for ids in found for id in ids))[:32]


def opened(raw: bytes) -> Letter:
    """A message as it came over the wire."""
    lines = raw[:MAX_READ].replace(b"\r\n", b"\n").replace(b"\r", b"\n").lstrip(b"\n")
    given, body = _parted(lines)
    about = _about(given)
    plain: list[str] = []
    html: list[str] = []
    for kind, text in _texts(about, body, [MAX_PARTS], 0):
        (html if kind == "text/html" else plain).append(text)
    text = next(filter(None, (one.strip() for one in plain)), "") or _of_html(next(iter(html), ""))
    return Letter(
        headers={name: _decoded(value) for name, value in reversed(given)}, text=_tidy(text),
        kind=about.get_content_type(), report=str(about.get_param("report-type", "")).lower(),
    )  # fmt: skip


# --- headers ---------------------------------------------------------------------------------------------------


def _parted(lines: bytes) -> tuple[list[tuple[str, bytes]], bytes]:
    """(headers, body); what does not begin with a header is all body."""
    if lines.startswith(b"\n"):
        return [], lines[1:]
    name, colon, _ = lines.partition(b"\n")[0].partition(b":")
    if not name.startswith(b"From ") and not (colon and _NAME.fullmatch(name)):
        return [], lines
    blank = _BLANK.search(lines)
    head, body = (lines, b"") if blank is None else (lines[: blank.start()], lines[blank.end() :])
    found: list[tuple[str, bytes]] = []
    for line in head.split(b"\n"):
        if line[:1] in (b" ", b"\t"):
            if found and len(found[-1][1]) < MAX_HEADER:
                found[-1] = found[-1][0], found[-1][1] + b" " + line.strip()[:MAX_HEADER]
            continue
        name, colon, value = line.partition(b":")
        if colon and _NAME.fullmatch(name):
            if len(found) == MAX_HEADERS:
                break
            found.append((name.rstrip().decode("ascii").lower(), value.strip()[:MAX_HEADER]))
    return (found, body) if found else ([], lines)


def _about(given: list[tuple[str, bytes]]) -> Message:
    """What the headers say of the content; the first of each."""
    about = Message()
    for wanted in ("content-type", "content-transfer-encoding", "content-disposition"):
        value = next((value for name, value in given if name == wanted), None)
        if value is not None:
            about[wanted] = value[:1_024].decode("ascii", "replace").replace("\r", " ").replace("\n", " ")
    return about


def _decoded(value: bytes) -> str:
    """A header as people read it: encoded words, or bytes as they are."""
    raw = _as_text(value[:MAX_HEADER], "")
    if "=?" not in raw:
        return " ".join(raw.split())
    try:
        parts = decode_header(raw)
    except (HeaderParseError, ValueError):
        return " ".join(raw.split())
    said = "".join(part if isinstance(part, str) else _as_text(part, charset or "") for part, charset in parts)
    return " ".join(said.split())


# --- the text --------------------------------------------------------------------------------------------------


def _texts(about: Message, body: bytes, left: list[int], depth: int) -> Iterator[tuple[str, str]]:
    """The texts among the parts of a message, as (kind, text); files that are attached are none."""
    kind = about.get_content_type()
    if about.get_content_disposition() == "attachment" or depth > MAX_DEPTH:
        return
    if kind.startswith("multipart/"):
        for part in _parts(body, str(about.get_param("boundary", "")), left):
            given, inner = _parted(part)
            yield from _texts(_about(given), inner, left, depth + 1)
    elif kind == "message/rfc822":
        given, inner = _parted(body.lstrip(b"\n"))
        yield from _texts(_about(given), inner, left, depth + 1)
    elif kind.startswith("text/"):
        plain = _uncoded(body, str(about.get("content-transfer-encoding", "")).strip().lower())
        yield kind, _as_text(plain, str(about.get_param("charset", "")))


def _parts(body: bytes, boundary: str, left: list[int]) -> Iterator[bytes]:
    """What lies between the boundaries. Without one, the whole is one part."""
    mark = b"\n--" + boundary.encode("ascii", "replace")
    pieces = (b"\n" + body).split(mark, left[0] + 1) if boundary else [b"", b"\n" + body]
    for piece in pieces[1:]:
        left[0] -= 1
        if left[0] < 0 or piece.startswith(b"--"):
            return
        yield piece.partition(b"\n")[2]


def _uncoded(body: bytes, coding: str) -> bytes:
    if coding == "base64":
        kept = re.sub(rb"[^A-Za-z0-9+/]", b"", body)
        try:
            return binascii.a2b_base64(kept[: len(kept) - len(kept) % 4] if len(kept) % 4 == 1 else kept + b"==")
        except binascii.Error:
            return body
    return quopri.decodestring(body) if coding == "quoted-printable" else body


def _as_text(value: bytes, charset: str) -> str:
    """Bytes as text: in the encoding that they claim, else UTF-8, else what Windows writes."""
    try:
        known = codecs.lookup(charset.strip()[:40] or "utf-8").name
        if known not in _SLOW:
            return value.decode(known)
    except (LookupError, ValueError):
        pass
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("cp1252", "replace")


_HIDDEN = frozenset(["script", "style", "head", "title", "template"])
_BREAKS = frozenset(["br", "p", "div", "tr", "table", "li", "ul", "ol", "h1", "h2", "h3", "h4", "h5", "hr", "pre"])


def _of_html(page: str) -> str:
    """The words of a page, a line for each of its blocks."""
    said: list[str] = []
    hidden = ""
    first, *pieces = page[:MAX_PAGE].split("<")
    said.append(unescape(first))
    for piece in pieces:
        tag, _, words = piece.partition(">")
        name = tag.strip("/ \t\n").partition(" ")[0].partition("\n")[0].rstrip("/").lower()
        if hidden:
            if not (tag.startswith("/") and name == hidden):
                continue
            hidden = ""
        elif name in _HIDDEN and not tag.startswith("/"):
            hidden = name
            continue
        elif name.startswith("!"):
            continue
        said.append("\n" if name in _BREAKS else " " if name in ("td", "th") or words[:1].isspace() else "")
        said.append(unescape(" ".join(words.split()) if words.isascii() else words))
        if words[-1:].isspace():
            said.append(" ")
    return "".join(said)


def _tidy(text: str) -> str:
    """Without the blanks that make up the layout of a page."""
    lines = (" ".join(line.split()) for line in text[: 4 * MAX_TEXT].splitlines())
    found: list[str] = []
    for line in lines:
        if line or (found and found[-1]):
            found.append(line)
    return "\n".join(found).strip()[:MAX_TEXT]
