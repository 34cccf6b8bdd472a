"""The folder of real labeled recordings; without it every test here is skipped."""

import os
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder with ``harth/`` and ``har70plus/``."""
    folder = Path(os.environ.get("STEGVIS_REAL_DATA") or PROJECT / ".." / "shared" / "data").resolve()
    missing = [name for name in ("harth", "har70plus") if not (folder / name).is_dir()]
    if missing:
        pytest.skip(f"no real recordings ({', '.join(missing)}): set STEGVIS_REAL_DATA to the folder that holds them")
    return folder
