"""What the routes of contacts, rules and messages answer: a part of the page on the HTTP API."""

from __future__ import annotations

MESSAGES: dict[str, tuple[str, str]] = {
    "list_channels": ("the channels there are, and whether the settings allow them", "items: ChannelView"),
    "list_contacts": ("how people can be reached: one's own, and of whom the caller may see", "items: ContactView"),
    "invite_browser": (
        "a page that makes a browser tell somebody; good for one, for a quarter of an hour",
        "BrowserView",
    ),
    "add_contact": ("a new way to reach somebody; a webhook without a secret gets one, shown once", "ContactView"),
    "delete_contact": ("removes it, with its rules", "removed, rules"),
    "send_code": ("sends the code that proves a contact, and says what the provider answered", "TrialView"),
    "verify_contact": ("the code arrived; a wrong one is used up", "verified"),
    "list_rules": ("who is told what, by which contact, after which wait", "items: RuleView"),
    "add_rule": ("a new rule; makes the contact where a channel and an address are given", "RuleView"),
    "edit_rule": ("changes what is given", "RuleView"),
    "delete_rule": ("the contact stays", "removed"),
    "list_preferences": ("quiet hours and digests", "items: PreferencesView"),
    "set_preferences": ("changes what is given; empty text ends it", "PreferencesView"),
    "list_follows": ("who hears of which company without being paged", "items: FollowView"),
    "follow": ("an empty `about` ends it", "changed"),
    "why": ("who was told about an incident or by a message, how, by which rule, and why not more", "items: ToldView"),
    "would_have": ("whom companies in shadow would have told", "items: WouldView"),
    "try_channel": ("sends a test message at once, and says what the provider answered", "TrialView"),
    "list_messages": ("the ledger, newest first", "items: MessageView"),
    "show_message": ("one message", "MessageView"),
    "retry_message": ("tries again what was given up", "changed, message"),
}
