"""The documentation's site is built without a warning, runs its notebooks, and has each module of both packages."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_the_site_is_built_without_a_warning(tmp_path: Path) -> None:
    folders = ["-c", "docs", "-d", tmp_path / "doctrees", ".", tmp_path / "site"]
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", *folders],
        cwd=ROOT, capture_output=True, text=True, env=os.environ | {"OPENBLAS_NUM_THREADS": "1"}, timeout=500,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    site = tmp_path / "site"
    assert "docs/index.html" in (site / "index.html").read_text(encoding="utf-8")
    # A notebook's output is on its page: it was run.
    assert "highest category" in (site / "docs/tutorials/estimators.html").read_text(encoding="utf-8")
    reference = (site / "docs/api/statistics.html").read_text(encoding="utf-8")
    assert 'id="stegvis.statistics.risk_ratio.fit_risk_ratio"' in reference


@pytest.mark.parametrize("package", ["statistics", "accelerometry"])
def test_the_reference_has_each_module(package: str) -> None:
    text = (ROOT / "docs" / "api" / f"{package}.md").read_text(encoding="utf-8")
    listed = re.findall(rf"automodule:: stegvis\.{package}\.(\w+)", text)
    there = [file.stem for file in (ROOT / "stegvis" / package).glob("*.py") if file.stem != "__init__"]
    assert listed == sorted(there)
