"""The built wheel holds the whole package and runs without a checkout."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
import venv
import zipfile
from email.parser import Parser
from importlib import metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
# Package folder in the wheel by folder in the tree.
FOLDERS = {
    folder: package.replace(".", "/") for package, folder in SETTINGS["tool"]["setuptools"]["package-dir"].items()
}
LOCKED = dict(re.findall(r"^([\w.-]+)==(\S+)", (ROOT / "requirements.lock").read_text(encoding="utf-8"), re.MULTILINE))
# Written by the build: the commit that the wheel was built from.
ADDED = {"stegvis/commit.txt"}

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("git") is None or not (ROOT / ".git").exists(), reason="needs a git checkout"),
]


def run(*command: str | Path, cwd: Path) -> str:
    """The standard output of a command that must succeed; nothing of the environment points to the checkout."""
    hidden = ("PYTHON", "STEGVIS", "DAGSTER", "COV", "PYTEST", "VIRTUAL_ENV")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(hidden)}
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clean checkout of what is here: a build in the tree would add what earlier builds have left behind."""
    folder = tmp_path_factory.mktemp("source")
    for name in run("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", cwd=ROOT).split("\0"):
        if name and (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, folder / name)
    run("git", "init", "--quiet", cwd=folder)
    run("git", "add", "--all", cwd=folder)
    run("git", "-c", "user.name=x", "-c", "user.email=x@example.org", "commit", "--quiet", "-m", "x", cwd=folder)
    return folder


@pytest.fixture(scope="module")
def commit(source: Path) -> str:
    return run("git", "rev-parse", "HEAD", cwd=source).strip()


@pytest.fixture(scope="module")
def wheel(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build = ("wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", folder, source)
    run(sys.executable, "-m", "pip", *build, cwd=folder)
    (file,) = folder.glob("*.whl")
    return file


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the locked packages and the wheel; its folder of programs."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=True, symlinks=True)
    programs = folder / "bin"
    (site,) = folder.glob("lib/python*/site-packages")
    if not link_locked(site):
        locked = ("install", "--quiet", "--no-deps", "--requirement", ROOT / "requirements.lock")
        run(programs / "python", "-m", "pip", *locked, cwd=folder)
    run(programs / "python", "-m", "pip", "install", "--quiet", "--no-deps", wheel, cwd=folder)
    return programs


def link_locked(site: Path) -> bool:
    """Link the locked packages from the running environment, where it has exactly those; whether it has.

    That takes a second where an installation takes a minute, and what is only in requirements-dev.lock stays out.
    """
    try:
        found = [metadata.distribution(name) for name in LOCKED]
    except metadata.PackageNotFoundError:
        return False
    if any(one.version != version for one, version in zip(found, LOCKED.values(), strict=True)):
        return False
    for one in found:
        for top in {file.parts[0] for file in one.files or ()} - {"..", "__pycache__"}:
            if not (site / top).exists():
                (site / top).symlink_to(str(one.locate_file(top)))
    return True


def test_every_file_of_the_package_is_in_the_wheel(source: Path, wheel: Path) -> None:
    tree = {
        f"{package}/{file.relative_to(source / folder).as_posix()}"
        for folder, package in FOLDERS.items()
        for file in (source / folder).rglob("*")
        if file.is_file()
    }
    assert {Path(name).suffix for name in tree} >= {".py", ".toml", ".j2", ".css", ".npz", ".R", ".md", ".json", ".sql"}
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name and not name.endswith("/")}
    assert held - ADDED == tree


def test_the_wheel_names_its_license_and_only_locked_dependencies(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        facts = Parser().parsestr(archive.read(name).decode())
        license_file = archive.read(name.replace("METADATA", "licenses/LICENSE")).decode()
    assert facts["License-Expression"] == "MIT AND Apache-2.0"
    assert license_file.startswith("MIT License")
    needed = [text for text in facts.get_all("Requires-Dist", []) if "extra ==" not in text]
    names = {re.split(r"[ <>=!~;\[]", text)[0].lower().replace("_", "-") for text in needed}
    assert len(names) > 10
    assert names <= {name.lower().replace("_", "-") for name in LOCKED}


def test_the_installed_package_is_the_wheels(environment: Path, tmp_path: Path) -> None:
    modules = ["stegvis", *sorted(package.replace("/", ".") for package in FOLDERS.values() if "/" in package)]
    code = f"import {', '.join(modules)}; print({', '.join(f'{module}.__file__' for module in modules)}, sep='\\n')"
    places = run(environment / "python", "-c", code, cwd=tmp_path).splitlines()
    assert len(places) == len(FOLDERS)
    assert all(Path(place).is_relative_to(environment.parent) for place in places)
    path = run(environment / "python", "-c", "import sys; print(*sys.path, sep='\\n')", cwd=tmp_path).splitlines()
    assert not any(Path(place).is_relative_to(ROOT) for place in path)


def test_the_version_is_printed_with_the_commit_of_the_wheel(environment: Path, commit: str, tmp_path: Path) -> None:
    said = run(environment / "stegvis", "--version", cwd=tmp_path)
    assert SETTINGS["project"]["version"] in said
    assert commit[:7] in said


def test_the_demo_runs_to_a_report_without_a_checkout(environment: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    demo = (environment / "stegvis", "demo", "--home", home)
    printed = run(*demo, "--people", "300", "--waves", "1", cwd=tmp_path)
    page = Path(printed.splitlines()[-1].removeprefix("report: "))
    assert page.is_relative_to(home)
    text = page.read_text(encoding="utf-8")
    assert "Synthetic data" in text
    assert "</html>" in text
    assert "nothing to do" in run(*demo, "--people", "300", "--waves", "1", cwd=tmp_path)
    other = subprocess.run([*demo, "--people", "301", "--waves", "1"], capture_output=True, text=True, check=False)
    assert other.returncode == 1
    assert "another twin" in other.stderr
