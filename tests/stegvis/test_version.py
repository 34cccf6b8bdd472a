"""Which version and which commit runs: in a checkout, in an installed wheel, and where neither is known."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from stegvis.version import commit, version

ROOT = Path(__file__).parents[2]


def git(folder: Path, *arguments: str) -> str:
    names = ["-c", "user.name=Nobody", "-c", "user.email=nobody@example.org"]
    done = subprocess.run(["git", "-C", str(folder), *names, *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A package in a repository with one commit."""
    folder = tmp_path / "stegvis"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "first")
    return folder


def test_the_version_is_a_release_number() -> None:
    assert all(part.isdigit() for part in version().split("."))


def test_in_a_checkout_git_knows_the_commit(package: Path) -> None:
    assert commit(package) == git(package, "rev-parse", "--short=7", "HEAD")
    (package / "__init__.py").write_text("edited")
    assert str(commit(package)).endswith("-dirty")


def test_an_installed_package_knows_the_commit_it_was_built_from(tmp_path: Path) -> None:
    assert commit(tmp_path) is None
    (tmp_path / "commit.txt").write_text("abc1234\n")
    assert commit(tmp_path) == "abc1234"


@pytest.mark.slow
def test_a_wheel_holds_its_commit(tmp_path: Path) -> None:
    source = tmp_path / "source"
    ignored = shutil.ignore_patterns(".git", ".venv", "build", "*.egg-info", ".*_cache", "__pycache__", "tests", "docs")
    shutil.copytree(ROOT, source, ignore=ignored)
    git(source, "init", "-q")
    git(source, "add", ".")
    git(source, "commit", "-qm", "first")
    build = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", str(tmp_path), "."]
    subprocess.run(build, cwd=source, check=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as content:
        assert content.read("stegvis/commit.txt").decode().strip() == git(source, "rev-parse", "--short=7", "HEAD")
        assert "stegvis/orchestration/commands/running.py" in content.namelist()
