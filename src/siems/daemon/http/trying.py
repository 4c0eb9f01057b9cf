"""One message of our own, sent at once and once, and what the provider said to it."""

from __future__ import annotations

import asyncio
import time

from siems import wire
from siems.channels import Destination, Message, Refused, TryLater
from siems.daemon.runtime import Runtime
from siems.domain.reach import PROVIDER_SECONDS, hint_of
from siems.errors import SiemsError
from siems.vocabulary import MSP, Severity


async def try_once(
    runtime: Runtime, channel: str, to: Destination, *, subject: str, text: str, key: str
) -> wire.TrialView:  # fmt: skip
    """Whether the provider took it; whatever goes wrong is told and not raised."""
    started = time.perf_counter()
    message = Message(
        key=key, event="notify.test", severity=Severity.LOW, company="MSP", company_id=MSP, object="", subject=subject,
        text=text,
    )  # fmt: skip
    said, error = "", ""
    try:
        opened = await asyncio.to_thread(runtime.delivering.channel, channel)
        async with asyncio.timeout(PROVIDER_SECONDS):
            said = (await opened.send(message, to)).message_id
    except (Refused, TryLater) as why:
        error = str(why) or type(why).__name__
    except TimeoutError:
        error = f"no answer within {PROVIDER_SECONDS:.0f} s"
    except SiemsError as why:
        error = why.message
    except Exception as why:
        error = f"{type(why).__name__}: {why}"[:300]
    return wire.TrialView(
        channel=channel, hint=hint_of(channel, to.address), ok=not error, message_id=said, error=error,
        seconds=round(time.perf_counter() - started, 3),
    )  # fmt: skip
