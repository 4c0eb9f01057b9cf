"""What the subject of a message says: whether something is wrong or over, how bad it is, and what it is about.

A recovery has to come out as its problem did, so states, counts and measured values are left out of what it is about,
and numbers that tell things apart (web-01, Volume 2) are not.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from siems.vocabulary import Severity

FIRING, OVER, NOTED = "firing", "over", "noted"
LOW, MEDIUM, HIGH, CRITICAL = Severity.LOW, Severity.MEDIUM, Severity.HIGH, Severity.CRITICAL

_LEVELS = {
    CRITICAL: "critical crit emergency disaster fatal",
    HIGH: "down failed failure failing fails fail error errors offline unreachable crashed crash degraded high major "
    "lost expired alarm severe disconnected overheated missing",
    MEDIUM: "warning warnings warn problem firing alert alerting triggered missed minor unknown average unusual "
    "moderate stale 'no data'",
    LOW: "info information notice low",
}
LEVELS = {word.strip("'"): level for level, words in _LEVELS.items() for word in re.findall(r"'[^']+'|\S+", words)}
"""How bad a word in a subject is."""
_FINE = frozenset(
    ["ok", "okay", "up", "resolved", "recovered", "recovery", "cleared", "clear", "closed", "normal", "green", "online",
     "success", "successful", "succeeded", "restored", "healthy", "ended", "inactive"]
)  # fmt: skip
_NOTES = ("ack", "downtime", "updated", "custom", "comment")


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A subject, taken apart. Empty text: it does not say."""

    state: str
    level: Severity | None
    word: str = ""
    tool: str = ""
    asset: str = ""
    about: str = ""
    loose: bool = False
    """The form is of a tool, but its words are those of everybody: `OK: disk full on web01` ends a `CRITICAL: ...`."""


# --- the forms of well-known tools -----------------------------------------------------------------------------

_KIND = r"(?P<kind>PROBLEM|RECOVERY|ACKNOWLEDGEMENT|FLAPPING\w*|DOWNTIME\w*|CUSTOM)"
_STATE = r"(?P<state>OK|WARNING|WARN|CRITICAL|CRIT|UNKNOWN|UNKN|UP|DOWN|UNREACHABLE)"
_FORMS = tuple(
    (tool, exact, re.compile(pattern, re.IGNORECASE))
    for tool, exact, pattern in (
        # ** PROBLEM Service Alert: web01/HTTP is CRITICAL **
        ("nagios", True, rf"\W*{_KIND}\W*(?:(?:service|host) )?alert\W+(?P<asset>[^/]+?)(?:/(?P<about>.+?))?"
                         rf" is {_STATE}\W*"),
        # [PROBLEM] HTTP on web01 is CRITICAL!
        ("icinga", True, rf"\[{_KIND}\] (?:host (?P<asset>\S+)|(?P<about>.+?) on (?P<on>\S+)) is {_STATE}\W*"),
        # PROBLEM - web01 - HTTP is CRITICAL
        ("icinga", True, rf"\W*{_KIND}\W+(?P<asset>[^\s/]+)(?:(?: - |/)(?P<about>.+?))? is {_STATE}\W*"),
        # Check_MK: web01/CPU load OK -> CRIT
        ("checkmk", True, r"\W*Check_?MK: (?P<asset>[^/\s]+)(?:/(?P<about>.+?))? (?:- )?(?:\w+ (?:->|→) )?"
                          rf"{_STATE}\W*"),
        # [FIRING:1] HighLoad (web01 critical), [Alerting] High load
        ("alertmanager", True, r"\[(?P<kind>FIRING|RESOLVED|ALERTING|OK|NO DATA)(?::\d+)?(?:[, ]+RESOLVED:\d+)?\] ?"
                               r"(?P<about>.+?)"),
        # Problem: High load, Resolved in 5m 0s: High load, Updated problem in 2m: High load
        ("zabbix", True, r"(?P<kind>Problem|Resolved|Recovery|OK|Updated problem)(?: in (?:\d+[a-z]+ ?)+)?: "
                         r"(?P<about>.+)"),
        # [PRTG Network Monitor (MSP)] web01 Ping (Ping) Down (No response)
        ("prtg", True, r"\[[^\]]*PRTG[^\]]*\] (?P<asset>\S+) (?P<about>.+?) (?P<state>Down ended|Down escalation|Down"
                       r"|Warning ended|Warning|Unusual ended|Unusual|Up|Paused)(?: \(.*)?"),
        # HIGH - Incident on DESKTOP-7 (Harbour Bakery), as support.huntress.io/article/134 describes it
        ("huntress", True, r"(?P<state>CRITICAL|HIGH|LOW) - (?P<about>Incident) on (?P<asset>\S+) \(.+\)"),
        # [Failed] Nightly (3 objects) 1 failed
        ("veeam", False, r"\[(?P<state>Failed|Error|Warning|Success)\] (?P<about>.+)"),
    )
)  # fmt: skip
_NAGIOS = {"down": CRITICAL, "critical": CRITICAL, "crit": CRITICAL, "unreachable": HIGH, "unknown": MEDIUM}


