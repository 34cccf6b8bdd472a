"""A delivered file that changes while it is read is not published."""

from __future__ import annotations

from pathlib import Path

import pytest

from stegvis.storage import delivered_files
from stegvis.storage.reading import DeliveredTable
from tests.orchestration.story import Story


@pytest.mark.parametrize("what", ["changed", pytest.param("gone", marks=pytest.mark.slow)])
def test_a_file_that_changes_while_it_is_read_costs_no_published_row(
    story: Story, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    rows = "select * from followup_questionnaire order by all"
    before = story.table(rows)
    drop = story.drop("followup", "2021-2023.2", story.answers().iloc[:20], "questionnaire.csv")
    file, original = drop / "questionnaire.csv", delivered_files.read_columns

    def read(path: Path, *arguments: object, **options: object) -> DeliveredTable:
        found = original(path, *arguments, **options)  # type: ignore[arg-type]
        if path == file:
            if what == "changed":
                file.write_text(file.read_text() + "another,row\n")
            else:
                file.unlink()
        return found

    with monkeypatch.context() as patched:
        patched.setattr(delivered_files, "read_columns", read)
        done = story.refresh()
    assert not done.ok
    ((table, wave, why),) = done.failed
    assert (table, wave) == ("followup_questionnaire", "2021-2023")
    assert "followup/2021-2023.2 changed while it was read" in why
    assert story.table(rows).equals(before)
    # The drop is not what its manifest says any more, and the others are used.
    again = story.refresh()
    landing = again.landing
    assert [each.name for each in (*landing.rejected, *landing.waiting)] == ["2021-2023.2"]
    assert again.failed == []
    assert story.table(rows).equals(before)
