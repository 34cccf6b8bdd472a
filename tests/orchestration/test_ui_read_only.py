"""A viewer's request reaches Dagster only if it is a query."""

from __future__ import annotations

import json

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from stegvis.orchestration.ui_read_only import ReadOnly, is_query

WIPE = "mutation{wipeAssets(assetPartitionRanges:[]){__typename}}"


@pytest.mark.parametrize(
    ("content", "allowed"),
    [
        ({"query": "{version}"}, True),
        ({"query": "query A{version} fragment F on Run{id}", "operationName": "A"}, True),
        ({"query": "subscription{x}"}, True),
        ({"query": WIPE}, False),
        ({"query": "mutation{setNuxSeen}"}, False),
        ({"query": f"query A{{version}} {WIPE}", "operationName": "A"}, False),
        ({"query": "# {version}\n, mutation B{x:wipeAssets{__typename}}", "operationName": "B"}, False),
        ({"query": f"query A{{version}} {WIPE.replace('mutation', 'mutation B')}", "operationName": "B"}, False),
        ({"query": "{version"}, False),
        ({"query": None}, False),
        ({"query": ["{version}"]}, False),
        ([{"query": "{version}"}, {"query": WIPE}], False),
        ({}, False),
        ("x", False),
    ],
)
def test_only_a_document_without_a_mutation_is_a_query(content: object, allowed: bool) -> None:
    assert is_query(json.dumps(content).encode()) is allowed


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[" * 100_000])
def test_what_cannot_be_read_is_no_query(content: bytes) -> None:
    assert not is_query(content)


def test_a_document_that_names_a_key_twice_is_read_as_dagster_reads_it() -> None:
    assert is_query(json.dumps({"query": WIPE})[:-1].encode() + b', "query": "{version}"}')
    assert not is_query(b'{"query": "{version}", ' + json.dumps({"query": WIPE})[1:].encode())


@pytest.mark.parametrize(
    ("method", "path", "query", "status"),
    [
        ("GET", "/assets", "", 200),
        ("POST", "/view/graphql", "{version}", 200),
        ("POST", "/view/graphql", WIPE, 403),
        ("POST", "/view/report_asset_materialization/claims", "{version}", 403),
        ("PUT", "/view/graphql", "{version}", 403),
        ("DELETE", "/view/graphql", "{version}", 403),
    ],
)
def test_only_reads_and_queries_are_passed_on_whole(method: str, path: str, query: str, status: int) -> None:
    reached: list[bytes] = []

    async def answer(request: Request) -> JSONResponse:
        reached.append(await request.body())
        return JSONResponse({})

    methods = ["GET", "POST", "PUT", "DELETE"]
    client = TestClient(ReadOnly(Starlette(routes=[Route("/{path:path}", answer, methods=methods)])))
    content = json.dumps({"query": query}).encode() if query else b""
    assert client.request(method, path, content=content).status_code == status
    assert reached == ([content] if status == 200 else [])
