"""A home that another program holds, or that was damaged by hand: one line says what to do, and the exit code is 1."""

from __future__ import annotations

import struct
import subprocess
import sys
import time
from collections.abc import Callable

import pytest

from stegvis.orchestration import cli
from stegvis.storage import warehouse
from stegvis.storage.home import Home
from tests.orchestration.story import Story


def cut(home: Home) -> None:
    home.warehouse.write_bytes(home.warehouse.read_bytes()[:5_000])


def no_database(home: Home) -> None:
    home.warehouse.write_bytes(b"not a database" * 1_000)


def one_byte_is_another(home: Home) -> None:
    """DuckDB names the block, which is no lock: nobody is waited for."""
    with home.warehouse.open("r+b") as file:
        file.seek(2_000)
        file.write(b"x")


def of_another_version(home: Home) -> None:
    """The version in the header, which begins with its checksum."""
    content = bytearray(home.warehouse.read_bytes())
    struct.pack_into("<Q", content, 12, 10_000)
    checksum = 5381
    for (word,) in struct.iter_unpack("<Q", content[8:4096]):
        checksum ^= word * 0xBF58476D1CE4E5B9 % 2**64
    struct.pack_into("<Q", content, 0, checksum)
    home.warehouse.write_bytes(content)


def latest_is_a_folder(home: Home) -> None:
    (home.releases / "latest").unlink()
    (home.releases / "latest").mkdir()


def lock_is_a_folder(home: Home) -> None:
    home.warehouse_lock.unlink(missing_ok=True)
    home.warehouse_lock.mkdir()


def broken_manifest(home: Home) -> None:
    file = (home.releases / "latest").resolve() / "manifest.json"
    file.parent.chmod(0o755)
    file.chmod(0o644)
    file.write_text("{")


def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *arguments: str) -> tuple[int, str]:
    """What a command ends with, and what it says of an error, in this process."""
    monkeypatch.setattr(sys, "argv", ["stegvis", *arguments])
    monkeypatch.setattr(cli.signal, "signal", lambda *_: None)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return int(ended.value.code or 0), capsys.readouterr().err


@pytest.mark.parametrize(
    ("harm", "says"),
    [
        (cut, "warehouse.duckdb is damaged, or no DuckDB file. Move it away"),
        (no_database, "warehouse.duckdb is damaged, or no DuckDB file. Move it away"),
        (one_byte_is_another, "warehouse.duckdb is damaged, or no DuckDB file. Move it away"),
        (of_another_version, "another version of DuckDB wrote warehouse.duckdb. Install that version"),
        (latest_is_a_folder, "releases/latest is a folder, where a link to a release belongs: move it away"),
        (lock_is_a_folder, "warehouse.lock in the home is a folder, where a lock file belongs: remove it"),
        (broken_manifest, "restore the release from a backup"),
    ],
)
@pytest.mark.parametrize("command", ["refresh", "status"])
def test_a_damaged_home_is_named_in_one_line(
    story: Story,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    harm: Callable[[Home], None],
    says: str,
    command: str,
) -> None:
    harm(story.home)
    code, error = run(capsys, monkeypatch, command, "--home", str(story.home.root))
    assert code == 1
    assert says in error
    assert "unexpected" not in error
    assert len(error.splitlines()) == 1


READ = """
import duckdb, sys, time
held = duckdb.connect(sys.argv[1], read_only=True)
print("held", flush=True)
time.sleep({})
"""


def reader(home: Home, seconds: float) -> subprocess.Popen[str]:
    """Another program that has the warehouse open for so long."""
    command = [sys.executable, "-c", READ.format(seconds), str(home.warehouse)]
    other = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert other.stdout is not None
    assert other.stdout.readline() == "held\n"
    return other


def test_a_program_that_reads_the_warehouse_is_waited_for(story: Story) -> None:
    with reader(story.home, 1.0) as other:
        started = time.monotonic()
        assert story.table("select count(*) as people from cohort")["people"].item() == 400
        assert time.monotonic() - started > 0.2
        assert other.wait() == 0


def test_a_program_that_never_lets_go_is_named(
    story: Story, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(warehouse, "WAIT_FOR_READER_SECONDS", 0.3)
    with reader(story.home, 60.0) as other:
        try:
            code, error = run(capsys, monkeypatch, "status", "--home", str(story.home.root))
        finally:
            other.kill()
    assert (code, error.count("\n")) == (1, 1)
    assert "the warehouse is open in another program" in error
