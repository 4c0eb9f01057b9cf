"""A runbook as people read it before they run or approve it."""

from __future__ import annotations

from siems.cli.show import Item, at


def card(r: Item) -> list[str]:
    """A runbook for people to read before they run or approve it."""
    from siems.present import safe

    lines = [
        f"{r['name']}   {safe(r['title'])}",
        f"{counts_as(r)}   {r['category']}   for {', '.join(r['platforms'])}   {whose(r)}",
        *(safe(line) for line in r["description"].splitlines()),
    ]
    if r["hides"]:
        hidden = "the one that ships" if r["hides"] == "library" else "the MSP's"
        lines.append(f"it is used instead of {hidden}:  siems runbook diff {r['name']}{flag(r)}")
    if r["matches"]:
        lines.append(f"offered for {safe(', '.join(r['matches']))}")
    if r["parameters"]:
        lines += ["", "it takes"]
        lines += [f"  --var {p['name']}=...  {safe(_takes(p))}" for p in r["parameters"]]
    for phase in ("precheck", "steps", "verify", "rollback"):
        lines += ["", phase] if r[phase] else []
        for number, step in enumerate(r[phase], 1):
            asks = ", asks if it fails" if step["on_failure"] == "ask" else ""
            lines.append(f"  {number}  {safe(step['name'])}   at most {_span(step['timeout_seconds'])}{asks}")
            for platform, script in step["run"].items():
                lines += [f"     [{platform}]"] if len(r["platforms"]) > 1 else []
                lines += [f"     | {safe(line)}" for line in script.splitlines()]
    return [*lines, *next_steps(r)]


def counts_as(r: Item) -> str:
    if not r["approved"]:
        return f"risk high: it declares {r['declared_risk']}, and nobody has approved its content"
    more = f" (it declares {r['declared_risk']})" if r["risk"] != r["declared_risk"] else ""
    return f"risk {r['risk']}{more}"


def whose(r: Item) -> str:
    from siems.present import safe

    if r["origin"] == "library":
        return "ships with siems"
    owner = "of the MSP" if r["origin"] == "msp" else f"of {r['company_id']}"
    by = f", approved by {safe(r['approved_by'])}" if r["approved"] else ""
    return f"{owner}, version {r['version']} by {safe(r['author_name'])} at {at(r['changed_at'])}{by}"


def _takes(p: Item) -> str:
    default = "has to be given" if p["default"] is None else f"else {p['default'] or 'nothing'}"
    return f"{p['description']}; {p['wants']}; {default}" if p["description"] else f"{p['wants']}; {default}"


def _span(seconds: int) -> str:
    from siems.present import duration

    return duration(seconds)


def next_steps(r: Item) -> list[str]:
    lines = [f"warning: {text}" for text in r["warnings"]]
    if not r["approved"]:
        lines.append(f"to approve its content:  siems runbook approve-content {r['name']}{flag(r)}")
    return ["", *lines] if lines else []


def flag(r: Item) -> str:
    return "" if r["origin"] == "library" else f" --company {r['company_id'].removeprefix('comp-')}"
