"""Locks that are lost while they are held, as on a disk of the network: two refreshes at once do no harm."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from stegvis.storage.home import Home
from tests.orchestration.fork_server import ForkServer
from tests.orchestration.story import Story
from tests.orchestration.test_killed import assert_same
from tests.sizes import FULL

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]

ROUNDS = 5 if FULL else 1


@contextmanager
def lost(folder: Path) -> Iterator[None]:
    """Every lock of a folder is lost many times a second: its file goes, and the next process makes a new one."""
    done = threading.Event()

    def lose() -> None:
        while not done.wait(0.02):
            for file in folder.glob("*.lock"):
                file.unlink(missing_ok=True)

    losing = threading.Thread(target=lose)
    losing.start()
    try:
        yield
    finally:
        done.set()
        losing.join()


def test_two_refreshes_whose_locks_are_lost_end_in_the_tables_of_one(story: Story, tmp_path: Path) -> None:
    undisturbed = Story(Home(tmp_path / "undisturbed", tmp_path / "undisturbed" / "landing"))
    shutil.copytree(story.home.root, undisturbed.home.root, symlinks=True)
    first, second = ForkServer(), ForkServer()
    try:
        for number in range(ROUNDS):
            for each in (story, undisturbed):
                answers = each.answers().iloc[number % 2 :: 2 + number]
                each.drop("followup", f"{2024 + 3 * number}-{2026 + 3 * number}", answers, "questionnaire.csv")
            with lost(story.home.root):
                for server in (first, second):
                    server.start(story.home.root)
                ended = [server.ended() for server in (first, second)]
            assert set(ended) <= {0, 1}  # one may have been refused what the other held
            assert story.refresh().ok
            assert undisturbed.refresh().ok
            assert_same(story, undisturbed)
            assert story.planned() == {}
    finally:
        first.close()
        second.close()
