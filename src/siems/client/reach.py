"""How people are reached, and what was sent: one method per verb."""

from __future__ import annotations

from typing import Any

from siems.client.transport import Transport, given, part, said


class Reach(Transport):
    def channels(self) -> list[dict[str, Any]]:
        """`list[wire.ChannelView]`."""
        return self._items("/channels")

    def contacts(self, *, user: str = "") -> list[dict[str, Any]]:
        """`list[wire.ContactView]`."""
        return self._items("/contacts", user=user)

    def add_contact(self, *, idempotency_key: str = "", **ask: Any) -> dict[str, Any]:
        """`wire.ContactAsk` in, `wire.ContactView` out."""
        return self._post("/contacts", given(ask), idempotency_key=idempotency_key)

    def delete_contact(self, ref: str) -> dict[str, Any]:
        return self._send("DELETE", f"/contacts/{part(ref)}", {})

    def invite_browser(self, *, user: str = "@me") -> dict[str, Any]:
        """`wire.BrowserView`: the page on which a browser subscribes."""
        return self._post("/notify/browsers", {"user": user})

    def send_code(self, ref: str) -> dict[str, Any]:
        """`wire.TrialView`: the code is on its way to the contact."""
        return self._post(f"/contacts/{part(ref)}/code", {})

    def verify_contact(self, ref: str, code: str) -> dict[str, Any]:
        return self._post(f"/contacts/{part(ref)}/verify", {"code": code})

    def notify_rules(self, *, user: str = "") -> list[dict[str, Any]]:
        """`list[wire.RuleView]`."""
        return self._items("/notify/rules", user=user)

    def add_rule(self, *, idempotency_key: str = "", **ask: Any) -> dict[str, Any]:
        """`wire.RuleAsk` in, `wire.RuleView` out."""
        return self._post("/notify/rules", given(ask), idempotency_key=idempotency_key)

    def edit_rule(self, ref: str, **ask: Any) -> dict[str, Any]:
        return self._send("PATCH", f"/notify/rules/{part(ref)}", said(ask))

    def delete_rule(self, ref: str) -> dict[str, Any]:
        return self._send("DELETE", f"/notify/rules/{part(ref)}", {})

    def preferences(self, *, user: str = "") -> list[dict[str, Any]]:
        """`list[wire.PreferencesView]`."""
        return self._items("/notify/preferences", user=user)

    def set_preferences(self, **ask: Any) -> dict[str, Any]:
        """`wire.PreferencesAsk` in, `wire.PreferencesView` out."""
        return self._post("/notify/preferences", said(ask))

    def follows(self, *, user: str = "") -> list[dict[str, Any]]:
        """`list[wire.FollowView]`."""
        return self._items("/notify/follows", user=user)

    def follow(self, **ask: Any) -> dict[str, Any]:
        """`wire.FollowAsk` in, {"changed"} out."""
        return self._post("/notify/follows", said(ask))

    def messages(
        self, *, object: str = "", user: str = "", state: str = "", since: str = "", limit: int = 0
    ) -> list[dict[str, Any]]:  # fmt: skip
        """`list[wire.MessageView]`, newest first."""
        return self._items("/messages", object=object, user=user, state=state, since=since, limit=limit)

    def message(self, ref: str) -> dict[str, Any]:
        """`wire.MessageView`."""
        return self._get(f"/messages/{part(ref)}")

    def retry_message(self, ref: str) -> dict[str, Any]:
        """{"changed", "message"}."""
        return self._post(f"/messages/{part(ref)}/retry", {})

    def why_told(self, ref: str) -> list[dict[str, Any]]:
        """`list[wire.ToldView]`."""
        return self._items(f"/notify/why/{part(ref)}")

    def would_have_told(self, *, since: str = "") -> list[dict[str, Any]]:
        """`list[wire.WouldView]`."""
        return self._items("/notify/shadow", since=since)

    def try_channel(self, **ask: Any) -> dict[str, Any]:
        """`wire.TrialAsk` in, `wire.TrialView` out."""
        return self._post("/notify/test", given(ask))
