"""The processing records of a batch."""

from __future__ import annotations

from pathlib import Path

from stegvis.storage.recording_records import RecordingRecords


def test_records_are_kept_until_they_are_no_longer_used(tmp_path: Path) -> None:
    north, south = (RecordingRecords(tmp_path, batch) for batch in ("north", "south"))
    assert north.read("raw-1") is None
    record = {"rule": None, "hours": 23.987, "quality": {"offset_seconds": None}}
    for records in (north, south):
        records.write("raw-1", record)
    north.write("raw-2", {"rule": "not_worn"})
    (north.folder / "raw-3.4711.tmp").write_text("and then the power went")
    assert north.read("raw-1") == record
    north.keep_only(["raw-2"])
    assert north.read("raw-1") is None
    assert [file.name for file in north.folder.glob("*")] == ["raw-2.json"]
    assert south.read("raw-1") == record
