"""The studies that come with the program."""

from __future__ import annotations

from pathlib import Path

import pytest

from stegvis.studies import FIRST, NoStudyError, copy_study, names, study_folder
from stegvis.study.study import FILES, Study


@pytest.mark.parametrize("name", names())
def test_a_study_can_be_read_and_knows_its_name(name: str) -> None:
    assert Study.shipped(name).about.name == name
    assert {
        file.relative_to(study_folder(name)).as_posix() for file in study_folder(name).rglob("*") if file.is_file()
    } <= set(FILES)


def test_an_unknown_study_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(NoStudyError, match=f"no study 'hunt9' .*; there are: .*{FIRST}"):
        copy_study("hunt9", tmp_path / "study")


def test_a_copy_is_never_written_over(tmp_path: Path) -> None:
    copy_study(FIRST, tmp_path / "study")
    (tmp_path / "study" / "protocol.toml").write_text("mine")
    with pytest.raises(FileExistsError):
        copy_study(FIRST, tmp_path / "study")
    assert (tmp_path / "study" / "protocol.toml").read_text() == "mine"
