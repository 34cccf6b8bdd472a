"""Which Python the Makefile chooses, what it says when there is none, and what it takes the package to be."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MAKE = shutil.which("make")
pytestmark = pytest.mark.skipif(MAKE is None, reason="make is not installed")

# A Python of a version, as far as the Makefile asks: whether it is supported, its version, and to make an environment.
PYTHON = """\
#!/bin/sh
case "$*" in
  *version_info\\ \\<*) exit {unsupported} ;;
  *ensurepip*) exit {no_venv} ;;
  *version_info*) echo {version} ;;
  "-m venv "*) mkdir -p "$3/bin" && echo {name} {version} >"$3/made_by" ;;
esac
"""
# What pyenv puts on the PATH for a version that is installed and not chosen.
BROKEN = "#!/bin/sh\necho 'command not found' >&2\nexit 127\n"


def choose(folder: Path, pythons: dict[str, str | None], *arguments: str) -> tuple[str | None, str]:
    """Which of some Pythons (version by name) makes the environment, and what make prints on standard error."""
    path = folder / "bin"
    path.mkdir()
    for tool in ("sh", "mkdir", "rm"):
        (path / tool).symlink_to(shutil.which(tool) or tool)
    for name, version in pythons.items():
        number, _, without = (version or "").partition(" without ")
        old = version is not None and tuple(int(part) for part in number.split(".")) < (3, 11)
        text = BROKEN if version is None else PYTHON.format(
            name=name, version=number, unsupported=int(old or bool(without)), no_venv=int(bool(without))
        )  # fmt: skip
        (path / name).write_text(text)
        (path / name).chmod(0o755)
    command = [str(MAKE), "-f", str(ROOT / "Makefile"), ".venv/bin/python", *arguments]
    environment = {"PATH": str(path)}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    made = folder / ".venv" / "made_by"
    assert made.exists() == (done.returncode == 0)
    return (made.read_text().split()[0] if made.exists() else None), done.stderr


@pytest.mark.parametrize(
    ("pythons", "chosen"),
    [
        ({"python3.11": "3.11.2"}, "python3.11"),
        ({"python3.12": "3.12.1", "python3": "3.9.18"}, "python3.12"),
        ({"python3": "3.13.0"}, "python3"),
        ({"python": "3.14.0", "python3": "3.10.13"}, "python"),
        ({"python3.11": None, "python3.12": None, "python3.13": "3.13.0"}, "python3.13"),
        ({"python3.11": "3.11.2 without venv", "python3": "3.12.1"}, "python3"),
        ({"python3.13": "3.13.0", "python3.11": "3.11.2"}, "python3.11"),
    ],
)
def test_the_first_python_that_is_new_enough_makes_the_environment(
    pythons: dict[str, str | None], chosen: str, tmp_path: Path
) -> None:
    assert choose(tmp_path, pythons)[0] == chosen


def test_a_python_that_is_named_is_used(tmp_path: Path) -> None:
    assert choose(tmp_path, {"python3.11": "3.11.2", "mine": "3.12.1"}, "PYTHON=mine")[0] == "mine"


@pytest.mark.parametrize(
    ("pythons", "found"),
    [
        ({}, "none"),
        ({"python3": "3.10.13"}, "python3 (3.10.13)"),
        ({"python3.11": None, "python3": "3.10.13", "python": "2.7.18"}, "python3 (3.10.13), python (2.7.18)"),
        ({"python3": "3.11.2 without venv"}, "python3 (3.11.2 without its venv module)"),
    ],
)
def test_make_says_clearly_when_there_is_no_such_python(
    pythons: dict[str, str | None], found: str, tmp_path: Path
) -> None:
    chosen, said = choose(tmp_path, pythons)
    assert chosen is None
    assert f"Stegvis needs Python 3.11 or newer on the PATH; found {found}.\n" in said


def test_a_python_that_is_named_and_too_old_is_refused(tmp_path: Path) -> None:
    chosen, said = choose(tmp_path, {"python3.11": "3.11.2", "old": "3.9.18"}, "PYTHON=old")
    assert chosen is None
    assert "found old (3.9.18)." in said


@pytest.mark.parametrize("version", ["2.7.18", "3.10.13", "3.11.0", "3.14.1", "4.0.0"])
def test_the_question_that_is_asked_of_a_python_accepts_3_11_and_later(version: str) -> None:
    (question,) = re.findall(r"^SUPPORTED := (.*)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    number = tuple(int(part) for part in version.split("."))
    asked = question.replace("sys.version_info", repr(number))
    done = subprocess.run([sys.executable, "-c", asked], check=False, env={**os.environ})
    assert (done.returncode == 0) == (number >= (3, 11))


def test_the_types_of_every_mapped_folder_are_checked() -> None:
    (mapped,) = re.findall(r"^MAPPED := (.*)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    folders = settings["tool"]["setuptools"]["package-dir"]
    assert {f"stegvis.{folder}": folder for folder in mapped.split()} | {"stegvis": "stegvis"} == folders
