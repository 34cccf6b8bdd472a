"""Sending a message: by e-mail, or to the address of a webhook.

Belongs here: one attempt on one channel, and why it failed, in words without a secret. Does not belong here: what is
sent (``wording.py``), when, and what happens after a failure (``notifying.py``).
"""

from __future__ import annotations

import html
import json
import os
import re
import smtplib
import ssl
import urllib.error
import urllib.request
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from http.client import HTTPException
from typing import Any
from urllib.parse import urlsplit

from stegvis.orchestration.monitoring.settings import Email, Webhook
from stegvis.orchestration.monitoring.wording import Message

# Of each step of a conversation with a server: one that does not answer must not stop the sensor.
TIMEOUT_SECONDS = 8.0
# Teams and Slack show no more; a message of ours is shorter but for many causes at once.
_LONGEST_TEXT = 8_000


class SendError(RuntimeError):
    """A message was not accepted; the text says why, without the address of a webhook or a password."""


def send(channel: Email | Webhook, message: Message) -> None:
    """Send a message over a channel.

    Raises:
        SendError: it was not accepted.
    """
    try:
        if isinstance(channel, Email):
            _send_email(channel, message)
        else:
            _post(channel, message)
    except (smtplib.SMTPException, HTTPException, OSError, UnicodeError, ValueError) as error:
        # The texts of these errors may quote an address, an account or the message.
        raise SendError(_reason(error)) from None


def _secret(variable: str) -> str:
    value = os.environ.get(variable, "").strip()
    if not value:
        raise SendError(f"the environment variable {variable} is not set for the process that sends")
    return value


def _context(ca_file: str) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if ca_file:
        try:
            context.load_verify_locations(cafile=ca_file)
        except OSError:
            raise SendError("its ca_file cannot be read, or holds no certificate") from None
    return context


def _send_email(channel: Email, message: Message) -> None:
    mail = EmailMessage()
    mail["Subject"], mail["From"], mail["To"] = message.subject, channel.sender, ", ".join(channel.to)
    mail["Date"], mail["Message-ID"] = formatdate(), make_msgid(domain=channel.sender.rpartition("@")[2])
    mail["Auto-Submitted"] = "auto-generated"  # so that nobody's absence note answers it
    mail.set_content(message.text)
    password = _secret(channel.password_variable) if channel.user else ""
    if channel.security == "ssl":
        server: smtplib.SMTP = smtplib.SMTP_SSL(
            channel.host, channel.port, timeout=TIMEOUT_SECONDS, context=_context(channel.ca_file)
        )
    else:
        server = smtplib.SMTP(channel.host, channel.port, timeout=TIMEOUT_SECONDS)
    with server:
        if channel.security == "starttls":
            server.starttls(context=_context(channel.ca_file))
        if channel.user:
            server.login(channel.user, password)
        refused = server.send_message(mail)
    if refused:
        raise SendError(f"the mail server refused {len(refused)} of {len(channel.to)} addresses")


def _post(channel: Webhook, message: Message) -> None:
    address = _secret(channel.address_variable)
    if not _is_address(address):
        raise SendError(f"{channel.address_variable} does not hold an address that begins with https:// or http://")
    body = json.dumps(_body(channel.form, message)).encode()
    request = urllib.request.Request(address, body, {"Content-Type": "application/json", "User-Agent": "stegvis"})
    opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=_context(channel.ca_file)), _NoRedirect())
    with opener.open(request, timeout=TIMEOUT_SECONDS) as answer:
        if not 200 <= answer.status < 300:
            raise SendError(f"the server answered {answer.status}")


def _is_address(text: str) -> bool:
    try:
        return urlsplit(text).scheme in ("http", "https") and bool(urlsplit(text).hostname)
    except ValueError:
        return False


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect is a failure: the message would go to another address, or be lost as a GET."""

    def redirect_request(self, *_arguments: Any) -> None:
        return None


def _body(form: str, message: Message) -> dict[str, Any]:
    """What is posted, in the form that the receiver reads."""
    text = message.text[:_LONGEST_TEXT]
    if form == "slack":
        return {"text": html.escape(f"{message.subject}\n{text}", quote=False)}
    if form == "teams":
        # An adaptive card, as workflows ("when a webhook request is received") take it.
        blocks = [{"type": "TextBlock", "text": _literal(message.subject), "weight": "Bolder", "wrap": True}]
        blocks += [
            {"type": "TextBlock", "text": _literal(line), "wrap": True, "spacing": "Small"}
            for line in text.splitlines()
        ]
        card = {
            "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
            "type": "AdaptiveCard",
            "version": "1.4",
            "body": blocks,
        }
        attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
        return {"type": "message", "attachments": [attachment]}
    return {"source": "stegvis", "subject": message.subject, "text": text, **message.facts}


def _literal(text: str) -> str:
    """A text in which nothing is Markdown: a name of a delivery may have underscores."""
    return re.sub(r"([\\`*_{}\[\]()#+!|>~])", r"\\\1", text)


# Why a server did not take a message; the first that fits.
_REASONS: tuple[tuple[type[BaseException], str], ...] = (
    (smtplib.SMTPAuthenticationError, "the mail server refused user or password"),
    (smtplib.SMTPRecipientsRefused, "the mail server refused every address"),
    (smtplib.SMTPNotSupportedError, "the mail server offers no STARTTLS, or no login"),
    (smtplib.SMTPResponseException, "the mail server answered {code}"),
    (ssl.SSLCertVerificationError, "the server's certificate cannot be verified"),
    (ssl.SSLError, "no secure connection could be made"),
    (smtplib.SMTPServerDisconnected, "the mail server did not answer in time, or ended the connection"),
    (TimeoutError, f"the server did not answer within {TIMEOUT_SECONDS:.0f} seconds"),
    (ConnectionError, "the connection was refused or ended"),
    (OSError, "the server cannot be reached"),
)


def _reason(error: Exception) -> str:
    """The kind of failure, without a text of the server."""
    if isinstance(error, urllib.error.HTTPError):
        return f"the server answered {error.code}"
    cause = error.reason if isinstance(error, urllib.error.URLError) else error
    for kind, words in _REASONS:
        if isinstance(cause, kind):
            return words.format(code=getattr(cause, "smtp_code", ""))
    return f"unexpected {type(cause).__name__}"
