"""A lake with a row for each epoch, as earlier versions stored it, becomes one of bouts: nothing is lost, wherever the
process is killed, and what was classified is not classified again."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from stegvis.accelerometry.method import CLASSIFICATION_VERSION
from stegvis.provenance.code import data_digest
from stegvis.storage.home import Home
from stegvis.storage.home_format import FORMAT, read_format
from stegvis.storage.lake import EpochLake, read_epochs, shard_name
from stegvis.storage.recordings import MODELS
from stegvis.storage.records import damaged_files, read_records
from stegvis.storage.warehouse import Warehouse
from stegvis.twin import write_twin
from tests.orchestration.command import stegvis
from tests.orchestration.old_version import unpack
from tests.orchestration.story import Story
from tests.sizes import FULL
from tests.study import CODEBOOK, PROTOCOL

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

ROOT = Path(__file__).parents[2]
LAST_WITH_ROWS = "eb0e0c8"
MAPPED = ("assets", "expectations", "orchestration", "sql", "studies")
BATCHES = ("epochs", "signals")
SAID = "files of the lake have a row for each epoch"

# The process ends as by a kill: before, between and after the steps of publishing the shards of a batch.
KILLED = """
import os, sys
from stegvis.storage.lake import EpochLake
publish = EpochLake.publish
def killed(lake, names):
    names = list(names)
    if sys.argv[1] == "moved":
        for name in names:
            if (lake.staging / lake.file(name).name).exists():
                (lake.staging / lake.file(name).name).replace(lake.file(name))
    if sys.argv[1] == "published":
        publish(lake, names)
    os._exit(9)
EpochLake.publish = killed
from pathlib import Path
from stegvis.orchestration.refresh import refresh
from stegvis.storage.home import Home
home = Path(sys.argv[2])
refresh(Home(home, home / "landing"))
"""

# Where the old version puts together what decides an epoch.
DECIDES = '    parts |= {"method version": CLASSIFICATION_VERSION}\n'


@pytest.fixture(scope="module")
def old_code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The last version that stored rows, as if recordings had been classified by today's method and models then."""
    code = unpack(LAST_WITH_ROWS, tmp_path_factory.mktemp("rows") / "code")
    for part in MAPPED:  # as an installed package has them
        (code / part).rename(code / "stegvis" / part)
    method = code / "stegvis" / "accelerometry" / "method.py"
    then, now = (f'CLASSIFICATION_VERSION = "{version}"' for version in ("2", CLASSIFICATION_VERSION))
    text = method.read_text(encoding="utf-8")
    assert then in text
    method.write_text(text.replace(then, now), encoding="utf-8")
    recordings = code / "stegvis" / "storage" / "recordings.py"
    text = recordings.read_text(encoding="utf-8")
    assert DECIDES in text
    models = {f"file {model}": data_digest(model) for model in MODELS}
    recordings.write_text(text.replace(DECIDES, f"{DECIDES}    parts |= {models}\n"), encoding="utf-8")
    return code


def of_then(code: Path, command: str, home: Path) -> subprocess.CompletedProcess[str]:
    """A command of the old version."""
    return subprocess.run(
        [sys.executable, "-m", "stegvis.orchestration", command, "--home", str(home)],
        cwd=code, env=environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def old_home(old_code: Path) -> Path:
    """A home of that version, with its study: two signals and three people's delivered epochs."""
    folder = old_code.parent
    write_twin(folder / "home" / "landing", PROTOCOL, CODEBOOK, people=60, waves=0, epochs=3, signals=2, seed=3)
    home = Home(folder / "home", folder / "home" / "landing")
    shutil.copytree(old_code / "stegvis" / "studies" / "hunt4_walking", home.study)
    made = of_then(old_code, "refresh", home.root)
    assert made.returncode == 0, made.stderr
    return home.root


@pytest.fixture
def home(old_home: Path, tmp_path: Path) -> Home:
    shutil.copytree(old_home, tmp_path / "home", symlinks=True)
    return Home(tmp_path / "home", tmp_path / "home" / "landing")


def environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(("STEGVIS_", "DAGSTER_"))}


def rows_of(home: Home) -> dict[str, pd.DataFrame]:
    """The epochs of each batch."""
    return {batch: pd.concat(read_epochs(f).to_pandas() for f in EpochLake(home.lake, batch).files()).sort_values(
        ["person", "epoch_start"], ignore_index=True) for batch in BATCHES}  # fmt: skip


def days_of(home: Home) -> pd.DataFrame:
    return Story(home).table("select * from daily_exposures order by all")


