"""What a client wants of single messages: how bad they are, what they are about, that all is well, or nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from siems.domain.alert import MAX_NAME, Read, Reading
from siems.domain.changing import replace
from siems.domain.letter import Letter
from siems.errors import InvalidField
from siems.vocabulary import Severity

MAX_RULES = 50
MAX_PATTERN = 200
LOOKED_AT = 4_096
"""So much of a text a pattern is held against."""
WHERE = ("subject", "body", "from", "any header, such as x-priority")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """`pattern` is part of the text; with * or ? in it, it is the whole of it. Case does not matter."""

    field: str
    pattern: str
    severity: Severity | None = None
    asset: str = ""
    signature: str = ""
    recovery: bool = False
    """It is over: for words that siems does not know, of a language or a device."""
    ignore: bool = False

    def fits(self, letter: Letter) -> bool:
        said = _said(letter, self.field)[:LOOKED_AT].lower()
        pattern = self.pattern.lower()
        return fnmatchcase(said, pattern) if "*" in pattern or "?" in pattern else pattern in said

    def __str__(self) -> str:
        return f"{self.field}:{self.pattern}"


def _said(letter: Letter, field: str) -> str:
    match field:
        case "body":
            return letter.text
        case "from":
            return letter.sender
    return letter.headers.get(field, "")


def rules_from(value: Any) -> tuple[Rule, ...]:
    """Rules as people write them, each an object. Raises InvalidField naming the one at fault."""
    if not isinstance(value, list) or len(value) > MAX_RULES:
        raise InvalidField(f"rules are a list of at most {MAX_RULES}", hint=_HINT)
    return tuple(_rule(item, f"rule {number}") for number, item in enumerate(value, 1))


_HINT = '[{"field": "subject", "pattern": "*test*", "ignore": true}]'
_KEYS = {"field", "pattern", "severity", "asset", "signature", "recovery", "ignore"}


def _rule(item: Any, what: str) -> Rule:
    if not isinstance(item, Mapping) or not item.keys() <= _KEYS:
        raise InvalidField(f"{what} is an object of {', '.join(sorted(_KEYS))}", hint=_HINT)
    texts = [item.get(name, "") for name in ("field", "pattern", "asset", "signature")]
    if not all(isinstance(text, str) for text in texts):
        raise InvalidField(f"{what}: field, pattern, asset and signature are texts", hint=_HINT)
    field, pattern, asset, signature = texts
    if not field.strip() or not 0 < len(pattern.strip()) <= MAX_PATTERN:
        raise InvalidField(
            f"{what} needs a field and a pattern of at most {MAX_PATTERN} characters",
            hint=f"field is {', '.join(WHERE)}",
        )
    if pattern.count("*") > 4:  # more make it slow, and nobody can read them
        raise InvalidField(f"{what}: a pattern has at most four *", hint=_HINT)
    word, recovery, ignore = item.get("severity"), item.get("recovery", False), item.get("ignore", False)
    if not (isinstance(recovery, bool) and isinstance(ignore, bool)):
        raise InvalidField(f"{what}: recovery and ignore are true or false")
    if word is not None and str(word).upper() not in Severity.__members__:
        raise InvalidField(f"{what}: severity is LOW, MEDIUM, HIGH or CRITICAL")
    severity = None if word is None else Severity[str(word).upper()]
    if not (severity is not None or asset.strip() or signature.strip() or recovery or ignore):
        raise InvalidField(
            f"{what} does nothing", hint="give it a severity, an asset, a signature, recovery: true, or ignore: true"
        )
    return Rule(
        field=field.strip().lower()[:78], pattern=pattern.strip(), severity=severity, asset=asset.strip()[:MAX_NAME],
        signature=signature.strip()[:MAX_NAME], recovery=recovery, ignore=ignore,
    )  # fmt: skip


def rules_told(rules: Sequence[Rule]) -> list[dict[str, Any]]:
    """The same as they are kept and shown: only what they say."""
    return [
        {"field": rule.field, "pattern": rule.pattern}
        | ({} if rule.severity is None else {"severity": rule.severity.name})
        | ({"asset": rule.asset} if rule.asset else {})
        | ({"signature": rule.signature} if rule.signature else {})
        | ({"recovery": True} if rule.recovery else {})
        | ({"ignore": True} if rule.ignore else {})
        for rule in rules
    ]


def ruled(rules: Sequence[Rule], letter: Letter, read: Read) -> Read:
    """What is read in a message, by the first rule that fits it."""
    rule = next((rule for rule in rules if rule.fits(letter)), None)
    if rule is None or not read.readings:
        return read
    if rule.ignore:
        return Read(said=f"left out by the rule {rule}: {letter.subject[:200]}")
    return Read(tuple(_as_ruled(rule, one) for one in read.readings), many=read.many, warnings=read.warnings)


def _as_ruled(rule: Rule, reading: Reading) -> Reading:
    return replace(
        reading,
        severity=reading.severity if rule.severity is None else rule.severity,
        asset_name=rule.asset or reading.asset_name,
        signature=rule.signature or reading.signature,
        firing=reading.firing and not rule.recovery,
        labels={**reading.labels, "rule": str(rule)},
    )
