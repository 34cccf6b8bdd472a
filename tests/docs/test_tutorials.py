"""Each command of the tutorials runs as written, in order, and prints what the page says it prints."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```(sh|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def steps(page: Path) -> list[tuple[str, str | None]]:
    """The commands of a page, each with the output that follows it, or None."""
    found: list[tuple[str, str | None]] = []
    for kind, text in BLOCK.findall(page.read_text(encoding="utf-8")):
        if kind == "sh":
            found.append((text, None))
        else:
            found[-1] = (found[-1][0], text)
    return found


def says(expected: str, printed: str) -> bool:
    """Whether the output is the expected one, where ``...`` may be anything, also whole lines."""
    pattern = ".*".join(re.escape(part) for part in expected.strip().split("..."))
    return re.fullmatch(pattern, printed.strip(), re.DOTALL) is not None


@pytest.mark.slow
@pytest.mark.parametrize("name", ["first_release", "own_cohort"])
def test_the_commands_of_a_tutorial_run_as_written(name: str, tmp_path: Path) -> None:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = (
        {k: v for k, v in os.environ.items() if not k.startswith("STEGVIS_")}
        | {"OPENBLAS_NUM_THREADS": "1"}
        | {"PATH": path}
    )
    before = "set -euo pipefail\n"
    for command, expected in steps(ROOT / "docs" / "tutorials" / f"{name}.md"):
        done = subprocess.run(
            ["bash", "-c", before + command], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=500
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        if expected is not None:
            assert says(expected, done.stdout), f"{command}\n{done.stdout}"
        # What a command exports, the next ones have.
        before += "".join(line + "\n" for line in command.splitlines() if line.startswith("export "))


def test_an_output_that_differs_is_found() -> None:
    assert says("a ... c\n", "a b\nand c")
    assert not says("a ... c\n", "a b\nand d")
    assert not says("all is fine", "all is fine\nor not")
