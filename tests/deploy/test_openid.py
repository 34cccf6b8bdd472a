"""Sign-in with an identity provider: the roles are the groups that it names in a token that it signed."""

from __future__ import annotations

import base64
import hashlib
import http.cookiejar
import json
import secrets
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.deploy.servers import Proxy, needs_apache, proxy
from tests.deploy.test_proxy import back_ends

pytestmark = [pytest.mark.slow, needs_apache]

CLIENT, SECRET = "stegvis", "a-secret-of-the-client"
GROUPS = {"anna": ["stegvis-viewers"], "chris": ["staff", "stegvis-operators"], "dina": ["staff"]}


class Provider(ThreadingHTTPServer):
    """A small identity provider: whoever comes is the person that the test names."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.issuer = f"http://127.0.0.1:{self.server_address[1]}"
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.signing_key = self.key
        self.person = ""
        self.codes: dict[str, dict[str, str]] = {}

    def token(self, nonce: str) -> str:
        now = int(time.time())
        claims = {
            "iss": self.issuer, "aud": CLIENT, "sub": self.person, "preferred_username": self.person, "nonce": nonce,
            "iat": now, "exp": now + 300, "groups": GROUPS[self.person],
        }  # fmt: skip
        return jwt.encode(claims, self.signing_key, algorithm="RS256", headers={"kid": "1"})


class _Answers(BaseHTTPRequestHandler):
    server: Provider

    def do_GET(self) -> None:
        address = urllib.parse.urlsplit(self.path)
        if address.path == "/metadata":
            issuer = self.server.issuer
            paths = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "keys"}
            self.answer(
                {"issuer": issuer, "response_types_supported": ["code"]}
                | {name: f"{issuer}/{path}" for name, path in paths.items()}
            )
        elif address.path == "/keys":
            public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.server.key.public_key()))
            self.answer({"keys": [public | {"kid": "1", "use": "sig", "alg": "RS256"}]})
        else:
            asked = dict(urllib.parse.parse_qsl(address.query))
            code = secrets.token_urlsafe()
            self.server.codes[code] = asked
            self.send_response(302)
            back = urllib.parse.urlencode({"code": code, "state": asked["state"]})
            self.send_header("Location", f"{asked['redirect_uri']}?{back}")
            self.send_header("Content-Length", "0")
            self.end_headers()

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers["Content-Length"])).decode()
        sent = dict(urllib.parse.parse_qsl(content))
        asked = self.server.codes.pop(sent["code"])
        proof = base64.urlsafe_b64encode(hashlib.sha256(sent["code_verifier"].encode()).digest()).rstrip(b"=").decode()
        assert proof == asked["code_challenge"]
        basic = "Basic " + base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        assert self.headers.get("Authorization") == basic or sent.get("client_secret") == SECRET
        token = self.server.token(asked["nonce"])
        self.answer({"access_token": "x", "token_type": "Bearer", "expires_in": 300, "id_token": token})

    def answer(self, shown: dict[str, Any]) -> None:
        content = json.dumps(shown).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def provider() -> Iterator[Provider]:
    with Provider() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture(scope="module")
def both() -> Iterator[tuple[Proxy, Provider]]:
    with provider() as server, back_ends() as settings:
        settings |= {
            "STEGVIS_OPENID_METADATA": f"{server.issuer}/metadata",
            "STEGVIS_OPENID_CLIENT": CLIENT,
            "STEGVIS_OPENID_SECRET": SECRET,
            "STEGVIS_OPENID_COOKIE_KEY": secrets.token_urlsafe(32),
            "STEGVIS_VIEWER_GROUP": "stegvis-viewers",
            "STEGVIS_OPERATOR_GROUP": "stegvis-operators",
        }
        with proxy(settings, {}, sign_in="openid") as started:
            yield started, server


class Browser:
    """Follows redirects and keeps cookies, as the browser of one person."""

    def __init__(self, where: Proxy) -> None:
        self.base = f"https://{where.host}"
        self.cookies = http.cookiejar.CookieJar()
        self.opener = urllib.request.build_opener(
            urllib.request.HTTPSHandler(context=where.tls), urllib.request.HTTPCookieProcessor(self.cookies)
        )

    def get(self, path: str, accept: str = "text/html", **headers: str) -> tuple[int, str | None]:
        """Status, and the back end that answered."""
        # Both spellings of a forged name: as the module writes it, and as servers normally take it.
        sent = {"Accept": accept} | headers | {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            with self.opener.open(urllib.request.Request(self.base + path, headers=sent), timeout=30) as answer:
                is_ours = answer.headers.get_content_type() == "application/json"
                return answer.status, json.load(answer)["back_end"] if is_ours else None
        except urllib.error.HTTPError as error:
            return error.code, None


@pytest.mark.parametrize(
    ("person", "view", "operate"),
    [
        ("anna", (200, "viewer"), (401, None)),
        ("chris", (200, "viewer"), (200, "webserver")),
        ("dina", (401, None), (401, None)),
    ],
)
def test_the_groups_of_a_signed_in_person_are_the_roles(
    both: tuple[Proxy, Provider], person: str, view: tuple[int, str | None], operate: tuple[int, str | None]
) -> None:
    where, server = both
    server.person = person
    browser = Browser(where)
    assert browser.get("/view/") == view
    assert browser.get("/operate/") == operate
    assert browser.get("/reports/")[1] == (view[1] and "reports")
    (cookie,) = [each for each in browser.cookies if each.name == "mod_auth_openidc_session"]
    assert cookie.secure
    assert cookie.has_nonstandard_attr("HttpOnly")


def test_without_sign_in_a_page_goes_to_the_provider_and_a_program_is_refused(both: tuple[Proxy, Provider]) -> None:
    where, _ = both
    for path in ("/view/graphql", "/operate/graphql", "/reports/latest/results.csv"):
        assert Browser(where).get(path, accept="application/json")[0] == 401
        forged = {"OIDC_CLAIM_groups": "stegvis-operators", "X_Remote_User": "chris"}
        assert Browser(where).get(path, accept="*/*", **forged) == (401, None)
        assert Browser(where).get(path, accept="*/*", Cookie="mod_auth_openidc_session=x")[1] is None


def test_a_token_that_another_key_signed_is_refused(both: tuple[Proxy, Provider]) -> None:
    where, server = both
    server.person = "chris"
    server.signing_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    try:
        assert Browser(where).get("/operate/")[1] is None
    finally:
        server.signing_key = server.key
