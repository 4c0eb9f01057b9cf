"""Mail: what a person sees, how letters of an incident hang together, and what servers may answer."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from providers.amazon import REGION, Amazon
from providers.post import Post, Refusal
from siems.channels import Destination, Refused, TryLater
from siems.channels.calling import now
from siems.errors import InvalidField, UsageError

from .conftest import HOSTILE, Open, bundle, message

SARAH = Destination(address="sarah@msp.example", name="Sarah Jones")


@pytest.fixture
def post() -> Iterator[Post]:
    with Post() as made:
        yield made


def by(post: Post, **more: Any) -> dict[str, Any]:
    plain = {"sender": "Siems <siems@msp.example>", "host": "127.0.0.1", "port": post.port, "tls": "none"}
    return {"email": plain | more}


async def test_a_page_is_a_letter_with_text_and_html(post: Post, opened: Open) -> None:
    accepted = await opened("email", **by(post)).send(message(), SARAH)
    [sent] = post.taken
    letter = sent.letter
    assert (sent.sender, sent.to) == ("siems@msp.example", ("sarah@msp.example",))
    assert accepted.message_id == letter["Message-ID"]
    assert letter["Subject"] == "CRITICAL Acme INC-42: High CPU usage on web-01"
    assert (letter["From"], letter["To"]) == ("Siems <siems@msp.example>", "Sarah Jones <sarah@msp.example>")
    assert sent.part("plain").splitlines() == [
        "CRITICAL · Acme · INC-42", "", "High CPU usage on web-01", "", "CPU at 95% for 10 minutes", "Seen by Datadog",
        "", "Acknowledge: https://siems.example/a/ack-token", "Resolve: https://siems.example/a/resolve-token",
        "Open: https://siems.example/i/42",
    ]  # fmt: skip
    assert 'href="https://siems.example/a/ack-token"' in sent.part("html")


async def test_letters_of_an_incident_are_one_conversation(post: Post, opened: Open) -> None:
    channel = opened("email", **by(post))
    for key, thread, company in (("1", "INC-42", "a"), ("2", "INC-42", "a"), ("3", "INC-43", "a"), ("4", "", "a")):
        await channel.send(message(key=key, thread=thread, company_id=company), SARAH)
    letters = [sent.letter for sent in post.taken]
    assert letters[0]["References"] == letters[1]["References"] == letters[1]["In-Reply-To"]
    assert letters[2]["References"] != letters[0]["References"]
    assert letters[3]["References"] is None
    assert len({letter["Message-ID"] for letter in letters}) == 4


async def test_a_second_try_is_the_same_letter(post: Post, opened: Open) -> None:
    channel = opened("email", **by(post))
    ids = {(await channel.send(message(), SARAH)).message_id for _ in range(2)}
    assert len(ids) == 1


async def test_pages_are_urgent_and_everything_says_that_a_machine_wrote_it(post: Post, opened: Open) -> None:
    channel = opened("email", **by(post))
    await channel.send(message(), SARAH)
    await channel.send(message(key="2", pages=False), SARAH)
    page, other = (sent.letter for sent in post.taken)
    assert (page["X-Priority"], page["Importance"]) == ("1", "high")
    assert (other["X-Priority"], other["Importance"]) == (None, None)
    assert (page["Auto-Submitted"], page["List-Id"]) == ("auto-generated", "<comp-acme.siems.msp.example>")


async def test_a_bundle_lists_its_members_in_both_parts(post: Post, opened: Open) -> None:
    await opened("email", **by(post)).send(bundle(3), SARAH)
    for kind in ("plain", "html"):
        assert all(f"{n} INC-{40 + n} CRITICAL: disk full" in post.taken[0].part(kind) for n in (1, 2, 3))


async def test_hostile_text_adds_no_header_no_markup_and_no_control_character(post: Post, opened: Open) -> None:
    evil = f"down\r\nBcc: all@evil.example\r\n\r\n<b>hi</b>{HOSTILE}"
    odd = Destination(address="sarah@msp.example", name='S\r\nBcc: x@evil.example "><x')
    await opened("email", **by(post)).send(message(subject=evil, text=evil, company=evil, object=evil), odd)
    [sent] = post.taken
    assert sent.letter["Bcc"] is None
    assert sent.to == ("sarah@msp.example",)
    html = sent.part("html")
    assert "<script>" not in html
    assert "<b>hi" not in html
    for text in (html, sent.part("plain"), sent.letter["Subject"]):
        assert not [c for c in text if not c.isprintable() and c != "\n"]


async def test_huge_text_is_cut_and_its_links_stay(post: Post, opened: Open) -> None:
    await opened("email", **by(post)).send(message(subject="x" * 1_000_000, text="y\n" * 1_000_000), SARAH)
    sent = post.taken[0]
    assert len(sent.raw) < 100_000
    assert "https://siems.example/a/ack-token" in sent.part("plain")


@pytest.mark.parametrize(
    ("refusal", "kind"),
    [
        (Refusal("MAIL", "421 4.3.2 too busy"), TryLater), (Refusal("RCPT", "451 4.7.1 greylisted"), TryLater),
        (Refusal("RCPT", "550 5.1.1 no such user"), Refused), (Refusal("MAIL", "553 5.7.1 not you"), Refused),
        (Refusal("DATA", "452 4.2.2 full"), TryLater), (Refusal("DATA", "554 5.7.1 spam"), Refused),
        (Refusal("RCPT", reset=True), TryLater), (Refusal("DATA", reset=True), TryLater),
    ],
)  # fmt: skip
async def test_what_servers_answer(refusal: Refusal, kind: type[Exception], post: Post, opened: Open) -> None:
    post.then(refusal)
    channel = opened("email", **by(post))
    with pytest.raises(kind, match=refusal.answer[:3] or "broke off"):
        await channel.send(message(), SARAH)
    assert len(post.taken) == (1 if refusal == Refusal("DATA", reset=True) else 0)
    await channel.send(message(), SARAH)


async def test_a_server_that_says_no_goodbye_has_the_letter_all_the_same(post: Post, opened: Open) -> None:
    post.then(Refusal("QUIT", hold=True))
    assert (await opened("email", **by(post)).send(message(), SARAH)).message_id
    assert len(post.taken) == 1


async def test_who_gives_up_on_a_hanging_server_can_go_on(post: Post, opened: Open) -> None:
    post.then(Refusal("RCPT", hold=True))
    channel = opened("email", **by(post))
    sending = asyncio.create_task(channel.send(message(), SARAH))
    await post.until_met(1)
    await channel.send(message(key="other"), SARAH)  # one that hangs holds up no other
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending
    assert len(post.taken) == 1


async def test_nobody_there(opened: Open) -> None:
    with Post() as gone:
        sections = by(gone)
    with pytest.raises(TryLater, match="cannot be reached"):
        await opened("email", **sections).send(message(), SARAH)


async def test_a_login_is_used_and_a_wrong_one_is_refused_without_telling_it(opened: Open) -> None:
    with Post(user="siems", password="canary-password") as post:
        await opened("email", **by(post, user="siems", password="canary-password")).send(message(), SARAH)
        assert post.taken[0].user == "siems"
        with pytest.raises(Refused, match="535") as told:
            await opened("email", **by(post, user="siems", password="canary-wrong")).send(message(), SARAH)
        assert "canary" not in str(told.value)


@pytest.mark.parametrize("kind", ["starttls", "implicit"])
async def test_tls_is_used_and_the_server_must_prove_its_name(kind: str, tmp_path: Path, opened: Open) -> None:
    file = tmp_path / "server.pem"
    made_certificate(file)
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(file)
    with Post(tls=server, implicit=kind == "implicit") as post:
        with pytest.raises(TryLater):
            await opened("email", **by(post, tls=kind, host="localhost")).send(message(), SARAH)
        assert not post.taken, "nobody knows who signed it"
        await opened("email", **by(post, tls=kind, host="localhost", ca_file=str(file))).send(message(), SARAH)
        assert post.secured == 1
        with pytest.raises(TryLater):
            await opened("email", **by(post, tls=kind, ca_file=str(file))).send(message(), SARAH)
        assert post.secured == 1, "127.0.0.1 is not its name"


async def test_a_server_without_starttls_gets_nothing_where_it_is_asked_for(post: Post, opened: Open) -> None:
    with pytest.raises(Refused, match="STARTTLS"):
        await opened("email", **by(post, tls="starttls")).send(message(), SARAH)
    assert not post.taken


def made_certificate(file: Path) -> None:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now() - timedelta(days=1)).not_valid_after(now() + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))


@pytest.mark.parametrize(
    "address",
    ["", "sarah", "@x.example", "a@", "a b@x.example", "a@x.example, b@x.example", "a@x.example\r\nRCPT TO:<b@x>",
     "<a@x.example>", "a@-x", "ä@x.example", "a" * 300 + "@x.example"],
)  # fmt: skip
async def test_what_is_no_address(address: str, opened: Open) -> None:
    channel = opened("email", email={"sender": "siems@msp.example", "host": "127.0.0.1"})
    with pytest.raises(InvalidField, match="no mail address"):
        channel.check(address, {})


async def test_addresses_have_one_form(opened: Open) -> None:
    channel = opened("email", email={"sender": "siems@msp.example", "host": "127.0.0.1"})
    assert channel.check(" Sarah.J+ops@MSP.example ", {}) == "Sarah.J+ops@msp.example"
    assert channel.check("s@münchen.example", {}) == "s@xn--mnchen-3ya.example"


@pytest.mark.parametrize(
    ("sections", "missing"),
    [({}, "sender"), ({"sender": "s@x.example"}, "server"), ({"sender": "nobody", "host": "x"}, "no mail address"),
     ({"sender": "s@x.example", "host": "x", "ca_file": "nowhere.pem"}, "ca_file")],
)  # fmt: skip
def test_what_is_missing_is_named(sections: dict[str, Any], missing: str) -> None:
    from siems.channels.email import Email

    from .conftest import settings

    with pytest.raises(UsageError, match=missing):
        Email(settings(email=sections))


# --- Amazon ----------------------------------------------------------------------------------------------------


@pytest.fixture
def amazon(monkeypatch: pytest.MonkeyPatch) -> Iterator[Amazon]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "canary-key")
    with Amazon() as made:
        yield made


def by_ses(amazon: Amazon) -> dict[str, Any]:
    return {
        "email": {"provider": "ses", "sender": "Siems <siems@msp.example>"},
        "aws": {"endpoint_url": amazon.url, "regions": REGION},
    }


async def test_ses_takes_the_same_letter(amazon: Amazon, opened: Open) -> None:
    amazon.verify("siems@msp.example")
    accepted = await opened("email", **by_ses(amazon)).send(message(), SARAH)
    [sent] = amazon.letters
    assert accepted.message_id == sent["id"]
    assert sent["destinations"][0] == "sarah@msp.example"
    assert "Subject: CRITICAL Acme INC-42: High CPU usage on web-01" in sent["raw_data"]


@pytest.mark.parametrize(
    ("trouble", "kind"),
    [((400, "Throttling"), TryLater), ((503, "ServiceUnavailable"), TryLater), ((500, "InternalFailure"), TryLater),
     ((400, "MessageRejected"), Refused), ((403, "AccessDenied"), Refused)],
)  # fmt: skip
async def test_what_ses_answers(trouble: tuple[int, str], kind: type[Exception], amazon: Amazon, opened: Open) -> None:
    amazon.verify("siems@msp.example")
    amazon.asked.clear()
    amazon.then(trouble)
    channel = opened("email", **by_ses(amazon))
    with pytest.raises(kind, match=trouble[1]) as told:
        await channel.send(message(), SARAH)
    assert "canary" not in str(told.value)
    assert amazon.asked == ["ses"], "asked once: what timed out may have been sent"
    await channel.send(message(), SARAH)


async def test_an_address_that_may_not_send(amazon: Amazon, opened: Open) -> None:
    with pytest.raises(Refused, match="MessageRejected"):
        await opened("email", **by_ses(amazon)).send(message(), SARAH)
