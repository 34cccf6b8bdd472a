"""The real daemon: a wave lands, nobody does anything, a release appears; also if everything is killed on the way."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import dagster as dg
import pytest

from stegvis.orchestration.instance import open_instance
from tests.orchestration.story import Story

pytestmark = pytest.mark.slow

WAVE = "2024-2026"
LONGEST_SECONDS = 600


@contextmanager
def ui_and_daemon(story: Story, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """``stegvis ui`` in a session of its own; whatever is left of it is killed."""
    command = [sys.executable, "-m", "stegvis.orchestration", "ui", "--home", str(story.home.root), "--port", str(port)]
    log = (story.home.root.parent / f"ui-{port}.log").open("wb")
    environment = {name: value for name, value in os.environ.items() if name != "STEGVIS_LANDING"}
    process = subprocess.Popen(
        command, cwd=Path(__file__).parents[2], stdout=log, stderr=log, env=environment, start_new_session=True
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                process.wait(30)
        kill_session(process)
        log.close()


def kill_session(process: subprocess.Popen[bytes]) -> None:
    """SIGKILL for the server, the daemon, the code servers and the runs they started."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            session = int((folder / "stat").read_text().rpartition(")")[2].split()[3])
        except (OSError, ValueError):
            continue
        if session == process.pid:
            try:
                os.kill(int(folder.name), signal.SIGKILL)
            except ProcessLookupError:
                continue
    process.wait(30)


def eventually(what: str, holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + LONGEST_SECONDS
    while not holds():
        assert time.monotonic() < deadline, f"{what} did not happen"
        time.sleep(0.5)


def runs_in_progress(story: Story) -> int:
    with open_instance(story.home) as instance:
        return len(instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED])))


def test_a_wave_lands_and_a_release_appears_though_everything_is_killed_in_the_middle(
    story: Story, unused_port: Callable[[], int]
) -> None:
    before = story.release()
    with ui_and_daemon(story, unused_port()) as first:
        story.drop("followup", WAVE, story.answers().iloc[::2], "questionnaire.csv")
        eventually("a run", lambda: runs_in_progress(story) > 0)
        kill_session(first)
    assert story.release() == before
    with ui_and_daemon(story, unused_port()):
        eventually("a new release", lambda: story.release() != before)
    assert (story.release() / "report" / f"wave-{WAVE}.html").is_file()
    assert story.planned() == {}
    assert runs_in_progress(story) == 0
