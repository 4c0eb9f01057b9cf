"""Models of Amazon Bedrock: one call, one answer."""

from __future__ import annotations

import time
from collections.abc import Mapping
from threading import Lock
from typing import TYPE_CHECKING, Any

from siems.clouds.aws import FRESH, asked, open_client, open_session
from siems.errors import Conflict, SiemsError

if TYPE_CHECKING:
    from siems.config import Aws


class Models:
    """The runtime of Bedrock in one region. `converse` blocks, on any thread, and is not repeated here."""

    def __init__(self, settings: Aws, *, region: str = "", endpoint_url: str = "", seconds: float = 10.0) -> None:
        self._settings = settings.model_copy(update={"endpoint_url": endpoint_url or settings.endpoint_url})
        self.region = region or next(iter(settings.region_list), "")
        self._patience = {"connect_timeout": 3, "read_timeout": seconds, "retries": {"total_max_attempts": 1}}
        self._held: tuple[float, Any] = (0.0, None)
        self._lock = Lock()

    def converse(self, model: str, ask: Mapping[str, Any]) -> dict[str, Any]:
        """What a model says. Raises Conflict for what AWS will never do, Unavailable for what it may do later."""
        try:
            [said] = asked("bedrock:InvokeModel", self.region, lambda: [self._client().converse(modelId=model, **ask)])
        except SiemsError:
            self._held = (0.0, None)  # new credentials may do better
            raise
        found: dict[str, Any] = said
        return found

    def _client(self) -> Any:
        with self._lock:
            made, client = self._held
            if client is None or time.monotonic() - made > FRESH:
                session = open_session(self._settings, "")
                self.region = self.region or session.region_name or ""
                if not self.region:
                    raise Conflict("which region of AWS has the model?", hint="[bedrock] region in siems.toml")
                client = open_client(session, self._settings, "bedrock-runtime", self.region, patience=self._patience)
                self._held = (time.monotonic(), client)
            return client
