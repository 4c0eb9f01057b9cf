"""What the routes of groups, watching and searching answer: a part of the page on the HTTP API."""

from __future__ import annotations

GROUPS: dict[str, tuple[str, str]] = {
    "create_incident": ("opens one by hand, or of an alert that has none yet", "ActAnswer"),
    "show_last_act": ("what the reader may take back now; `id` is null when there is nothing", "LastAct"),
    "watch_incident": ("the reader hears what becomes of it", "`id`, `title`, `changed`, `watching`"),
    "unwatch_incident": ("the reader hears no more of it than others do", "`id`, `title`, `changed`, `watching`"),
    "list_parents": (
        "groups of incidents of several clients; `state=ended`, `state=resolved,closed`, `state=all`",
        "items: ParentView",
    ),
    "create_parent": ("a group of these incidents, and of those that its query finds now and later", "ParentAnswer"),
    "show_parent": ("one group, with the incidents that the reader may see", "ParentView"),
    "ack_parent": ("acknowledges all of its incidents; what joins from now on calls nobody", "ParentAnswer"),
    "hold_parent": ("puts all of its incidents on hold", "ParentAnswer"),
    "resume_parent": ("ends the hold of all of its incidents", "ParentAnswer"),
    "note_parent": ("a note in its story, and with `to_children` in each of its incidents", "ParentAnswer"),
    "update_parent": ("a public note in each of its incidents, by a template", "ParentAnswer"),
    "add_children": ("more incidents of it", "ParentAnswer"),
    "remove_children": ("these are on their own again", "ParentAnswer"),
    "resolve_parent": ("resolves all of its incidents, and ends it", "ParentAnswer"),
    "close_parent": ("ends it; its incidents stay as they are", "ParentAnswer"),
    "search_all": ("words in incidents, alerts, notes and the audit log, the newest first", "SearchAnswer"),
}
