"""The page about tools: what is read, how each signs, how it is set up."""

from __future__ import annotations

from siems.domain.signature import SIEMS, Scheme
from siems.sources import SOURCES


def tools() -> str:
    """The page, from the sources themselves."""
    lines = [
        "# Tools", "",
        "Each name is the address of its webhook, `/api/webhooks/<name>`, and what `siems integration add` takes.", "",
        "| name | tool | signs | tells clients apart by |", "|---|---|---|---|",
    ]  # fmt: skip
    found = [SOURCES.get(name) for name in SOURCES]
    for tool in found:
        tenant = f"`{tool.tenant}`" if tool.tenant else ""
        lines.append(f"| [`{tool.name}`](#{tool.name}) | {tool.title} | {_signs(tool.signing)} | {tenant} |")
    for tool in found:
        lines += ["", f"## {tool.name}", "", f"{tool.title}.", ""]
        lines += [f"{number}. {step}" for number, step in enumerate(tool.setup.steps, 1)]
        if tool.setup.snippet:
            lines += ["", f"{tool.setup.snippet_name}:", "", "```", tool.setup.snippet.rstrip(), "```"]
        if tool.setup.docs:
            lines += ["", f"See <{tool.setup.docs}>."]
    return "\n".join(lines) + "\n"


def _signs(scheme: Scheme | None) -> str:
    match scheme:
        case None:
            return "no"
        case Scheme() if scheme is SIEMS:
            return "yes, as the contract says"
        case Scheme(kind="field"):
            return f"by a secret in the body (`{scheme.field}`)"
        case Scheme(kind="header"):
            return f"by a secret header (`{scheme.header}`)"
        case _:
            return f"yes (`{scheme.header}`)"
