"""What the daemon writes down: one line per fact, for people or for collectors; secrets never."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any

import structlog

from siems.config import Log

_SECRET = re.compile(
    r"(sk_[a-z0-9-]+_|whsec_|siems[lr]_)[A-Za-z0-9+/=]+|(?<=api_key=)[^&\s]+|eyJ[\w-]+\.[\w-]+\.[\w-]+"
)


def redact(logger: Any, method: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """Anything that looks like one of our secrets is cut out."""
    return {k: _SECRET.sub("[secret]", v) if isinstance(v, str) else v for k, v in event.items()}


class _ForPeople:
    """One line of key=value; a traceback follows on lines of its own."""

    def __init__(self) -> None:
        self._line = structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "event"], bool_as_flag=False)

    def __call__(self, logger: Any, method: str, event: MutableMapping[str, Any]) -> str:
        trace = event.pop("exception", "")
        line = str(self._line(logger, method, event))
        return f"{line}\n{trace}" if trace else line


def set_up(settings: Log) -> None:
    """Logging for the whole process, to standard error."""
    level = getattr(logging, settings.level.upper())
    shape: Any = structlog.processors.JSONRenderer() if settings.format == "json" else _ForPeople()
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            redact,
            shape,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(asctime)s %(name)s %(message)s")
