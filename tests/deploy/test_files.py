"""The files of ``deploy/``: of the right form, without a secret, and as strict as docs/deploy.md says.

``compose-spec.json`` beside this file is the schema of the Compose specification (compose-spec/compose-spec on GitHub,
commit 170098b, Apache License 2.0).
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from stegvis.orchestration.instance import _CONFIG
from stegvis.orchestration.ui_parts import PREFIX, Part

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
CONTAINERFILES = [DEPLOY / "Containerfile", DEPLOY / "proxy" / "Containerfile"]
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
EXAMPLE = (DEPLOY / "stegvis.env.example").read_text(encoding="utf-8")
SETTINGS = dict(re.findall(r"^([A-Z_]+)=(.*)$", EXAMPLE, re.MULTILINE))
SECRETS = {"STEGVIS_UI_TOKEN", "STEGVIS_POSTGRES_PASSWORD", "STEGVIS_OPENID_SECRET", "STEGVIS_OPENID_COOKIE_KEY"}
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]


def test_dagsters_settings_for_postgres_are_those_of_a_home_besides_storage() -> None:
    """When this fails, a setting of instance.py was changed and must be changed in deploy/dagster.yaml too."""
    settings = yaml.safe_load((DEPLOY / "dagster.yaml").read_text(encoding="utf-8"))
    storage = settings.pop("storage")["postgres"]["postgres_db"]
    assert settings == yaml.safe_load(_CONFIG)
    named = [value["env"] for value in storage.values() if isinstance(value, dict)]
    assert len(named) == 5
    assert set(named) <= set(SETTINGS)


def test_the_compose_file_is_of_the_specifications_form() -> None:
    schema = json.loads((Path(__file__).parent / "compose-spec.json").read_text(encoding="utf-8"))
    jsonschema.validate(COMPOSE, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"services": {"a": {"imag": "x"}}}, schema)


@pytest.mark.parametrize("name", SERVICES)
def test_every_container_has_few_rights(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in service
    assert "cap_add" not in service
    assert ("ports" in service) == (name == "proxy")
    mounts = [mount.rpartition("}")[2] for mount in service.get("volumes", ()) if "STEGVIS_" in mount]
    landing = [mount for mount in mounts if "/landing" in mount]
    assert all(mount.endswith(":ro") for mount in landing)
    assert any(mount == ":/srv/stegvis/home" for mount in mounts) == (name in ("daemon", "webserver"))


def test_only_dagster_reaches_postgres_and_only_the_proxy_is_reached() -> None:
    networks = {name: set(service.get("networks", ())) for name, service in SERVICES.items()}
    assert {name for name, joined in networks.items() if "database" in joined} == {
        "postgres", "webserver", "viewer", "daemon",
    }  # fmt: skip
    assert networks["proxy"] == {"pages", "outside"}
    assert {name for name, joined in networks.items() if "outside" in joined} == {"proxy"}
    assert SERVICES["reports"]["network_mode"] == "service:proxy"
    assert all(COMPOSE["networks"][name]["internal"] for name in ("database", "pages"))


def test_each_service_is_given_the_secrets_it_needs_and_no_value() -> None:
    given = {name: SECRETS & set(map(str, service.get("environment", {}))) for name, service in SERVICES.items()}
    database, token = "STEGVIS_POSTGRES_PASSWORD", "STEGVIS_UI_TOKEN"
    web = {database, token}
    assert given == {
        "postgres": set(), "daemon": {database}, "webserver": web, "viewer": web, "reports": set(),
        "proxy": SECRETS - {database},
    }  # fmt: skip
    for service in SERVICES.values():
        for name, value in service.get("environment", {}).items():
            if "PASSWORD" in name or name in SECRETS:
                assert re.fullmatch(r"\$\{[A-Z_]+:(\?set it in stegvis\.env|-)\}", value), name
    assert not any(SETTINGS[name] for name in SECRETS)


def test_every_setting_that_a_file_reads_is_in_the_example() -> None:
    asked = set[str]()
    for file in (*DEPLOY.rglob("*.conf"), DEPLOY / "compose.yaml", DEPLOY / "dagster.yaml"):
        asked |= set(re.findall(r"(?:\$\{|env: )(STEGVIS_[A-Z_]+)", file.read_text(encoding="utf-8")))
    optional = {"STEGVIS_IMAGE", "STEGVIS_PROXY_IMAGE", "STEGVIS_POSTGRES_IMAGE"}
    assert asked - optional <= set(SETTINGS)
    assert set(SETTINGS) - asked == {"STEGVIS_UI_HOSTS", "STEGVIS_REPORTS_URL"}


def test_the_proxy_serves_each_part_where_it_is() -> None:
    text = (DEPLOY / "proxy" / "apache.conf").read_text(encoding="utf-8")
    for part, path in PREFIX.items():
        assert f'<Location "{path}/">' in text
        assert f"ProxyPass http://${{STEGVIS_{part.name}}}{path}/ " in text
    commands = " ".join(" ".join(service.get("command", ())) for service in SERVICES.values())
    units = "\n".join(unit.read_text(encoding="utf-8") for unit in UNITS)
    for part in Part:
        assert f"--only {part}" in commands
        assert f"--only {part}" in units


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_a_unit_is_hardened_and_keeps_the_secrets_of_others_out(unit: Path) -> None:
    settings = dict(re.findall(r"^(\w+)=(.*)$", unit.read_text(encoding="utf-8"), re.MULTILINE))
    assert settings["User"] in ("stegvis", "www-data")
    expected = {"NoNewPrivileges": "yes", "UMask": "0077", "ProtectSystem": "strict", "PrivateTmp": "yes"}
    assert {name: settings[name] for name in expected} == expected
    compose = SERVICES[unit.stem.removeprefix("stegvis-")].get("environment", {})
    assert set(settings["UnsetEnvironment"].split()) == SECRETS - set(compose)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")
def test_systemd_accepts_the_units(tmp_path: Path) -> None:
    for unit in UNITS:
        # The programs are not installed here; everything else is as it is.
        text = re.sub(r"^(Exec\w+)=\S+", r"\1=/bin/true", unit.read_text(encoding="utf-8"), flags=re.MULTILINE)
        (tmp_path / unit.name).write_text(text, encoding="utf-8")
    command = ["systemd-analyze", "verify", "--man=no", *map(str, sorted(tmp_path.glob("*.service")))]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    (tmp_path / UNITS[0].name).write_text("[Service]\nExecStart=/bin/true\nProtectSistem=strict\n")
    assert subprocess.run(command, capture_output=True, text=True, check=False).stderr != ""


@pytest.mark.parametrize("file", CONTAINERFILES, ids=lambda file: file.parent.name)
def test_a_containerfile_has_no_complaint_of_its_linter(file: Path, tmp_path: Path) -> None:
    hadolint = shutil.which("hadolint", path=str(Path(sys.executable).parent)) or shutil.which("hadolint")
    if hadolint is None:
        pytest.skip("needs hadolint (requirements-dev.lock)")
    done = subprocess.run([hadolint, "--no-color", str(file)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")
    (tmp_path / "Containerfile").write_text("FROM debian\nRUN cd /tmp && apt-get install x\n")
    assert subprocess.run([hadolint, str(tmp_path / "Containerfile")], capture_output=True, check=False).returncode == 1


@pytest.mark.parametrize("file", CONTAINERFILES, ids=lambda file: file.parent.name)
def test_an_image_runs_as_a_user_without_rights_from_a_base_that_can_be_chosen(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    last = text[text.rindex("\nFROM ") :]
    assert re.findall(r"^FROM (\S+)", text, re.MULTILINE) == ["${BASE}"] * text.count("\nFROM ")
    assert re.search(r"^USER [1-9]\d+:[1-9]\d+$", last, re.MULTILINE)
    assert "HEALTHCHECK" in last
    assert "--require-hashes" in text or "python" not in text