def _formed(subject: str) -> Said | None:
    for tool, exact, form in _FORMS:
        found = form.fullmatch(subject)
        if found is None:
            continue
        given = {name: (value or "").strip() for name, value in found.groupdict().items()}
        kind, word = given.get("kind", "").lower(), given.get("state", "").lower()
        asset = given.get("asset") or given.get("on", "")
        about_ = given["about"] if exact else about(given["about"], asset)
        if tool in ("nagios", "icinga", "checkmk"):
            about_ = about_ or "host down"
        if kind.startswith("flapping"):
            about_, word = f"{about_} flapping", "ok" if kind.endswith(("stop", "disabled")) else "warning"
        state = FIRING
        if kind.startswith(_NOTES) or word.startswith("paused"):
            state = NOTED
        elif kind in _FINE or word in _FINE or word.endswith("ended"):
            state = OVER
        level = (_NAGIOS if tool in ("nagios", "icinga", "checkmk") else {}).get(word) or LEVELS.get(word.split(" ")[0])
        return Said(state=state, level=level, word=word or kind, tool=tool, asset=asset, about=about_,
                    loose=tool in ("alertmanager", "zabbix"))  # fmt: skip
    return None


# --- any other -------------------------------------------------------------------------------------------------

_PREFIX = re.compile(
    r"\W{0,3}(?:(?:re|fwd?|aw|wg|sv|tr)\s?:|\[(?:external|extern|ext|spam)\]|external\s?:|\*+spam\*+)\s*", re.IGNORECASE
)
_CHANGE = re.compile(r"\b(\w{2,16})\s?(?:->|=>|→|to)\s?(\w{2,16})\b", re.IGNORECASE)
_NONE = re.compile(
    r"\b(?:no|0|zero|without(?: any)?) (?:errors?|failures?|failed|warnings?|problems?)\b", re.IGNORECASE
)
_SURELY = re.compile(
    r"(?P<not>\b(?:not|never|isn't|un|to be|cannot be|failed to) ?(?:been |be )?)?"
    r"\b(?:resolved|recovered|recovery|cleared|restored|solved|back (?:to )?(?:normal|online|up|ok|again)|no longer"
    r"|returned to (?:normal|ok)|came back"
    r"|(?:is|are|now|now is|status|state)(?: now| back)?:? (?:up|ok|okay|online|normal|healthy|fine|over))\b",
    re.IGNORECASE,
)  # fmt: skip
_EDGE = re.compile(
    r"\W*(?:(?:monitor|check|host|server|service|site|device|node) )?(?:ok|up|clear|normal|closed|success|green|online)"
    r"(?:\]|:| [-–—|]).*|.*[-–—:>|(\[]\s?(?:ok|up|normal|online)\W*",
    re.IGNORECASE,
)
_DONE = re.compile(r"\b(?:success|successful|successfully|succeeded|completed|finished)\b", re.IGNORECASE)
_BAD = re.compile(rf"\b(?:{'|'.join(sorted(LEVELS, key=len, reverse=True))})\b", re.IGNORECASE)
TEST = re.compile(r"\btest[- ]?(?:e-?mail|mail|message|notification)\b", re.IGNORECASE)


def bare(subject: str) -> str:
    """Without what mail programs and gateways put before it."""
    while (found := _PREFIX.match(subject)) is not None:
        subject = subject[found.end() :]
    return subject.strip()


def said_in(subject: str) -> Said:
    """What a subject says, by the forms of tools, else by its words."""
    subject = bare(subject)
    if (found := _formed(subject)) is not None:
        return found
    asset = host_in_subject(subject)
    words = [word.lower() for word in _BAD.findall(_NONE.sub(" ", subject))]
    level = max((LEVELS[word] for word in words), default=None)
    return Said(
        state=_state(subject, level), level=level, word=next((w for w in words if LEVELS[w] == level), ""),
        asset=asset, about=about(subject, asset),
    )  # fmt: skip


