"""The whole deployment on this machine: PostgreSQL, webservers, daemon, reports server, and the proxy."""

from __future__ import annotations

import base64
import http.client
import json
import os
import secrets
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stegvis.storage.home import Home
from tests.deploy.servers import DEPLOY, Proxy, postgres, proxy, running, unused_port

PEOPLE = {"anna": "viewer", "chris": "operator"}
LOCATION = "stegvis.orchestration.definitions"


@dataclass(frozen=True)
class Deployment:
    """What a person behind the proxy can ask for."""

    proxy: Proxy
    home: Home
    token: str
    logs: Path

    def ask(
        self, person: str | None, path: str, content: Any = None, method: str | None = None, **headers: str
    ) -> tuple[int, dict[str, str], str]:
        """Status, headers and content; a person's password is ``NAME's``."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if person:
            sent["Authorization"] = self.basic(person)
        body = None if content is None else json.dumps(content)
        if body is not None:
            sent.setdefault("Content-Type", "application/json")
        connection = http.client.HTTPSConnection("localhost", self.proxy.port, timeout=60, context=self.proxy.tls)
        try:
            connection.request(method or ("POST" if body else "GET"), path, body, sent)
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read().decode("utf-8", "replace")
        finally:
            connection.close()

    def query(self, person: str, role: str, text: str, variables: dict[str, Any] | None = None) -> dict[str, Any]:
        """The answer of Dagster's GraphQL, below ``/view/`` or ``/operate/``."""
        status, _, content = self.ask(person, f"/{role}/graphql", {"query": text, "variables": variables or {}})
        assert status == 200, content[:2000]
        return dict(json.loads(content))

    def basic(self, person: str) -> str:
        return "Basic " + base64.b64encode(f"{person}:{person}'s".encode()).decode()


def eventually(what: str, holds: Callable[[], bool], logs: Path, seconds: float = 240) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            tails = [f"{log.name}: {log.read_text(errors='replace')[-1500:]}" for log in sorted(logs.glob("*.log"))]
            raise AssertionError(f"{what} did not happen\n" + "\n".join(tails))
        time.sleep(0.3)


@contextmanager
def deployed(home: Home) -> Iterator[Deployment]:
    """Start everything on a home, wait until both webservers answer, and stop everything."""
    home.create()
    shutil.copy(DEPLOY / "dagster.yaml", home.dagster / "dagster.yaml")
    logs = home.root.parent
    ports = {part: unused_port() for part in ("webserver", "viewer", "daemon", "reports")}
    public, token = unused_port(), secrets.token_urlsafe(32)
    with ExitStack() as stack:
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("STEGVIS_", "DAGSTER_", "COV"))}
        environment |= stack.enter_context(postgres()) | {
            "STEGVIS_HOME": str(home.root),
            "STEGVIS_LANDING": str(home.landing),
            "STEGVIS_UI_TOKEN": token,
            "STEGVIS_UI_HOSTS": f"localhost:{public}",
            "STEGVIS_REPORTS_URL": f"https://localhost:{public}/reports",
            "OPENBLAS_NUM_THREADS": "1",
        }
        parts = []
        for part, port in ports.items():
            command = [sys.executable, "-m", "stegvis.orchestration", "ui", "--only", part, "--port", str(port)]
            # As in deploy/: the webserver reaches the daemon's code server by a socket in a folder that they share.
            temporary = logs / ("shared-tmp" if part in ("webserver", "daemon") else f"{part}-tmp")
            temporary.mkdir(exist_ok=True)
            variables = environment | {"TMPDIR": str(temporary)}
            parts.append(stack.enter_context(running(command, logs / f"{part}.log", variables)))
        back_ends = {f"STEGVIS_{part.upper()}": f"127.0.0.1:{port}" for part, port in ports.items() if part != "daemon"}
        started = stack.enter_context(proxy(back_ends | {"STEGVIS_UI_TOKEN": token}, PEOPLE, public))
        deployment = Deployment(started, home, token, logs)
        for role in ("view", "operate"):
            answers = lambda role=role: deployment.ask("chris", f"/{role}/server_info")[0] == 200  # noqa: E731
            eventually(f"an answer of /{role}/", answers, logs)
        yield deployment
        # All at once: each takes some seconds to end its code server.
        for process in parts:
            process.send_signal(signal.SIGTERM)
