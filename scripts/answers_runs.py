"""What the routes of runbooks and their runs answer: a part of the page on the HTTP API."""

from __future__ import annotations

RUNS: dict[str, tuple[str, str]] = {
    "suggest_runbooks": ("the runbooks that match an incident, the best first", "items: SuggestionView"),
    "list_runbooks": ("what a `company` may use; without one all that the reader may see", "items: RunbookView"),
    "create_runbook": ("a new runbook of a company, or of `msp`", "RunbookDetail"),
    "show_runbook": ("one runbook with its steps and versions", "RunbookDetail"),
    "runbook_text": ("its text; of an earlier version with `version`", "RunbookText"),
    "edit_runbook": ("another text; it counts as HIGH until that is approved", "RunbookChanged"),
    "delete_runbook": ("it is gone from lists; its versions stay", ""),
    "approve_content": ("the text with this digest is believed, or is not any more", "RunbookChanged"),
    "list_runs": ("runs, the newest first; of an `incident`, or by a `query`", "items: RunView"),
    "ask_for_run": ("a run on assets; it begins at once where nobody has to approve it", "RunMade"),
    "show_run": ("one run with its hosts and steps", "RunDetail"),
    "run_output": ("what its hosts printed `after` a number; of one `host` or `step` only", "RunOutput"),
    "run_commands": ("exactly what it does on its hosts, by platform", "items: RunScripts"),
    "approve_run": ("somebody else lets it begin", "RunChanged"),
    "reject_run": ("it may not begin, and why", "RunChanged"),
    "cancel_run": ("nothing more begins, and what runs is stopped", "RunChanged"),
    "roll_back_run": ("a run that goes back where something may have been changed", "RunChanged"),
    "list_standing": ("approvals in advance; with `ended=true` those that are over, too", "items: StandingView"),
    "grant_standing": ("an approval in advance, of a runbook as it is now", "StandingView"),
    "revoke_standing": ("it covers nothing any more", "standing: StandingView"),
    "list_heals": ("what may run by itself", "items: HealView"),
    "set_heal": ("let an approved LOW runbook run by itself", "HealView"),
    "remove_heal": ("it does not run by itself any more", ""),
    "show_rule": ("as which risk a client's runs count", "RunRuleView"),
    "set_rule": ("more than what runbooks declare, never less", "RunRuleView"),
    "list_logins": ("how hosts are logged in to; secrets by name only", "items: HostLoginView"),
    "set_login": ("how an executor logs in to a client's hosts", "HostLoginView"),
    "remove_login": ("what was kept is gone", ""),
}
