"""Models that advise: Amazon Bedrock and Gemini, as far as siems speaks to them. They say what they are told to say."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from aiohttp import web

from . import Provider, Seen

KEY = "gemini-canary-key"
SOUND = {
    "pattern": "cascade", "root_cause": "The uplink of [asset-1] is probably down.",
    "recommendation": "Look at the uplink of [asset-1] first.", "confidence": 0.83, "evidence": ["A1"],
}  # fmt: skip
_FACTS = re.compile(r"<facts-([0-9a-f]{16})>\n(.*)\n</facts-\1>", re.DOTALL)


class Model(Provider):
    """`says` is the answer, or makes it of the facts that were handed over."""

    def __init__(self, says: Any = None) -> None:
        super().__init__()
        self.says: Any = SOUND if says is None else says
        self.asked: list[dict[str, Any]] = []
        self.texts: list[str] = []

    def facts(self, text: str) -> dict[str, Any]:
        """What stands between the marks, of which there is one pair."""
        found = _FACTS.search(text)
        assert found is not None, text
        assert len(re.findall(r"</?facts-", text)) == 2
        said: dict[str, Any] = json.loads(found.group(2))
        self.asked.append(said)
        self.texts.append(text)
        return said

    def draft(self, text: str) -> Any:
        facts = self.facts(text)
        return self.says(facts) if isinstance(self.says, Callable) else self.says  # type: ignore[arg-type]


class Gemini(Model):
    async def answer(self, seen: Seen) -> web.Response:
        assert seen.path.startswith("/v1beta/models/gemini-2.5-flash:generateContent"), seen.path
        if seen.headers.get("x-goog-api-key") != KEY:
            return web.json_response({"error": {"code": 403}}, status=403)
        body = seen.json
        assert body["generationConfig"]["responseMimeType"] == "application/json"
        assert body["generationConfig"]["responseSchema"]["required"]
        said = self.draft(body["contents"][0]["parts"][0]["text"])
        text = said if isinstance(said, str) else json.dumps(said)
        self.take(seen)
        return web.json_response(
            {"candidates": [{"content": {"parts": [{"text": text}]}}], "usageMetadata": {"totalTokenCount": 321}}
        )


class Bedrock(Model):
    async def answer(self, seen: Seen) -> web.Response:
        assert re.fullmatch(r"/model/[^/]+/converse", seen.path), seen.path
        assert "AWS4-HMAC-SHA256" in seen.headers.get("Authorization", "")
        body = seen.json
        assert body["toolConfig"]["toolChoice"] == {"tool": {"name": "give_advice"}}
        said = self.draft(body["messages"][0]["content"][0]["text"])
        self.take(seen)
        part = {"text": said} if isinstance(said, str) else {
            "toolUse": {"toolUseId": "t1", "name": "give_advice", "input": said}
        }  # fmt: skip
        return web.json_response(
            {
                "output": {"message": {"role": "assistant", "content": [part]}}, "stopReason": "tool_use",
                "usage": {"inputTokens": 200, "outputTokens": 100, "totalTokens": 300},
                "metrics": {"latencyMs": 5},
            }
        )  # fmt: skip