def _state(subject: str, level: Severity | None) -> str:
    """Firing when in doubt: a problem that is taken for a recovery pages nobody."""
    changes = [(a.lower(), b.lower()) for a, b in _CHANGE.findall(subject)]
    known = [b for a, b in changes if (a in LEVELS or a in _FINE) and (b in LEVELS or b in _FINE)]
    if known:
        return OVER if known[-1] in _FINE else FIRING
    surely = [found for found in _SURELY.finditer(subject) if not found["not"]]
    if surely or (_EDGE.fullmatch(subject) and (level is None or level <= MEDIUM)):
        return OVER
    return OVER if _DONE.search(subject) and (level is None or level < MEDIUM) else FIRING


# --- what it is about ------------------------------------------------------------------------------------------

_HOST = r"[A-Za-z0-9][\w-]*(?:\.[\w-]+)+|[A-Za-z][\w-]*\d[\w-]*|(?:\d{1,3}\.){3}\d{1,3}"
_MACHINE = "(?:[Hh]ost|[Ss]erver|[Dd]evice|[Nn]ode|[Mm]achine|NAS|nas|VM|vm)"
_ON = re.compile(
    rf"\b(?:(?:on|at)(?: {_MACHINE}:?)?|{_MACHINE}:?) ['\"]?(?P<name>{_HOST}|[A-Z][a-z]*[A-Z]\w*)"
    rf"|\b{_MACHINE}(?: name)?: ['\"]?(?P<plain>[\w-]{{2,63}})"
)
_NAMED = re.compile(rf"(?<![\w.@-])({_HOST})(?![\w@-])")
_VALUE = re.compile(r"[\d.,:/-]+(?:%|[a-z]{1,3})?|v?\d+(?:\.\d+)+", re.IGNORECASE)


def host_in_subject(subject: str) -> str:
    """The machine that a subject names; "" when it names none."""
    found = _ON.search(subject)
    name = "" if found is None else found["name"] or found["plain"]
    if name and (not _VALUE.fullmatch(name) or name.count(".") == 3):
        return name.rstrip(".-")
    names = (name.rstrip(".-") for name in _NAMED.findall(subject))
    return next((name for name in names if not _VALUE.fullmatch(name) or name.count(".") == 3), "")


_ADDRESS = re.compile(r"https?://\S*", re.IGNORECASE)
_GROUP = re.compile(r"\(([^()]{0,200})\)|\[([^\[\]]{0,80})\]")
_FILLER = re.compile(
    r"\b(?:(?:is|are|was|has|have|been|now|back|again|to|no longer|returned|came|it|the|status|state|with|without|any)"
    r"\b\s*)+$"
    r"|^(?:on|for|from|of|at|is|has)\b|\b(?:on|for|from|of|at|in|is|has|was|been)\s*$",
    re.IGNORECASE,
)
_NOUNS = frozenset(
    ["volume", "disk", "drive", "job", "port", "slot", "site", "vlan", "interface", "unit", "fan", "psu", "cpu", "core",
     "bay", "lun", "array", "pool", "channel", "sensor", "link", "wan", "lan", "phase", "battery", "probe", "task",
     "group", "zone", "line", "raid", "room", "partition", "module", "tunnel", "queue", "number", "no", "nr"]
)  # fmt: skip
"""Things of which there are several, told apart by a number."""
_SAME = frozenset([*LEVELS, *_FINE, "successfully", "completed", "finished", "solved", "now", "back", "again", "not"])


def about(subject: str, asset: str) -> str:
    """What a subject is about: the same for a problem, its repeats and its end."""
    text = _ADDRESS.sub(" ", _NONE.sub(" ", subject))
    text = _GROUP.sub(lambda found: " " if _fleeting(found[1] or found[2] or "") else f" {found[1] or found[2]} ", text)
    if asset:
        text = re.sub(rf"(?<![\w.-]){re.escape(asset)}(?![\w-])", " ", text, flags=re.IGNORECASE)
    kept: list[str] = []
    for word in text.split():
        plain = word.strip(".,:;!?*\"'()[]{}<>|=-–—→#").lower()
        measured = bool(_VALUE.fullmatch(plain)) and not (
            kept and plain.isdigit() and len(plain) < 3 and kept[-1].lower().strip(":#") in _NOUNS
        )
        if plain and plain not in _SAME and not measured:
            kept.append(word.strip(".,:;!?*\"'<>|=→"))
    said = " ".join(kept).strip(" -–—:/")
    while (found := _FILLER.search(said)) is not None and found[0]:
        said = (said[: found.start()] + said[found.end() :]).strip(" -–—:/")
    return said


def _fleeting(inside: str) -> bool:
    """Whether what stands in brackets is a state, a count or a value, and no name."""
    words = [word.strip(",:;").lower() for word in re.split(r"[\s:]+", inside) if word.strip(",:;")]
    return not words or any(word in _SAME for word in words) or bool(_VALUE.fullmatch(words[0]))
