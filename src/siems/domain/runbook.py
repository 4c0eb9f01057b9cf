"""Runbooks: what may be asked of a host, in which order, and what puts it right again (DOMAIN §11)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType

from siems.vocabulary import Platform, Risk


class Phase(StrEnum):
    """The parts of a runbook, in the order in which they are carried out."""

    PRECHECK = "precheck"
    STEPS = "steps"
    VERIFY = "verify"
    ROLLBACK = "rollback"


class Shell(StrEnum):
    """What reads a script."""

    SH = "sh"
    POWERSHELL = "powershell"

    @classmethod
    def of(cls, platform: Platform) -> Shell:
        return cls.POWERSHELL if platform is Platform.WINDOWS else cls.SH


class OnFailure(StrEnum):
    """What becomes of a host when a step fails there."""

    STOP = "stop"
    ASK = "ask"


class Kind(StrEnum):
    """What a parameter takes."""

    TEXT = "text"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    CHOICE = "choice"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One value that a run may be given. `pattern` matches the whole of it; `default` None means that it must be."""

    name: str
    kind: Kind = Kind.TEXT
    pattern: str
    default: str | None = None
    choices: tuple[str, ...] = ()
    description: str = ""
    secret: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One script, by platform. Values reach it as environment variables (`SIEMS_` and the name), never as text."""

    name: str
    run: Mapping[Platform, str]
    timeout: timedelta | None = None
    on_failure: OnFailure = OnFailure.STOP


@dataclass(frozen=True, slots=True, kw_only=True)
class Runbook:
    """A runbook as it was read. `digest` is the SHA-256 (hex) of `text`, which is what people approve."""

    name: str
    title: str
    category: str
    description: str
    risk: Risk
    platforms: tuple[Platform, ...]
    timeout: timedelta
    parameters: tuple[Parameter, ...] = ()
    matches: tuple[str, ...] = ()
    """Patterns of signatures (RE2, whole match) that it is offered for."""
    phases: Mapping[Phase, tuple[Step, ...]] = field(default_factory=lambda: MappingProxyType({}))
    text: str = ""
    digest: str = ""

    def steps(self, phase: Phase, platform: Platform) -> tuple[Step, ...]:
        """The steps of a phase that are meant for a platform, in order."""
        return tuple(step for step in self.phases.get(phase, ()) if platform in step.run)
