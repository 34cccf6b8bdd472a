"""The copy of a lake in object storage: kept equal, fetched on demand, compared, and erased from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from stegvis.storage import objects
from stegvis.storage.erasure import erase_from_lake, is_applied_to_lake
from stegvis.storage.home import Home
from stegvis.storage.lake import EpochLake, read_epochs
from stegvis.storage.lake_copy import LakeCopy
from stegvis.storage.objects import ObjectStorageError
from stegvis.storage.recording_records import RecordingRecords
from stegvis.storage.storage_settings import FILE as SETTINGS
from stegvis.storage.withdrawal_list import add_to_list, read_list
from tests.s3_server import BUCKET, Bucket, Trouble, proxy, s3_server

RECORD = {"rule": None, "epochs": 3}


@pytest.fixture(scope="module")
def trouble() -> Iterator[Trouble]:
    with s3_server() as address, proxy(address) as found:
        yield found


@pytest.fixture
def home(tmp_path: Path, trouble: Trouble) -> Home:
    """A home with a copy of its lake; one batch, a recording of each of two people."""
    trouble.answer = lambda method, path: "pass"
    home = Home(tmp_path / "home", tmp_path / "home" / "landing").create()
    (home.root / SETTINGS).write_text(
        f'lake = "s3://{BUCKET}/{tmp_path.name}"\n'
        f'[s3]\nendpoint = "{trouble.address}"\nattempts = 2\nwait = 0.01\nseconds = 5.0'
    )
    lake, records = parts(home)
    for name, person in (("signal-1", "P1"), ("signal-2", "P2")):
        lake.write(name, epochs(person), 5)
        records.write(name, RECORD)
    lake.publish(["signal-1", "signal-2"])
    assert lake.store_copies(["signal-1", "signal-2"]) == records.store_copies(["signal-1", "signal-2"]) == 2
    return home


def parts(home: Home) -> tuple[EpochLake, RecordingRecords]:
    copy = LakeCopy.of(home.root)
    return EpochLake(home.lake, "north", copy), RecordingRecords(home.lake, "north", copy)


def epochs(person: str) -> pd.DataFrame:
    times = pd.date_range("2018-01-01", periods=3, freq="5s").astype("datetime64[ms]")
    return pd.DataFrame({"person": person, "epoch_start": times, "activity": 1, "speed": 0, "confidence": 9})


def stored(home: Home, trouble: Trouble) -> dict[str, bytes]:
    """Each object of the copy, by its key."""
    bucket = Bucket(trouble.address)
    return {key: bucket.read(key) for key in bucket.keys(home.root.parent.name)}


def test_what_the_folder_lacks_is_fetched_and_compared(home: Home, trouble: Trouble) -> None:
    before = {file.name: file.read_bytes() for file in home.lake.rglob("*") if file.is_file()}
    lake, records = parts(home)
    for file in home.lake.rglob("*.*"):
        file.unlink()
    shard = lake.shard("signal-1")
    assert shard is not None
    assert set(read_epochs(shard)["person"].to_pylist()) == {"P1"}
    assert records.read("signal-1") == RECORD
    assert shard.read_bytes() == before[shard.name]
    assert lake.shard("signal-3") is None
    assert records.read("signal-3") is None
    # A damaged object is as good as none, and is written again.
    bucket = Bucket(trouble.address)
    (key,) = [key for key in stored(home, trouble) if "epochs" in key and "signal-2" in key]
    content = bucket.read(key)
    bucket.put(key, content[:-1] + b"!")
    lake, _ = parts(home)
    assert lake.shard("signal-2") is None
    lake.write("signal-2", epochs("P2"), 5)
    assert lake.store_copies(["signal-1", "signal-2"]) == 1
    assert bucket.read(key) == content


def test_nothing_is_written_twice_and_what_no_longer_belongs_is_removed(home: Home, trouble: Trouble) -> None:
    lake, records = parts(home)
    assert lake.store_copies(["signal-1", "signal-2"]) == records.store_copies(["signal-1", "signal-2"]) == 0
    assert lake.copy is not None
    lake.copy.keep_only("epochs", "north", [lake.file("signal-1").name])
    assert [key.split("/")[1] for key in stored(home, trouble) if "signal-2" in key] == ["recordings"]
    assert LakeCopy.of(home.root).batches() == ["north"]  # type: ignore[union-attr]


def test_a_large_file_is_written_in_parts_that_become_one(home: Home, trouble: Trouble, monkeypatch) -> None:
    monkeypatch.setattr(objects, "_ONE_REQUEST", 12 << 20)  # a part of S3 has 5 MB at least
    big = home.lake / "epochs" / "batch=north" / "big.bouts.parquet"
    big.write_bytes(bytes(range(256)) * (13 << 12))
    copy = LakeCopy.of(home.root)
    assert copy is not None
    trouble.asked.clear()
    assert copy.store_files("epochs", "north", [big]) == 1
    assert trouble.count("PUT", "partNumber") == 3
    content = big.read_bytes()
    big.unlink()
    assert copy.fetch("epochs", "north", big)
    assert big.read_bytes() == content


@pytest.mark.parametrize("where", ["here and in the copy", "in the copy alone"])
def test_who_withdraws_is_erased_from_the_copy(home: Home, trouble: Trouble, where: str) -> None:
    if where == "in the copy alone":
        for file in home.lake.rglob("*.*"):
            file.unlink()
    add_to_list(home.root, "june", ["P1"])
    assert erase_from_lake(home, read_list(home.root)) == {"P1"}
    left = stored(home, trouble)
    assert sorted(key.split("/")[1] for key in left) == ["epochs", "recordings"]
    assert all("signal-2" in key for key in left)
    assert not any(b"P1" in content for content in left.values())
    assert is_applied_to_lake(home, read_list(home.root))


def test_nobody_counts_as_erased_while_the_copy_cannot_be_reached(home: Home, trouble: Trouble) -> None:
    add_to_list(home.root, "june", ["P1"])
    trouble.answer = lambda method, path: "500" if method == "DELETE" else "pass"
    with pytest.raises(ObjectStorageError, match="answered 500"):
        erase_from_lake(home, read_list(home.root))
    assert not is_applied_to_lake(home, read_list(home.root))
    assert any(b"P1" in file.read_bytes() for file in home.lake.rglob("*.parquet")), "so that it is found again"
    trouble.answer = lambda method, path: "pass"
    assert erase_from_lake(home, read_list(home.root)) == {"P1"}
    assert not any(b"P1" in content for content in stored(home, trouble).values())
