"""A mail server on this machine that keeps what it is sent: SMTP with STARTTLS or TLS, and a login."""

from __future__ import annotations

import base64
import shutil
import socketserver
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message
from email.policy import default
from pathlib import Path

import pytest


@dataclass
class MailServer:
    """What it was sent, and how it behaves.

    Attributes:
        mails: each accepted message.
        logins: user and password of each login, as they came.
        secure: whether each mail came over an encrypted connection.
        answer: to the recipient's command: 250 accepts.
        silent: never answer anything.
    """

    port: int = 0
    mails: list[Message] = field(default_factory=list)
    logins: list[tuple[str, str]] = field(default_factory=list)
    secure: list[bool] = field(default_factory=list)
    answer: int = 250
    password: str = ""
    silent: bool = False

    @property
    def texts(self) -> list[str]:
        return [f"{mail['Subject']}\n{mail.get_content()}" for mail in self.mails]  # type: ignore[attr-defined]


def certificate(folder: Path) -> Path:
    """A certificate for 127.0.0.1 with its key in one file, made by openssl."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl, which makes the certificate, is not installed")
    file = folder / "server.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1",
         "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(file), "-out", str(folder / "cert.pem")],
        check=True, capture_output=True,
    )  # fmt: skip
    file.write_text(file.read_text() + (folder / "cert.pem").read_text())
    return file


class _Conversation(socketserver.StreamRequestHandler):
    """One client; ``kept``, ``context`` and ``from_the_start`` are those of the server."""

    kept: MailServer
    context: ssl.SSLContext | None
    from_the_start: bool

    def setup(self) -> None:
        self.encrypted = False
        super().setup()
        if self.from_the_start:
            self.encrypt()

    def encrypt(self) -> None:
        assert self.context is not None
        self.connection = self.context.wrap_socket(self.request, server_side=True)
        self.rfile = self.connection.makefile("rb")
        self.wfile = self.connection.makefile("wb", buffering=0)  # type: ignore[assignment]
        self.encrypted = True

    def say(self, *lines: str) -> None:
        self.wfile.write("".join(f"{line}\r\n" for line in lines).encode())

    def handle(self) -> None:
        if self.kept.silent:
            self.rfile.readline()
            return
        self.say("220 test")
        while line := self.rfile.readline().decode().strip():
            self.answer(line)

    def answer(self, line: str) -> None:
        command = line[:4].upper()
        if command in ("EHLO", "HELO"):
            offered = ["250-STARTTLS"] if self.context and not self.encrypted else []
            self.say("250-test", *offered, "250 AUTH PLAIN")
        elif command == "STAR":
            self.say("220 go on")
            self.encrypt()
        elif command == "AUTH":
            _, user, password = base64.b64decode(line.split()[-1]).decode().split("\0")
            self.kept.logins.append((user, password))
            self.say("235 welcome" if password == self.kept.password else "535 no")
        elif command == "RCPT":
            self.say(f"{self.kept.answer} recipient {line}")
        elif command == "DATA":
            self.say("354 go on")
            body = b"".join(iter(self.rfile.readline, b".\r\n"))
            self.kept.mails.append(message_from_bytes(body.replace(b"\r\n..", b"\r\n."), policy=default))
            self.kept.secure.append(self.encrypted)
            self.say("250 kept")
        else:
            self.say("221 bye" if command == "QUIT" else "250 ok")


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address, daemon_threads, block_on_close = True, True, False

    def handle_error(self, *_request: object) -> None:
        """A client that ends the connection is no error of the server."""


@contextmanager
def mail_server(pem: Path | None = None, from_the_start: bool = False) -> Iterator[MailServer]:
    """A mail server until the block ends.

    Args:
        pem: its certificate and key; with it, it offers STARTTLS.
        from_the_start: it speaks TLS at once instead.
    """
    kept, context = MailServer(), None
    if pem:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pem)
    ours = {"kept": kept, "context": context, "from_the_start": from_the_start}
    with _Server(("127.0.0.1", 0), type("Conversation", (_Conversation,), ours)) as server:
        kept.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        try:
            yield kept
        finally:
            server.shutdown()
