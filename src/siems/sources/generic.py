"""The contract that any client can speak: one alert as a flat JSON object, or a list of them (DOMAIN §3)."""

from __future__ import annotations

from typing import Any

import msgspec

from siems.domain.alert import MAX_LABELS, MAX_MESSAGE, MAX_NAME, SEVERITY_WORDS, Reading, severity_from
from siems.domain.signature import SIEMS
from siems.errors import InvalidField
from siems.sources import Headers, Read, Setup, Tool
from siems.sources.reading import (
    MAX_LABEL,
    MAX_LINK,
    MAX_LINKS,
    an_object,
    instant,
    labels,
    links,
    message,
    name,
    parse,
    text,
)

KNOWN = frozenset(
    [
        "asset_name",
        "signature",
        "severity",
        "message",
        "tool_source",
        "status",
        "dedup_key",
        "labels",
        "links",
        "starts_at",
    ]
)
MAX_ALERTS = 1_000
QUICK = 262_144


class _Usual(msgspec.Struct, forbid_unknown_fields=True):
    """What nearly every sender sends: only known fields, each of the kind that it should be."""

    asset_name: str
    signature: str
    severity: str = ""
    message: str = ""
    tool_source: str = ""
    status: str = "firing"
    dedup_key: str = ""
    labels: dict[str, str] = {}
    links: list[str] = []


_decode = msgspec.json.Decoder(_Usual | list[_Usual]).decode


def read(body: bytes, headers: Headers) -> Read:
    """One alert, a list of them, or an object that holds such a list as `alerts`."""
    quick = _quick_read(body) if len(body) <= QUICK and body.isascii() and b"\\u" not in body else None
    if quick is not None:
        return quick
    value = parse(body)
    if isinstance(value, dict) and isinstance(value.get("alerts"), list) and "signature" not in value:
        value = value["alerts"]
    if isinstance(value, list):
        if not 0 < len(value) <= MAX_ALERTS:
            raise InvalidField(f"a list holds 1 to {MAX_ALERTS} alerts, this one {len(value)}")
        return Read(tuple(_reading(an_object(item, "an alert")) for item in value), many=True)
    return Read((_reading(an_object(value)),))


def _quick_read(body: bytes) -> Read | None:
    """The whole body at once, when all of it is as usual."""
    try:
        usual = _decode(body)
    except msgspec.DecodeError:
        return None
    if isinstance(usual, _Usual):
        reading = _quick(usual)
        return None if reading is None else Read((reading,))
    readings = tuple(reading for reading in map(_quick, usual) if reading is not None)
    return Read(readings, many=True) if 0 < len(usual) == len(readings) <= MAX_ALERTS else None


def _quick(usual: _Usual) -> Reading | None:
    """The reading of an alert that is within all limits as it is; None for one that has to be looked at closer."""
    asset, signature, word = usual.asset_name.strip(), usual.signature.strip(), usual.severity.strip().lower()
    severity = SEVERITY_WORDS.get(word)
    tool = usual.tool_source.strip() or "generic"
    if (
        severity is None or not 0 < len(asset) <= MAX_NAME or not 0 < len(signature) <= MAX_NAME or len(tool) > 64
        or usual.status not in ("firing", "resolved") or len(usual.message) > MAX_MESSAGE
        or len(usual.dedup_key) > MAX_NAME or len(usual.labels) > MAX_LABELS or len(usual.links) > MAX_LINKS
    ):  # fmt: skip
        return None
    for name_, value in usual.labels.items():
        if len(name_) > MAX_NAME or len(value) > MAX_LABEL:
            return None
    for link in usual.links:
        if not link.startswith(("http://", "https://")) or len(link) > MAX_LINK:
            return None
    return Reading(
        asset_name=asset, signature=signature, severity=severity, original_severity=usual.severity.strip(),
        message=usual.message, tool_source=tool, firing=usual.status == "firing", dedup_key=usual.dedup_key or None,
        labels=usual.labels, links=tuple(usual.links),
    )  # fmt: skip


def _reading(value: dict[str, Any]) -> Reading:
    asset, signature = name(value.get("asset_name")), name(value.get("signature"))
    for field, given in (("asset_name", asset), ("signature", signature)):
        if not given:
            raise InvalidField(f"{field} is missing", hint='an alert needs at least "asset_name" and "signature"')
    severity, original, warning = severity_from(value.get("severity"))
    # who says that it is over need not say again how bad it was
    warnings = [warning] if warning and (original or value.get("status") != "resolved") else []
    known, trouble = labels(value.get("labels"))
    warnings += trouble
    unknown = [field for field in value if field not in KNOWN]
    for field in unknown[: 64 - len(known)]:
        known[name(field)] = text(value[field], 1_024)
    if unknown:
        shown = ", ".join(name(field) for field in unknown[:10])
        warnings.append(f"unknown fields are kept as labels: {shown}")
    starts_at, late = instant(value.get("starts_at"))
    warnings += [late] if late else []
    status = text(value.get("status") or "firing", 32).lower()
    if status not in ("firing", "resolved"):
        warnings.append(f"unknown status {status!r}; taken as firing")
    key = value.get("dedup_key")
    return Reading(
        asset_name=asset, signature=signature, severity=severity, original_severity=original,
        message=message(value.get("message")), tool_source=name(value.get("tool_source"))[:64] or "generic",
        firing=status != "resolved", dedup_key=text(key, 255) if key not in (None, "") else None, labels=known,
        links=links(value.get("links", [])), starts_at=starts_at, warnings=tuple(warnings),
    )  # fmt: skip


tool = Tool(
    name="generic",
    title="Generic webhook",
    native=False,
    read=read,
    signing=SIEMS,
    setup=Setup(
        steps=(
            "Send one JSON object per alert to the URL, with the key in X-API-Key.",
            'Sign it: X-Timestamp is the time in seconds, X-Signature is "sha256=" and the HMAC-SHA256 of'
            ' "{X-Timestamp}.{body}" with the secret, in hex.',
            "Give each delivery an X-Delivery-ID of its own, so that it may be repeated safely.",
        ),
        snippet_name="a shell",
        snippet="""body='{"asset_name": "web-01", "signature": "test", "severity": "low", "message": "hello"}'
stamp=$(date +%s)
sign=$(printf '%s.%s' "$stamp" "$body" | openssl dgst -sha256 -hmac '{secret}' -hex | sed 's/^.* //')
curl -sS '{url}' -H 'X-API-Key: {key}' -H "X-Timestamp: $stamp" -H "X-Signature: sha256=$sign" -d "$body"
""",
    ),
)
