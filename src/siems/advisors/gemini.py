"""Advice by Google's Gemini, over its REST interface: an answer as JSON by a schema and nothing else."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import httpx

from siems.advisors import Answer, Refused, TryLater
from siems.config import Settings
from siems.domain.advice import Question
from siems.domain.drafts import Nonsense
from siems.domain.sealing import Prompt
from siems.errors import UsageError

for _name in ("httpx", "httpcore"):  # they write down addresses and headers, and those hold the key
    logging.getLogger(_name).setLevel(logging.WARNING)

LARGEST_ANSWER = 256 * 1024
MOST_TOKENS = 700
_AGAIN = frozenset({408, 425, 429})


class Gemini:
    leaves = True

    def __init__(self, settings: Settings) -> None:
        chosen = settings.gemini
        self.model = chosen.model
        self._key = chosen.key.get_secret_value()
        if not self._key:
            raise UsageError("Gemini is not set up: there is no key", hint="[gemini] key in siems.toml")
        self._url = f"{chosen.url.rstrip('/')}/v1beta/models/{quote(self.model, safe='')}:generateContent"
        limit = float(settings.advice.timeout_seconds)
        self._client = httpx.AsyncClient(
            timeout=httpx.Timeout(limit, connect=min(5.0, limit)), follow_redirects=False,
            headers={"User-Agent": "siems", "Accept-Encoding": "identity"},
        )  # fmt: skip

    async def advise(self, asked: Question | Prompt) -> Answer:
        assert isinstance(asked, Prompt), "what leaves is sealed"
        status, headers, body = await self._post(request(asked))
        if status in _AGAIN or status >= 500:
            raise TryLater(f"Gemini answered {status}", _seconds(headers.get("retry-after", "")))
        if status != 200:
            raise Refused(f"Gemini answered {status}")
        return read(body)

    async def _post(self, body: Mapping[str, Any]) -> tuple[int, Mapping[str, str], bytes]:
        failed = ""
        try:
            async with self._client.stream(
                "POST", self._url, json=body, headers={"x-goog-api-key": self._key}
            ) as answer:  # fmt: skip
                found = bytearray()
                async for part in answer.aiter_raw():
                    found += part
                    if len(found) > LARGEST_ANSWER:
                        raise Nonsense("its answer is too long")
                return answer.status_code, answer.headers, bytes(found)
        except httpx.TimeoutException:
            failed = "Gemini did not answer in time"
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as why:
            failed = f"Gemini cannot be reached ({type(why).__name__})"
        raise TryLater(failed)  # here, so that it does not carry the request with its key along

    async def close(self) -> None:
        await self._client.aclose()


def request(prompt: Prompt) -> dict[str, Any]:
    """The body of generateContent."""
    return {
        "systemInstruction": {"parts": [{"text": prompt.system}]},
        "contents": [{"role": "user", "parts": [{"text": prompt.text}]}],
        "generationConfig": {
            "temperature": 0.0, "maxOutputTokens": MOST_TOKENS, "responseMimeType": "application/json",
            "responseSchema": dict(prompt.schema),
        },
    }  # fmt: skip


def read(body: bytes) -> Answer:
    """The object in its answer. Raises Nonsense when there is none."""
    try:
        said = json.loads(body)
        text = said["candidates"][0]["content"]["parts"][0]["text"]
        found = json.loads(text)
        tokens = said.get("usageMetadata", {}).get("totalTokenCount", 0)
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError) as why:
        raise Nonsense("it did not answer by the schema") from why
    if not isinstance(found, dict):
        raise Nonsense("its answer is no object")
    return Answer(found, tokens if isinstance(tokens, int) else 0)


def _seconds(text: str) -> float | None:
    try:
        found = float(text)
    except ValueError:
        return None
    return min(max(found, 0.0), 3_600.0) if not math.isnan(found) else None
