"""Analyses of a wave in a second process, while this one goes on.

The data go through pipes, never through a file, and the second process ends with this one, however this one ends.
"""

from __future__ import annotations

import atexit
import importlib
import os
import pickle
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import IO, Any

from stegvis.analyses.wave_data import Analysis, WaveData
from stegvis.statistics.results import ResultRow

# (group, number) of an analysis: its module and its place in ``ANALYSES``.
Place = tuple[str, int]


@dataclass(frozen=True)
class Fitted:
    """What an analysis returned, and what it read of the protocol: values by dotted name, as JSON would hold them."""

    rows: list[ResultRow]
    reads: dict[str, Any]


class SecondProcess:
    """A Python process that computes one analysis at a time."""

    def __init__(self) -> None:
        # -P: no module of the folder in which the command was started is imported.
        command = [sys.executable, "-P", "-m", __name__]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._lock = threading.Lock()
        atexit.register(self.end)

    def ask(self, message: WaveData | Place) -> Fitted | None:
        """Give it a wave's data, or let it compute an analysis of the last wave it was given.

        Returns:
            The rows; None for data, and if the analysis raised an error.

        Raises:
            OSError: the process has ended.
            EOFError: it ended meanwhile.
            pickle.UnpicklingError: it ended while it answered.
        """
        assert self._process.stdin
        assert self._process.stdout
        with self._lock:
            pickle.dump(message, self._process.stdin, protocol=5)
            self._process.stdin.flush()
            answer: Fitted | None = pickle.load(self._process.stdout)
            return answer

    @property
    def alive(self) -> bool:
        """Whether it can be asked."""
        return self._process.poll() is None

    def end(self) -> None:
        """End it, whatever it computes."""
        self._process.kill()
        self._process.communicate()


def analyses_of(group: str) -> Sequence[Analysis]:
    """The analyses of a group, found by its name, so that the code of one group does not depend on that of others."""
    found: Sequence[Analysis] = importlib.import_module(f"stegvis.analyses.{group}").ANALYSES
    return found


def _fitted(data: WaveData, place: Place) -> Fitted:
    group, number = place
    reads: dict[str, Any] = {}
    recorded = replace(data, protocol=data.protocol.with_record("", reads.__setitem__))
    return Fitted(analyses_of(group)[number](recorded), reads)


def _receive(requests: IO[bytes], inbox: queue.SimpleQueue[WaveData | Place]) -> None:
    """Pass requests on; end this process when whoever started it has ended."""
    try:
        while True:
            inbox.put(pickle.load(requests))
    except (EOFError, pickle.UnpicklingError):
        os._exit(0)


def _serve() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that asks
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    inbox: queue.SimpleQueue[WaveData | Place] = queue.SimpleQueue()
    threading.Thread(target=_receive, args=(sys.stdin.buffer, inbox), daemon=True).start()
    data: WaveData | None = None
    while True:
        message, answer = inbox.get(), None
        if isinstance(message, WaveData):
            data = message
        elif data is not None:
            with suppress(Exception):  # it is computed again by whoever asked, and raised there
                answer = _fitted(data, message)
        pickle.dump(answer, answers, protocol=5)
        answers.flush()


if __name__ == "__main__":
    # As the module that others import, so that what is unpickled is of the classes used here.
    from stegvis.analyses import second_process

    second_process._serve()
