"""A small twin's home, built once a session and copied for each story."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from stegvis.orchestration.refresh import refresh
from stegvis.storage.home import Home
from stegvis.storage.lock import locked
from stegvis.twin import write_twin
from tests.orchestration.story import Story
from tests.study import CODEBOOK, PROTOCOL, home_with_study

PEOPLE = 400


@pytest.fixture(scope="session")
def built_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home on which everything has run: one wave, three batches of day totals. Test processes share it."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    root = shared / "built" / "home"
    with locked(shared / "built.lock", "building the home of the stories"):
        if not root.exists():
            unfinished = shared / "being-built"
            shutil.rmtree(unfinished, ignore_errors=True)
            home = unfinished / "home"
            write_twin(home / "landing", PROTOCOL, CODEBOOK, people=PEOPLE, waves=1, seed=3)
            done = refresh(home_with_study(home))
            assert done.ok, done.failed
            unfinished.rename(shared / "built")
    return root


@pytest.fixture
def story(built_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Story:
    """A copy of the built home in which a story can unfold."""
    monkeypatch.delenv("STEGVIS_LANDING", raising=False)
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    root = tmp_path / "home"
    # The landing zone's hash cache goes by time of change: copytree keeps it.
    shutil.copytree(built_home, root, symlinks=True)
    return Story(Home(root, root / "landing"))


@pytest.fixture
def unused_port() -> Callable[[], int]:
    """Ports of this machine that nobody listens on."""

    def port() -> int:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            return int(probe.getsockname()[1])

    return port
