"""The Dagster UI answers its own page with the token, and nobody else: no other site, no other user of the machine."""

from __future__ import annotations

from collections.abc import Collection

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect

from stegvis.orchestration.ui_guard import LOGIN, Guard, public_hosts

TOKEN = "a-token"
PORT = 3000
HERE = {"Host": f"127.0.0.1:{PORT}"}
SIGNED_IN = HERE | {"Authorization": f"Bearer {TOKEN}"}
MUTATION = {"query": "mutation{wipeAssets(assetPartitionRanges:[]){__typename}}"}


class Behind:
    """An application that counts what reaches it."""

    def __init__(self, names: Collection[str] = ()) -> None:
        self.reached = 0

        async def answer(request: Request) -> JSONResponse:
            self.reached += 1
            return JSONResponse({"path": request.url.path})

        async def talk(socket: WebSocket) -> None:
            self.reached += 1
            await socket.accept()
            await socket.send_text("hello")
            await socket.close()

        routes = [Route("/{path:path}", answer, methods=["GET", "POST"]), WebSocketRoute("/graphql", talk)]
        self.client = TestClient(
            Guard(Starlette(routes=routes), TOKEN, PORT, names),
            base_url=f"http://127.0.0.1:{PORT}",
            follow_redirects=False,
        )


@pytest.fixture
def behind() -> Behind:
    return Behind()


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (HERE, 401),
        (HERE | {"Authorization": "Bearer another"}, 401),
        (HERE | {"Authorization": f"Basic {TOKEN}"}, 401),
        (HERE | {"Cookie": "stegvis-ui-3000=another"}, 401),
        (HERE | {"Cookie": f"stegvis-ui-3001={TOKEN}"}, 401),
        (SIGNED_IN | {"Host": "evil.example"}, 403),
        (SIGNED_IN | {"Host": "127.0.0.1:3001"}, 403),
        (SIGNED_IN | {"Host": f"127.0.0.1:{PORT}.evil.example"}, 403),
        (SIGNED_IN | {"Origin": "http://evil.example"}, 403),
        (SIGNED_IN | {"Origin": "null"}, 403),
        (SIGNED_IN | {"Origin": f"https://127.0.0.1:{PORT}"}, 403),
        (SIGNED_IN | {"Origin": "http://127.0.0.1:3001"}, 403),
        (SIGNED_IN | {"Sec-Fetch-Site": "cross-site"}, 403),
        (SIGNED_IN, 200),
        (SIGNED_IN | {"Host": f"localhost:{PORT}", "Origin": f"http://localhost:{PORT}"}, 200),
        (HERE | {"Cookie": f"other=1; stegvis-ui-3000={TOKEN}"}, 200),
    ],
)
def test_only_the_own_page_with_the_token_reaches_dagster(behind: Behind, headers: dict[str, str], status: int) -> None:
    answer = behind.client.post("/graphql", json=MUTATION, headers=headers)
    assert answer.status_code == status
    assert behind.reached == (status == 200)
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("path", ["/graphql", "/graphql/", "//graphql"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_no_query_is_answered_to_get(behind: Behind, method: str, path: str) -> None:
    address = f"http://127.0.0.1:{PORT}{path}"
    assert behind.client.request(method, address, params=MUTATION, headers=SIGNED_IN).status_code == 405
    assert behind.reached == 0


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_what_a_foreign_form_can_send_is_refused(behind: Behind, kind: str) -> None:
    headers = SIGNED_IN | {"Content-Type": kind}
    assert behind.client.post("/graphql", content=b"query=x", headers=headers).status_code == 415
    assert behind.reached == 0


def test_the_token_of_an_address_becomes_a_cookie_and_leaves_the_address(behind: Behind) -> None:
    address = f"http://127.0.0.1:{PORT}//evil.example/x"
    answer = behind.client.get(address, params={"token": TOKEN, "a": "b c"}, headers=HERE)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/evil.example/x?a=b+c"
    cookie = answer.headers["set-cookie"]
    assert {"HttpOnly", "SameSite=strict"} <= set(cookie.split("; "))
    assert behind.client.get("/assets", headers=HERE).status_code == 200


def test_a_browser_is_asked_for_the_token_and_may_type_it(behind: Behind) -> None:
    asked = behind.client.get("/", headers=HERE | {"Accept": "text/html"})
    assert asked.status_code == 401
    assert LOGIN in asked.text
    assert behind.client.post(LOGIN, data={"token": "wrong"}, headers=HERE).status_code == 401
    assert behind.client.post(LOGIN, data={"token": TOKEN}, headers=HERE | {"Origin": "http://x"}).status_code == 403
    assert behind.client.post(LOGIN, data={"token": TOKEN}, headers=HERE).status_code == 303
    assert behind.client.get("/", headers=HERE).status_code == 200


@pytest.mark.parametrize("headers", [HERE, SIGNED_IN | {"Origin": "http://evil.example"}, SIGNED_IN | {"Host": "x"}])
def test_a_foreign_websocket_is_refused(behind: Behind, headers: dict[str, str]) -> None:
    with pytest.raises(WebSocketDisconnect), behind.client.websocket_connect("/graphql", headers=headers):
        pass
    assert behind.reached == 0


def test_the_own_websocket_is_passed_on(behind: Behind) -> None:
    with behind.client.websocket_connect("/graphql", headers=SIGNED_IN) as socket:
        assert socket.receive_text() == "hello"


def test_a_proxy_is_reached_by_its_name_and_by_https_alone() -> None:
    behind = Behind(public_hosts("Stegvis.example.org, localhost:8443"))
    for host, origin, status in (
        ("stegvis.example.org", "https://stegvis.example.org", 200),
        ("localhost:8443", "https://localhost:8443", 200),
        ("localhost:8443", "https://stegvis.example.org", 200),
        (f"127.0.0.1:{PORT}", f"http://127.0.0.1:{PORT}", 200),
        ("stegvis.example.org", "http://stegvis.example.org", 403),
        ("stegvis.example.org", "https://example.org", 403),
        ("stegvis.example.org:8443", "https://stegvis.example.org", 403),
        ("stegvis.example.org.evil.example", "https://stegvis.example.org", 403),
    ):
        headers = {"Authorization": f"Bearer {TOKEN}", "Host": host, "Origin": origin}
        assert behind.client.post("/graphql", json=MUTATION, headers=headers).status_code == status
    assert behind.client.get("/", headers={"Host": "stegvis.example.org"}).status_code == 401


@pytest.mark.parametrize("text", ["*", "*.example.org", "https://example.org", "a b", "example.org/x", "-a", "a:b"])
def test_a_name_that_could_mean_several_hosts_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not the name of a host"):
        public_hosts(f"stegvis.example.org,{text}")
