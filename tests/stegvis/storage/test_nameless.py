"""Why a delivery is not used, as it may be sent: drops and rules, no file that may be a person's."""

from __future__ import annotations

from pathlib import Path

import pytest

from stegvis.storage.landing import Unused, scan
from stegvis.storage.manifest import Issue
from stegvis.storage.nameless import nameless


def unused(kind: str, name: str, *issues: Issue) -> Unused:
    return Unused(kind, name, Path("x"), issues)  # type: ignore[arg-type]


def differs(file: str) -> Issue:
    return Issue(file, "hash_mismatch", f"{file} is not the file that drop.json describes: its sha256 differs")


@pytest.mark.parametrize(
    ("drop", "said"),
    [
        (
            unused("recordings", "2031-01", differs("P17_back.cwa"), differs("P17_thigh.cwa"), differs("days.csv")),
            (
                "recordings/2031-01",
                "a file is not the file that drop.json describes: its sha256 differs (2 files); "
                "days.csv is not the file that drop.json describes: its sha256 differs",
            ),
        ),
        (
            unused(
                "recordings", "P17_back.cwa", Issue("P17_back.cwa", "misplaced", "a file directly under recordings/")
            ),
            ("recordings/(outside a drop)", "a file directly under recordings/"),
        ),
        (
            unused("recordings", "2031-01", Issue("P17.cwa", "odd", "the file P17.cwa is odd")),
            ("recordings/2031-01", "a file breaks the rule odd"),
        ),
        (
            unused("withdrawals", "P17", differs("P17.csv")),
            ("withdrawals", "a list of withdrawals; stegvis status names it"),
        ),
        (
            unused("followup", "2027.x", Issue("2027.x", "drop_name", "a wave is named by its years")),
            ("followup/2027.x", "a wave is named by its years"),
        ),
    ],
)
def test_files_are_not_named_and_everything_else_is_kept(drop: Unused, said: tuple[str, str]) -> None:
    assert nameless(drop) == said


def test_of_a_landing_zone_with_files_named_after_a_person_nothing_names_one(tmp_path: Path) -> None:
    for kind in ("baseline", "recordings", "followup", "withdrawals"):
        (tmp_path / kind / "2031-01").mkdir(parents=True)
        (tmp_path / kind / "P17.txt").write_text("x")
        (tmp_path / kind / "2031-01" / "P17.csv").write_text("x")
        files = ", ".join(f'"{name}": {{"sha256": "{"0" * 64}"}}' for name in ("P17.csv", "P17_absent.csv"))
        (tmp_path / kind / "2031-01" / "drop.json").write_text(f'{{"files": {{{files}}}}}')
    found = scan(tmp_path, None)
    drops = [*found.waiting, *found.rejected]
    assert len(drops) >= 7
    assert any("P17" in drop.reason + drop.name for drop in drops)
    assert not any("P17" in text for drop in drops for text in nameless(drop))
