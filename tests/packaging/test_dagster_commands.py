"""Dagster's own commands find the definitions from a checkout, without a home being prepared."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TABLES = {file.stem for file in (ROOT / "assets").glob("*.py")} - {"__init__", "graph", "home", "table", "ui"}
DG = "from dagster_dg_cli.cli import main; main()"

pytestmark = pytest.mark.slow


def run(tmp_path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Python with some arguments, started in the checkout; its home and settings are empty folders."""
    dagster_home = tmp_path / "dagster"
    dagster_home.mkdir()
    (dagster_home / "dagster.yaml").write_text("telemetry: {enabled: false}\n", encoding="utf-8")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("DAGSTER_", "STEGVIS_"))}
    environment |= {
        "DAGSTER_HOME": str(dagster_home),
        "HOME": str(tmp_path),
        "STEGVIS_HOME": str(tmp_path / "home"),
        # dg starts Python by this, else it looks for .venv in the checkout.
        "VIRTUAL_ENV": sys.prefix,
        "COLUMNS": "200",
    }
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_dagster_validates_the_workspace(tmp_path: Path) -> None:
    done = run(tmp_path, "-m", "dagster", "definitions", "validate", "-w", "workspace.yaml")
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    assert "Validation successful for code location stegvis" in said


def test_dg_lists_the_definitions(tmp_path: Path) -> None:
    done = run(tmp_path, "-c", DG, "list", "defs", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(done.stdout)
    assert {asset["asset_key"] for asset in found["assets"]} >= TABLES


def test_dg_checks_the_definitions(tmp_path: Path) -> None:
    done = run(tmp_path, "-c", DG, "check", "defs", "--no-check-yaml")
    assert done.returncode == 0, done.stdout + done.stderr
