"""Thousands of mutated deliveries through the one reading function: each is read or refused, and changes nobody.

``make fuzz`` reads 100,000; ``STEGVIS_FUZZ_FILES`` gives another number.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.sizes import FUZZ_FILES
from tests.stegvis.storage import mutations

ROOT = Path(__file__).parents[3]
WORKERS = 2


def summaries(first: int, last: int, folder: Path, module: str = mutations.__name__) -> list[dict]:
    """What workers, each a process of its own, found in these files or drops; a crash fails and names the last one."""
    bounds = [first + (last - first) * part // WORKERS for part in range(WORKERS + 1)]
    workers = []
    for part in range(WORKERS):
        with (folder / f"out{part}").open("w") as out, (folder / f"err{part}").open("w") as err:
            command = [sys.executable, "-m", module, str(bounds[part]), str(bounds[part + 1])]
            workers.append(subprocess.Popen(command, stdout=out, stderr=err, cwd=ROOT))
    found = []
    for part, worker in enumerate(workers):
        code = worker.wait()
        last_lines = (folder / f"err{part}").read_text().splitlines()[-5:]
        assert code == 0, f"a reader ended its process with {code} at {last_lines}"
        found.append(json.loads((folder / f"out{part}").read_text()))
    return found


@pytest.mark.slow
def test_every_mutated_file_is_read_or_refused(tmp_path: Path) -> None:
    found = summaries(0, FUZZ_FILES, tmp_path)
    assert [each["wrong"] for each in found] == [{}] * WORKERS
    assert sum(each["files"] for each in found) == FUZZ_FILES
    assert max(each["slowest"] for each in found) < mutations.SECONDS
    assert max(each["megabytes"] for each in found) < mutations.MEGABYTES


def test_a_handful_of_mutated_files(tmp_path: Path) -> None:
    found = mutations.run(10_000_000, 10_000_060)
    assert found["wrong"] == {}
    assert found["files"] == 60


def test_the_fuzz_would_find_a_changed_identifier(tmp_path: Path) -> None:
    case = mutations.Case(
        "withdrawals", ".csv", b"person\n1001\n", lambda found: mutations.only_people_of(found, {"1002"})
    )
    assert mutations.complaint(case, tmp_path) == "an identifier that is not in the file"
    expected = mutations.read_delivered(tmp_path / "withdrawals.csv", "", "withdrawals", mutations.CONTRACT).frame
    other = mutations.Case("withdrawals", ".csv", b"person\n1002\n", lambda found: mutations.same_rows(found, expected))
    assert mutations.complaint(other, tmp_path) == "a cell changed"