def processing_records(home: Home) -> dict[str, int]:
    return {file.name: file.stat().st_mtime_ns for file in (home.lake / "recordings").rglob("*.json")}


def is_of_bouts(home: Home, epochs: dict[str, pd.DataFrame], days: pd.DataFrame, but: str | None = None) -> None:
    """Everything is as before, in bouts, and up to date; the records of lake files are those of the files.

    ``but``: a person whose recording was classified again, by the method of today.
    """
    files = sorted((home.lake / "epochs").rglob("*.parquet"))
    assert [file.name.endswith(".bouts.parquet") for file in files] == [True] * 3
    assert not (home.lake / "staging").exists() or not list((home.lake / "staging").rglob("*.parquet"))
    now = rows_of(home)
    for batch in BATCHES:
        assert_same_of_others(now[batch], epochs[batch], but)
    assert_same_of_others(days_of(home), days, but)
    with Warehouse(home).session("test") as connection:
        records = [made for made in read_records(connection) if made.table == "epoch_classification"]
    assert sorted(name for made in records for name in made.files) == [
        file.relative_to(home.root).as_posix() for file in files
    ]
    assert not [name for made in records for name in damaged_files(home.root, made.files)]
    assert not [step for step in Story(home).steps() if step.state != "missing upstream"]


def assert_same_of_others(now: pd.DataFrame, before: pd.DataFrame, but: str | None) -> None:
    here, there = (frame[frame["person"] != but].reset_index(drop=True) for frame in (now, before))
    pd.testing.assert_frame_equal(here, there)
    assert set(now["person"]) == set(before["person"])


def test_a_lake_of_rows_becomes_one_of_bouts_and_nothing_else_changes(home: Home, old_code: Path) -> None:
    epochs, days, records = rows_of(home), days_of(home), processing_records(home)
    assert len(days) > 20
    assert len(epochs["signals"]) > 1000
    assert len(EpochLake(home.lake, "signals").former_files()) == 2
    before = read_format(home.root)[0]
    refreshed = stegvis("refresh", home=home.root)
    assert refreshed.returncode == 0, refreshed.stderr
    assert f"2 {SAID}" in refreshed.stdout + refreshed.stderr
    assert before < read_format(home.root)[0] == FORMAT
    refused = of_then(old_code, "status", home.root)  # it would misread the lake
    assert refused.returncode == 1
    assert f"format {FORMAT}" in refused.stderr
    assert processing_records(home) == records  # nothing was classified again
    is_of_bouts(home, epochs, days)


def test_a_lake_half_of_rows_is_completed(home: Home) -> None:
    epochs, days = rows_of(home), days_of(home)
    former = {file: file.read_bytes() for file in EpochLake(home.lake, "signals").former_files()}
    assert stegvis("refresh", home=home.root).returncode == 0
    file, content = min(former.items())
    file.write_bytes(content)
    EpochLake(home.lake, "signals").file(shard_name(file)).unlink()
    assert len({read.name.endswith(".bouts.parquet") for read in EpochLake(home.lake, "signals").files()}) == 2
    records = processing_records(home)
    refreshed = stegvis("refresh", home=home.root)
    assert refreshed.returncode == 0, refreshed.stderr
    assert f"1 {SAID}" in refreshed.stdout + refreshed.stderr
    assert processing_records(home) == records
    is_of_bouts(home, epochs, days)


def test_a_damaged_file_of_rows_is_made_again_from_its_recording(home: Home) -> None:
    epochs, days = rows_of(home), days_of(home)
    damaged = EpochLake(home.lake, "signals").former_files()[0]
    (person,) = read_epochs(damaged)["person"].unique().to_pylist()
    damaged.write_bytes(damaged.read_bytes()[:-100])
    assert stegvis("refresh", home=home.root).returncode == 0
    is_of_bouts(home, epochs, days, but=person)


@pytest.mark.parametrize("when", ["staged", "moved", "published"] if FULL else ["moved"])
def test_a_kill_leaves_a_lake_that_the_next_refresh_completes(home: Home, when: str) -> None:
    epochs, days, records = rows_of(home), days_of(home), processing_records(home)
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, when, str(home.root)],
        cwd=ROOT, env=environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert killed.returncode == 9, killed.stderr
    for batch, frame in rows_of(home).items():  # whoever reads now, finds every epoch once
        pd.testing.assert_frame_equal(frame, epochs[batch])
    assert stegvis("refresh", home=home.root).returncode == 0
    assert processing_records(home) == records
    is_of_bouts(home, epochs, days)
