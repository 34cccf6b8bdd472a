"""What is remembered of a batch's recordings."""

from __future__ import annotations

from pathlib import Path

from stegvis.storage.recording_records import RecordingNotes


def test_a_note_is_kept_until_nobody_asks_for_it(tmp_path: Path) -> None:
    north, south = (RecordingNotes(tmp_path, batch) for batch in ("north", "south"))
    assert north.read("raw-1") is None
    note = {"rule": None, "hours": 23.987, "quality": {"offset_seconds": None}}
    for notes in (north, south):
        notes.write("raw-1", note)
    north.write("raw-2", {"rule": "not_worn"})
    (north.folder / "raw-3.4711.tmp").write_text("and then the power went")
    assert north.read("raw-1") == note
    north.keep_only(["raw-2"])
    assert north.read("raw-1") is None
    assert [file.name for file in north.folder.glob("*")] == ["raw-2.json"]
    assert south.read("raw-1") == note
