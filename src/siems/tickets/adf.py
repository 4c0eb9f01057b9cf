"""The Atlassian Document Format of Jira Cloud: plain text into it, and text out of it."""

from __future__ import annotations

from typing import Any

_BLOCKS = frozenset(("paragraph", "heading", "blockquote", "codeBlock", "panel", "rule", "tableRow", "mediaSingle"))
DEEPEST = 60


def document(text: str) -> dict[str, Any]:
    """Lines as paragraphs; an empty line stays one."""
    return {
        "type": "doc",
        "version": 1,
        "content": [_paragraph(block) for block in text.split("\n\n") if block.strip()],
    }


def _paragraph(block: str) -> dict[str, Any]:
    content: list[dict[str, Any]] = []
    for line in block.strip("\n").split("\n"):
        if content:
            content.append({"type": "hardBreak"})
        if line:
            content.append({"type": "text", "text": line})
    return {"type": "paragraph", "content": content}


def text_of(value: Any) -> str:
    """What a document says, in plain lines; a text of the older API is its own."""
    if isinstance(value, str):
        return value
    return _walk(value, 0).strip() if isinstance(value, dict) else ""


def _walk(node: Any, depth: int) -> str:
    if not isinstance(node, dict) or depth > DEEPEST:
        return ""
    kind, attrs = node.get("type"), node.get("attrs")
    facts = attrs if isinstance(attrs, dict) else {}
    match kind:
        case "text":
            said = str(node.get("text", ""))
            return _linked(said, node.get("marks"))
        case "hardBreak":
            return "\n"
        case "mention" | "status" | "emoji" | "date":
            return str(facts.get("text") or facts.get("shortName") or facts.get("timestamp") or "")
        case "inlineCard" | "blockCard":
            return str(facts.get("url", ""))
        case "media":
            return f"[{facts.get('alt') or 'attachment'}]"
    inner = node.get("content")
    parts = [_walk(child, depth + 1) for child in inner] if isinstance(inner, list) else []
    said = "".join(parts)
    if kind == "listItem":
        return f"- {said.strip()}\n"
    return f"{said.rstrip()}\n" if kind in _BLOCKS else said


def _linked(said: str, marks: Any) -> str:
    for mark in marks if isinstance(marks, list) else ():
        if isinstance(mark, dict) and mark.get("type") == "link" and isinstance(mark.get("attrs"), dict):
            href = str(mark["attrs"].get("href", ""))
            return said if href in ("", said) else f"{said} ({href})"
    return said
