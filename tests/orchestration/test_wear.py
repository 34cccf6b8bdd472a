"""The page of wear, by the command."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.orchestration.command import stegvis_here as stegvis


@pytest.mark.slow
def test_a_folder_of_pairs_becomes_a_page_that_lists_each(tmp_path: Path) -> None:
    from stegvis.twin.raw import write_raw_pair
    from tests.study import PROTOCOL

    folder = tmp_path / "week 9"
    folder.mkdir()
    write_raw_pair(folder, "P1", 1, seed=19, protocol=PROTOCOL, swapped=True)
    (folder / "P2_back.cwa").write_bytes(b"")
    (folder / "P2_thigh.cwa").write_bytes(b"")
    (folder / "P3_Back.CWA").write_bytes(b"")
    (folder / "notes.txt").write_text("not a recording")
    page = tmp_path / "wear.html"
    done = stegvis("wear", folder, "-o", page)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(page)
    assert "recording 3 of 3" in done.stderr
    text = page.read_text(encoding="utf-8")
    assert "Wear of week 9" in text
    assert "3 recordings in all; used: 1, not used: 2." in text
    for name in ("P1", "P2", "P3"):
        assert name in text
        assert name not in done.stdout + done.stderr.replace(str(tmp_path), "")
    assert "the file of the thigh sensor is missing" in text
    assert "the back recording cannot be read: the file is empty" in text
    assert "sensors in each other&#39;s place, corrected" in text


def test_wrong_use_and_nothing_to_show_are_refused(tmp_path: Path) -> None:
    page = tmp_path / "wear.html"
    (tmp_path / "empty").mkdir()
    for arguments, code, said in (
        (("-o", page), 2, "name a folder"),
        ((tmp_path, "-o", page, "--batch", "B"), 2, "name a folder"),
        ((tmp_path / "none", "-o", page), 2, "is not a folder"),
        ((tmp_path, "-o", tmp_path / "wear.csv"), 2, "does not end in .html"),
        ((tmp_path / "empty", "-o", page), 1, "has no files named"),
        (("--batch", "B", "--home", tmp_path / "home", "-o", page), 1, "has no warehouse yet"),
    ):
        done = stegvis("wear", *arguments)
        assert (done.returncode, said in " ".join(done.stderr.split())) == (code, True), done.stderr
    assert not page.exists()
