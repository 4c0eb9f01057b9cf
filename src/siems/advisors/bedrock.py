"""Advice by a model on Amazon Bedrock: the Converse API, answered by a tool's schema and nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from siems.advisors import Answer, Refused, TryLater
from siems.clouds.aws_models import Models
from siems.config import Settings
from siems.domain.advice import Question
from siems.domain.drafts import Nonsense
from siems.domain.sealing import Prompt
from siems.errors import Conflict, InvalidField, Unavailable, UsageError

TOOL = "give_advice"
MOST_TOKENS = 700


class Bedrock:
    leaves = True

    def __init__(self, settings: Settings) -> None:
        chosen = settings.bedrock
        self.model = chosen.model
        if not self.model:
            raise UsageError("Bedrock is not set up: which model?", hint="[bedrock] model in siems.toml")
        self._models = Models(
            settings.aws, region=chosen.region, endpoint_url=chosen.endpoint_url,
            seconds=settings.advice.timeout_seconds,
        )  # fmt: skip

    async def advise(self, asked: Question | Prompt) -> Answer:
        assert isinstance(asked, Prompt), "what leaves is sealed"
        try:
            said = await asyncio.to_thread(self._models.converse, self.model, request(asked))
        except Unavailable as why:
            raise TryLater(why.message, why.retry_after) from why
        except (Conflict, InvalidField) as why:
            raise Refused(why.message) from why
        return read(said)

    async def close(self) -> None:
        pass


def request(prompt: Prompt) -> dict[str, Any]:
    """The arguments of Converse but the model; the tool must be used, so that no free text comes back."""
    spec = {"name": TOOL, "description": "Give your advice", "inputSchema": {"json": dict(prompt.schema)}}
    return {
        "system": [{"text": prompt.system}],
        "messages": [{"role": "user", "content": [{"text": prompt.text}]}],
        "inferenceConfig": {"maxTokens": MOST_TOKENS, "temperature": 0.0},
        "toolConfig": {"tools": [{"toolSpec": spec}], "toolChoice": {"tool": {"name": TOOL}}},
    }


def read(said: Mapping[str, Any]) -> Answer:
    """The input that the model has given to the tool. Raises Nonsense when it has not."""
    usage = said.get("usage")
    tokens = usage.get("totalTokens", 0) if isinstance(usage, Mapping) else 0
    try:
        parts = said["output"]["message"]["content"]
        found = next(part["toolUse"]["input"] for part in parts if part.get("toolUse", {}).get("name") == TOOL)
    except (KeyError, TypeError, AttributeError, StopIteration) as why:
        raise Nonsense("it did not answer by the schema") from why
    if not isinstance(found, Mapping):
        raise Nonsense("its answer is no object")
    return Answer(found, tokens if isinstance(tokens, int) else 0)
