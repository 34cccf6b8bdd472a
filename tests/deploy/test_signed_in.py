"""The deployment as it runs: who is not signed in gets nothing, a viewer reads, an operator runs things."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import graphql
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from stegvis.storage.signatures import sign
from stegvis.twin import write_twin
from tests.deploy.dagster_behind_proxy import LOCATION, Deployment, deployed, eventually
from tests.deploy.servers import needs_apache, needs_postgres
from tests.study import CODEBOOK, PROTOCOL, home_with_study

pytestmark = [pytest.mark.slow, needs_apache, needs_postgres, pytest.mark.timeout(900)]
pytest.importorskip("dagster_postgres", reason="needs requirements-postgres.lock")

TABLE = "withdrawals"  # which needs no other table
WIPE = "mutation W($r: [PartitionsByAssetSelector!]!) { wipeAssets(assetPartitionRanges: $r) { __typename } }"
WIPED = {"r": [{"assetKey": {"path": [TABLE]}}]}
LAUNCH = """mutation L($p: ExecutionParams!) { launchRun(executionParams: $p) {
    __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } } }"""
SELECTED = {
    "selector": {
        "repositoryLocationName": LOCATION, "repositoryName": "__repository__", "jobName": "__ASSET_JOB",
        "assetSelection": [{"path": [TABLE]}],
    },
    "runConfigData": {},
}  # fmt: skip
EVENTS = """query E($r: ID!) { logsForRun(runId: $r) { ... on EventConnection { events {
    __typename ... on MessageEvent { message } ... on ExecutionStepFailureEvent { error { message } } } } } }"""
MADE = """query M($k: AssetKeyInput!) {
    assetOrError(assetKey: $k) { ... on Asset { assetMaterializations { timestamp } } } }"""
STATUS = "query S($r: ID!) { runOrError(runId: $r) { ... on Run { status } } }"


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """Everything on a home with a baseline of 60 people; tests of this module are one, so that it starts once."""
    folder = tmp_path_factory.mktemp("deployed")
    write_twin(folder / "twin", PROTOCOL, CODEBOOK, people=60, waves=1, seed=3)
    (folder / "landing").mkdir()
    shutil.move(folder / "twin" / "baseline", folder / "landing" / "baseline")
    with deployed(home_with_study(folder / "home", folder / "landing")) as started:
        yield started


def materializations(deployment: Deployment) -> int:
    """How often the table was made, as a viewer sees it."""
    found = deployment.query("anna", "view", MADE, {"k": {"path": [TABLE]}})["data"]["assetOrError"]
    return len(found.get("assetMaterializations", []))


def test_the_deployment_from_sign_in_to_a_run(deployment: Deployment) -> None:
    nobody_gets_anything(deployment)
    an_operator_launches_a_run_that_succeeds(deployment)
    made = materializations(deployment)
    assert made > 0
    a_viewer_changes_nothing(deployment)
    no_foreign_page_changes_anything(deployment)
    asyncio.run(websockets_are_passed_on_to_who_may(deployment))
    assert materializations(deployment) >= made
    viewers_read_the_published_releases(deployment)
    an_operator_can_wipe(deployment)


def nobody_gets_anything(deployment: Deployment) -> None:
    for path in ("/view/", "/operate/", "/view/graphql", "/operate/graphql", "/reports/latest/report/index.html"):
        assert deployment.ask(None, path)[0] == 401
        assert deployment.ask(None, path, {"query": "{version}"})[0] == 401
        forged = {"X_Remote_User": "chris", "X_Forwarded_User": "chris", "Authorization": f"Bearer {deployment.token}"}
        assert deployment.ask(None, path, {"query": "{version}"}, **forged)[0] == 401
    assert deployment.ask("anna", "/operate/graphql", {"query": WIPE, "variables": WIPED})[0] == 401


def an_operator_launches_a_run_that_succeeds(deployment: Deployment) -> None:
    assert "<html" in deployment.ask("chris", "/operate/runs")[2]
    launched = deployment.query("chris", "operate", LAUNCH, {"p": SELECTED})["data"]["launchRun"]
    assert launched["__typename"] == "LaunchRunSuccess", launched
    run = launched["run"]["runId"]

    def status() -> str:
        return str(deployment.query("anna", "view", STATUS, {"r": run})["data"]["runOrError"]["status"])

    eventually("the end of the run", lambda: status() in ("SUCCESS", "FAILURE", "CANCELED"), deployment.logs)
    events = deployment.query("anna", "view", EVENTS, {"r": run})["data"]["logsForRun"]["events"]
    assert status() == "SUCCESS", "\n".join(str(event) for event in events[-12:])


def a_viewer_changes_nothing(deployment: Deployment) -> None:
    """Every mutation that Dagster knows is refused, with the arguments that it asks for."""
    introspection = deployment.query("anna", "view", graphql.get_introspection_query())["data"]
    mutations = graphql.build_client_schema(introspection).mutation_type
    assert mutations is not None
    assert {"launchRun", "terminateRun", "wipeAssets", "sensorDryRun", "deleteRun"} <= set(mutations.fields)
    for name, field in mutations.fields.items():
        needed = {key: each for key, each in field.args.items() if graphql.is_required_argument(each)}
        declared = f"({', '.join(f'${key}: {each.type}' for key, each in needed.items())})" if needed else ""
        given = f"({', '.join(f'{key}: ${key}' for key in needed)})" if needed else ""
        selected = "" if graphql.is_leaf_type(graphql.get_named_type(field.type)) else "{ __typename }"
        query = f"mutation{declared} {{ {name}{given} {selected} }}"
        variables = {key: any_value(each.type) for key, each in needed.items()}
        assert deployment.ask("anna", "/view/graphql", {"query": query, "variables": variables})[0] == 403, name
    for path in (f"report_asset_materialization/{TABLE}", f"report_asset_observation/{TABLE}", "other"):
        assert deployment.ask("anna", f"/view/{path}", {"metadata": {}})[0] == 403
    # An operator among the viewers is a viewer there too.
    assert deployment.ask("chris", "/view/graphql", {"query": LAUNCH, "variables": {"p": SELECTED}})[0] == 403


def any_value(kind: Any) -> Any:
    """Some value of a type of GraphQL."""
    kind = graphql.get_nullable_type(kind)
    if graphql.is_list_type(kind):
        return [any_value(kind.of_type)]
    if graphql.is_enum_type(kind):
        return next(iter(kind.values))
    if graphql.is_input_object_type(kind):
        return {n: any_value(each.type) for n, each in kind.fields.items() if graphql.is_required_input_field(each)}
    return {"Int": 1, "Boolean": False, "Float": 1.0}.get(kind.name, "x")


def no_foreign_page_changes_anything(deployment: Deployment) -> None:
    wipe = {"query": WIPE, "variables": WIPED}
    for origin in ("https://evil.example", "null", f"http://{deployment.proxy.host}"):
        assert deployment.ask("chris", "/operate/graphql", wipe, Origin=origin)[0] == 403
    assert deployment.ask("chris", "/operate/graphql", wipe, Sec_Fetch_Site="cross-site")[0] == 403
    assert deployment.ask("chris", "/operate/graphql", wipe, Content_Type="text/plain")[0] == 415
    assert deployment.ask("chris", "/operate/graphql?query=mutation%7BwipeAssets%7B__typename%7D%7D")[0] == 405


async def websockets_are_passed_on_to_who_may(deployment: Deployment) -> None:
    """Subscriptions work for viewers; a mutation among them does nothing, and no other page gets a websocket."""

    async def talk(person: str, role: str, query: str, variables: dict[str, Any], **headers: str) -> dict[str, Any]:
        sent = {"Authorization": deployment.basic(person)} | headers
        address = f"wss://{deployment.proxy.host}/{role}/graphql"
        async with connect(
            address,
            additional_headers=sent,
            subprotocols=["graphql-ws"],
            ssl=deployment.proxy.tls,  # type: ignore[list-item]
        ) as socket:
            await socket.send(json.dumps({"type": "connection_init"}))
            assert json.loads(await asyncio.wait_for(socket.recv(), 30))["type"] == "connection_ack"
            payload = {"query": query, "variables": variables}
            await socket.send(json.dumps({"type": "start", "id": "1", "payload": payload}))
            return dict(json.loads(await asyncio.wait_for(socket.recv(), 30)))

    subscription = "subscription { locationStateChangeEvents { event { message } } }"
    for person, role in (("anna", "view"), ("chris", "operate")):
        with pytest.raises(TimeoutError):  # accepted, and nothing happens to the code location
            await asyncio.wait_for(talk(person, role, subscription, {}, Origin=f"https://{deployment.proxy.host}"), 3)
    assert (await talk("anna", "view", WIPE, WIPED))["type"] in ("error", "complete")
    for person, role, headers in (
        ("anna", "operate", {}),
        ("chris", "operate", {"Origin": "https://evil.example"}),
        ("chris", "operate", {"Authorization": f"Bearer {deployment.token}"}),
    ):
        with pytest.raises(InvalidStatus):
            await talk(person, role, subscription, {}, **headers)


def viewers_read_the_published_releases(deployment: Deployment) -> None:
    releases = deployment.home.releases
    for name in ("2026-01-01-unsigned", "2026-02-01-signed", "2026-03-01-latest"):
        (releases / name / "report").mkdir(parents=True)
        (releases / name / "report" / "index.html").write_text(f"the report of {name}")
        (releases / name / "manifest.json").write_text(json.dumps({"release": name, "created": name[:10]}))
    sign(releases, "2026-02-01-signed", "A Reviewer")
    (releases / "latest").symlink_to("2026-03-01-latest")
    for name, shown in (("latest", True), ("2026-02-01-signed", True), ("2026-01-01-unsigned", False)):
        status, headers, content = deployment.ask("anna", f"/reports/{name}/report/index.html")
        assert (status == 200, "the report of" in content) == (shown, shown)
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert headers["Strict-Transport-Security"] == "max-age=31536000"
    assert deployment.ask("anna", "/reports/")[1]["Location"].endswith("/reports/latest/report/index.html")
    assert deployment.ask("anna", "/reports/../study/protocol.toml")[0] in (400, 404)


def an_operator_can_wipe(deployment: Deployment) -> None:
    wiped = deployment.query("chris", "operate", WIPE, WIPED)["data"]["wipeAssets"]
    assert wiped["__typename"] == "AssetWipeSuccess"
    assert not any((deployment.home.root / "dagster").glob("**/*.db")), "Dagster wrote to SQLite beside PostgreSQL"
    assert deployment.token not in "".join(log.read_text() for log in Path(deployment.logs).glob("*.log"))
