"""The code of an older commit, for tests of upgrades."""

from __future__ import annotations

import io
import subprocess
import tarfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def unpack(commit: str, folder: Path) -> Path:
    """Write the files of a commit of this repository to a folder, and return it; a shallow checkout skips the test."""
    archive = subprocess.run(["git", "archive", commit], cwd=ROOT, capture_output=True, check=False)
    if archive.returncode:
        pytest.skip(f"commit {commit} is not in this checkout's history")
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as packed:
        packed.extractall(folder, filter="data")
    return folder
