"""`siems incident explain`: the whole trace of decisions, for people."""

from __future__ import annotations

from siems.cli.advice import insight_lines
from siems.cli.runbook_offer import offered
from siems.cli.show import Item, at


def story(e: Item) -> list[str]:
    """Why grouped, why this score, why this person, who was told, what comes next."""
    from siems.present import safe

    lines = [f"{e['id']}  {e['severity']}  {e['state']}  {safe(e['title'])}", "", "why these alerts are one incident"]
    for alert in e["grouping"]:
        times = f" x{alert['count']}" if alert["count"] > 1 else ""
        lines.append(
            f"  {alert['id']}  {safe(alert['asset_name'])} {safe(alert['signature'])}{times} from"
            f" {safe(alert['tool_source'])}: {alert['rule']}, {safe(alert['evidence'])}"
        )
    if e["alerts"] > len(e["grouping"]):
        lines.append(f"  and {e['alerts'] - len(e['grouping'])} more")
    lines += [f"  {safe(text)}" for text in e["merged"]]
    lines += ["", f"why its score is {e['score']}"]
    lines += [f"  {term['points']:>+4}  {term['name']}: {safe(term['why'])}" for term in e["terms"]]
    lines += ["", f"why it is with {safe(e['owner']) or 'nobody'}"]
    lines += [f"  {safe(text)}" for text in e["ownership"]] or ["  nobody has taken it, and nobody was given it"]
    if e["choice"]:
        lines.append(f"  the candidates of {e['choice']['strategy']}:  siems incident candidates {e['id']} --kept")
    lines += ["", f"escalation: policy {safe(e['policy'])}, level {e['level']}"]
    lines += [f"  {safe(text)}" for text in e["escalations"]]
    lines += ["", "who was told"]
    for told in e["told"]:
        mark = " (page)" if told["pages"] else ""
        inbox = "not told" if told["inbox"] == "cancelled" else "inbox"
        why = f"; {safe(told['why'])}" if told["why"] else ""
        lines.append(f"  {at(told['at'])}  {safe(told['user'])}: {told['event']}{mark}: {inbox}{why}")
        for m in told["messages"]:
            error = f": {safe(m['error'])}" if m["error"] else ""
            lines.append(f"      {m['channel']} {m['state']}{error}  [{safe(m['why'])}]")
    if not e["told"]:
        lines.append("  nobody")
    lines += ["", "what is advised"]
    lines += [f"  {line}" for line in insight_lines(e.get("advice"), e["id"])] or ["  nothing"]
    lines += ["", "what happens next, if nobody does anything"]
    lines += [f"  {at(one['at'])}  {safe(one['text'])}" for one in e["next"]] or ["  nothing"]
    if e.get("runbooks"):
        lines += ["", "which runbooks match it", *(f"  {text}" for text in offered(e["runbooks"]))]
    return [*lines, "", f"the arithmetic of its deadlines:  siems sla explain {e['id']}"]
