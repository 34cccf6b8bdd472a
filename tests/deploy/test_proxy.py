"""What the proxy of ``deploy/`` lets through, to back ends that show what reaches them."""

from __future__ import annotations

import base64
import http.client
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.deploy.servers import Proxy, needs_apache, proxy

pytestmark = [pytest.mark.slow, needs_apache]

TOKEN = "the-token-of-the-guard"
PEOPLE = {"anna": "viewer", "chris": "operator", "dina": "visitor"}


class Echo(BaseHTTPRequestHandler):
    """Answers with the name of the back end, and what arrived."""

    name = ""

    def do_GET(self) -> None:
        content = json.dumps({"back_end": self.name, "path": self.path, "headers": dict(self.headers)}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_POST = do_GET  # noqa: N815 - the name that http.server looks for

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def back_ends() -> Iterator[dict[str, str]]:
    """Three servers instead of those of Stegvis; where they are, for the proxy."""
    servers = {
        name: ThreadingHTTPServer(("127.0.0.1", 0), type(name, (Echo,), {"name": name}))
        for name in ("viewer", "webserver", "reports")
    }
    for server in servers.values():
        threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        places = {f"STEGVIS_{n.upper()}": f"127.0.0.1:{server.server_address[1]}" for n, server in servers.items()}
        yield places | {"STEGVIS_UI_TOKEN": TOKEN}
    finally:
        for server in servers.values():
            server.shutdown()
            server.server_close()


def ask(
    where: Proxy, path: str, person: str | None = None, method: str = "GET", **headers: str
) -> tuple[int, dict[str, str], dict[str, object]]:
    """Status, headers (names in lower case) and content of one request."""
    sent = headers | {name.replace("_", "-"): value for name, value in headers.items()}
    if person:
        sent["Authorization"] = "Basic " + base64.b64encode(f"{person}:{person}'s".encode()).decode()
    connection = http.client.HTTPSConnection("localhost", where.port, timeout=30, context=where.tls)
    try:
        connection.request(method, path, headers=sent)
        answer = connection.getresponse()
        content = answer.read()
        shown = json.loads(content) if answer.headers.get_content_type() == "application/json" else {}
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, shown
    finally:
        connection.close()


@pytest.fixture(scope="module")
def where() -> Iterator[Proxy]:
    with back_ends() as settings, proxy(settings, PEOPLE) as started:
        yield started


def test_nothing_is_answered_without_sign_in(where: Proxy) -> None:
    for path in ("/view/", "/view/graphql", "/operate/", "/reports/", "/reports/latest/results.csv", "/other", "/x/"):
        assert ask(where, path)[0] == 401
    wrong = "Basic " + base64.b64encode(b"anna:wrong").decode()
    assert ask(where, "/view/", Authorization=wrong)[0] == 401
    assert ask(where, "/view/", Authorization=f"Bearer {TOKEN}")[0] == 401
    assert ask(where, "/view/", Cookie=f"stegvis-ui-3000={TOKEN}")[0] == 401
    assert ask(where, f"/view/?token={TOKEN}")[0] == 401


@pytest.mark.parametrize(
    ("person", "view", "operate"), [("anna", "viewer", None), ("chris", "viewer", "webserver"), ("dina", None, None)]
)
def test_each_role_reaches_its_back_ends(where: Proxy, person: str, view: str | None, operate: str | None) -> None:
    for method in ("GET", "POST"):
        for path, back_end in (("/view/graphql", view), ("/operate/graphql", operate)):
            status, _, shown = ask(where, path, person, method)
            # With a password file, a person without the role is asked for another sign-in.
            assert (status, shown.get("back_end")) == ((200, back_end) if back_end else (401, None))
            assert shown.get("path") in (path, None)
    assert ask(where, "/reports/latest/report/index.html", person)[2].get("path") == (
        "/latest/report/index.html" if view else None
    )


@pytest.mark.parametrize(
    "path",
    ["//operate/graphql", "/view/../operate/graphql", "/view/%2e%2e/operate/graphql", "/%6fperate/graphql",
     "/OPERATE/graphql", "/view/..%2foperate/graphql", "/operate%2fgraphql", "/reports/../operate/graphql",
     "/operate;x/graphql", "/view//../operate//graphql"],
)  # fmt: skip
def test_no_spelling_of_a_path_leads_a_viewer_to_the_operators(where: Proxy, path: str) -> None:
    assert ask(where, path, "anna", "POST")[2].get("back_end") in (None, "viewer", "reports")
    assert "/operate/graphql" not in str(ask(where, path, "anna", "POST")[2].get("path"))


def test_no_header_of_a_client_makes_an_operator(where: Proxy) -> None:
    forged = {
        "X_Remote_User": "chris", "Remote_User": "chris", "X_Forwarded_User": "chris", "OIDC_CLAIM_groups": "operator",
        "X_Original_URL": "/operate/graphql", "X_Rewrite_URL": "/operate/graphql", "X_Role": "operator",
    }  # fmt: skip
    assert ask(where, "/operate/graphql", "anna", "POST", **forged)[0] == 401
    assert ask(where, "/operate/graphql", None, "POST", **forged)[0] == 401
    assert ask(where, "/view/graphql", "anna", "POST", **forged)[2]["back_end"] == "viewer"


def test_a_back_end_gets_the_token_and_no_password(where: Proxy) -> None:
    got = ask(where, "/view/x", "anna", Cookie="a=b", X_Forwarded_Host="evil.example")[2]["headers"]
    assert isinstance(got, dict)
    assert got["Authorization"] == f"Bearer {TOKEN}"
    assert got["Host"] == where.host
    assert "Cookie" not in got
    reports = ask(where, "/reports/x", "anna", Cookie="a=b")[2]["headers"]
    assert isinstance(reports, dict)
    assert "Authorization" not in reports
    assert reports["Host"].startswith("127.0.0.1:")


def test_other_names_and_other_sites_are_refused(where: Proxy) -> None:
    for host in ("evil.example", f"evil.example:{where.port}", f"127.0.0.1:{where.port}"):
        assert ask(where, "/view/", "chris", Host=host)[0] in (401, 403, 421)
        assert ask(where, "/view/", "chris", Host=host)[2] == {}
    foreign = (
        "https://evil.example",
        "null",
        f"http://{where.host}",
        "https://localhost",
        f"https://{where.host}.evil",
    )
    for origin in foreign:
        assert ask(where, "/operate/graphql", "chris", "POST", Origin=origin)[0] == 403
    assert ask(where, "/operate/graphql", "chris", "POST", Origin=f"https://{where.host}")[0] == 200


def test_answers_have_the_headers_and_only_tls_is_spoken(where: Proxy) -> None:
    for path, person in (("/view/", "anna"), ("/view/", None)):
        headers = ask(where, path, person)[1]
        assert headers["strict-transport-security"] == "max-age=31536000"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "no-referrer"
    plain = http.client.HTTPConnection("127.0.0.1", where.port, timeout=30)
    plain.request("GET", "/view/", headers={"Host": where.host})
    assert plain.getresponse().status == 400
    plain.close()
    assert ask(where, "/", "anna")[1]["location"] == f"https://{where.host}/view/"
    assert ask(where, "/view/", "anna", method="TRACE")[0] == 405
