"""Messages arrive over real SMTP (STARTTLS, TLS, login) and HTTP; a failure is one sentence without a secret."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from stegvis.orchestration.monitoring import channels
from stegvis.orchestration.monitoring.channels import SendError, send
from stegvis.orchestration.monitoring.settings import Email, Webhook
from stegvis.orchestration.monitoring.wording import Message
from tests.mail_server import certificate, mail_server
from tests.web_server import web_server

MESSAGE = Message(
    "[stegvis x] BLOCKED a_b", "NEW\n- BLOCKED a_b [2027]: 3 < 4 & *more*\n.hidden dot", {"event": "causes"}
)
PASSWORD = "geheim-4711"


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("T_PASSWORD", PASSWORD)


def email(port: int, **more: Any) -> Email:
    return Email.model_validate(
        {"name": "mail", "host": "127.0.0.1", "port": port, "sender": "a@x.no", "to": ["b@x.no", "c@x.no"]} | more
    )


@pytest.mark.parametrize("security", ["starttls", "ssl"])
def test_a_mail_arrives_encrypted_after_a_login(security: str, tmp_path: Path) -> None:
    pem = certificate(tmp_path)
    with mail_server(pem, from_the_start=security == "ssl") as server:
        server.password = PASSWORD
        send(
            email(
                server.port, security=security, user="u", password_variable="T_PASSWORD",
                ca_file=str(tmp_path / "cert.pem"),
            ),
            MESSAGE,
        )  # fmt: skip
    (mail,) = server.mails
    assert (mail["Subject"], mail["To"], mail["Auto-Submitted"]) == (
        MESSAGE.subject,
        "b@x.no, c@x.no",
        "auto-generated",
    )
    assert server.texts[0].splitlines()[1:] == MESSAGE.text.splitlines()
    assert server.logins == [("u", PASSWORD)]
    assert server.secure == [True]


def test_a_server_with_an_unknown_certificate_gets_neither_mail_nor_password(tmp_path: Path) -> None:
    unknown = pytest.raises(SendError, match="the server's certificate cannot be verified")
    with mail_server(certificate(tmp_path)) as server, unknown:
        send(email(server.port, user="u", password_variable="T_PASSWORD"), MESSAGE)
    assert (server.mails, server.logins) == ([], [])


def test_where_starttls_is_asked_for_and_not_offered_nothing_is_sent() -> None:
    with mail_server() as server, pytest.raises(SendError, match="offers no STARTTLS"):
        send(email(server.port, user="u", password_variable="T_PASSWORD"), MESSAGE)
    assert (server.mails, server.logins) == ([], [])


def test_a_wrong_password_and_refused_addresses_are_said_without_them(tmp_path: Path) -> None:
    trusted = {"ca_file": str(tmp_path / "cert.pem")}
    with mail_server(certificate(tmp_path)) as server:
        server.password = "another"
        with pytest.raises(SendError) as wrong:
            send(email(server.port, user="u", password_variable="T_PASSWORD", **trusted), MESSAGE)
        server.answer = 550
        with pytest.raises(SendError) as refused:
            send(email(server.port, **trusted), MESSAGE)
    assert str(wrong.value) == "the mail server refused user or password"
    assert str(refused.value) == "the mail server refused every address"


def test_a_secret_that_is_not_set_is_named_by_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("T_PASSWORD")
    with pytest.raises(SendError, match="T_PASSWORD is not set"):
        send(email(1, user="u", password_variable="T_PASSWORD"), MESSAGE)


def test_a_server_that_does_not_answer_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channels, "TIMEOUT_SECONDS", 0.2)
    with mail_server() as server:
        server.silent = True
        with pytest.raises(SendError, match="did not answer in time"):
            send(email(server.port), MESSAGE)


def webhook(form: str) -> Webhook:
    return Webhook.model_validate({"name": "hook", "form": form, "address_variable": "T_HOOK"})


def post(form: str, monkeypatch: pytest.MonkeyPatch, status: int = 200) -> Any:
    with web_server() as server:
        monkeypatch.setenv("T_HOOK", server.address)
        server.status = status
        send(webhook(form), MESSAGE)
    return server.accepted[0]


def test_slack_gets_a_text_in_which_nothing_is_markup(monkeypatch: pytest.MonkeyPatch) -> None:
    body = post("slack", monkeypatch)
    assert list(body) == ["text"]
    assert body["text"].startswith("[stegvis x] BLOCKED a_b\nNEW\n- BLOCKED a_b [2027]: 3 &lt; 4 &amp;")


def test_teams_gets_an_adaptive_card_whose_lines_are_literal(monkeypatch: pytest.MonkeyPatch) -> None:
    body = post("teams", monkeypatch, status=202)
    (attachment,) = body["attachments"]
    assert (body["type"], attachment["contentType"]) == ("message", "application/vnd.microsoft.card.adaptive")
    card = attachment["content"]
    assert (card["type"], card["version"]) == ("AdaptiveCard", "1.4")
    texts = [block["text"] for block in card["body"]]
    assert texts[2] == r"- BLOCKED a\_b \[2027\]: 3 < 4 & \*more\*"
    assert len(texts) == 1 + len(MESSAGE.text.splitlines())


def test_json_has_the_message_and_its_facts(monkeypatch: pytest.MonkeyPatch) -> None:
    body = post("json", monkeypatch)
    assert body == {"source": "stegvis", "subject": MESSAGE.subject, "text": MESSAGE.text, "event": "causes"}


@pytest.mark.parametrize("status", [302, 404, 500])
def test_another_answer_is_a_failure_that_does_not_name_the_address(
    status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with web_server() as server:
        monkeypatch.setenv("T_HOOK", server.address)
        server.status = status
        with pytest.raises(SendError) as failure:
            send(webhook("json"), MESSAGE)
    assert str(failure.value) == f"the server answered {status}"
    assert len(server.bodies) == 1


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("file:///etc/passwd", "does not hold an address"),
        ("http://127.0.0.1:1/secret", "the connection was refused or ended"),
        ("http://[nonsense/secret", "does not hold an address"),
    ],
)
def test_an_address_that_cannot_be_used_is_not_shown(address: str, why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("T_HOOK", address)
    with pytest.raises(SendError, match=why) as failure:
        send(webhook("slack"), MESSAGE)
    shown = json.dumps([str(failure.value), repr(failure.value), str(failure.value.__cause__)])
    assert "secret" not in shown
    assert "passwd" not in shown
