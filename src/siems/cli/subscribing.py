"""`siems notify browser`: a browser that is told."""

from __future__ import annotations

from typing import Annotated

import typer

from siems.cli import browser as window
from siems.cli.context import Door, leaf
from siems.cli.reach import User
from siems.cli.show import Item, at, show_one


@leaf
def browser(
    door: Door,
    user: User = "@me",
    open_: Annotated[bool, typer.Option("--open", help="in the browser of this machine")] = False,
    new_key: Annotated[
        bool, typer.Option("--new-key", help="print a key for webpush.private_key, and no more")
    ] = False,
) -> None:
    """A page that makes a browser of yours tell you: siems notify browser

    Open it in that browser within 15 minutes. It is good for one browser.
    """
    if new_key:
        print(_fresh())
        return
    made = door.client.invite_browser(user=user)
    show_one(door, made, _told, id="url")
    if open_:
        window.show(door, made["url"])


def _told(made: Item) -> list[str]:
    lines = [f"open this in the browser that is to tell {made['user']}, until {at(made['until'])}:", "", made["url"]]
    if made["url"].startswith("http://"):
        lines += ["", "browsers take it by https only, or on this machine itself:  siems config set server.public_url"]
    return lines


def _fresh() -> str:
    """A private key of VAPID."""
    from base64 import urlsafe_b64encode

    from cryptography.hazmat.primitives.asymmetric import ec

    number = ec.generate_private_key(ec.SECP256R1()).private_numbers().private_value
    return urlsafe_b64encode(number.to_bytes(32, "big")).rstrip(b"=").decode()
