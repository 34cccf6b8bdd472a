"""Quarantine is counted by drop, over what still matters: a later drop cures."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from stegvis.storage.delivered_files import DeliveryContract
from stegvis.storage.drops import Delivered, read_drops
from stegvis.storage.landing import scan
from tests.orchestration.story import complete
from tests.study import CODEBOOK, PROTOCOL


def answers(people: list[str], wrong: int = 0) -> pd.DataFrame:
    """A questionnaire in which the first rows have an unknown code."""
    screens = ["7" if place < wrong else "1" for place in range(len(people))]
    return pd.DataFrame(
        {"person": people, "PartDat_NT4CovQ": "2022-05-01", "MSPaLY_NT4CovQ": screens, "MSPaLum_NT4CovQ": "1"}
    )


def read(landing: Path, **drops: pd.DataFrame) -> Delivered:
    for name, frame in drops.items():
        folder = landing / "followup" / f"2022{'' if name == 'first' else f'.{name}'}"
        folder.mkdir(parents=True)
        frame.to_csv(folder / "questionnaire.csv", index=False)
        complete(folder)
    contract = DeliveryContract(CODEBOOK, PROTOCOL)
    accepted = scan(landing, None).drops("followup", "2022")
    return read_drops("questionnaire", accepted, "questionnaire", contract, lambda line: None)


PEOPLE = [f"P{number}" for number in range(10)]


def test_a_bad_drop_is_not_hidden_by_a_large_good_one(tmp_path: Path) -> None:
    many = answers([f"Q{number}" for number in range(90)])
    found = read(tmp_path, first=many, second=answers(PEOPLE, wrong=5)).summary()
    assert (found["rows_read"], found["rows_quarantined"], found["quarantined_share"]) == (100, 5, 0.5)


def test_rows_that_a_later_drop_has_again_do_not_count(tmp_path: Path) -> None:
    found = read(tmp_path, first=answers(PEOPLE, wrong=5), second=answers(PEOPLE[:4]))
    assert found.summary()["quarantined_share"] == 0.1
    assert found.all_problems()["row"].tolist() == [6]
    assert sum(len(frame) for frame in found.frames) == 9


def test_a_refused_file_does_not_count_once_a_later_drop_is_read(tmp_path: Path) -> None:
    broken = answers(PEOPLE).drop(columns="MSPaLY_NT4CovQ")
    alone = read(tmp_path / "a", first=broken).summary()
    assert (alone["quarantined_share"], alone["files_refused"]) == (1.0, 1)
    cured = read(tmp_path / "b", first=broken, second=answers(PEOPLE))
    assert (cured.summary()["quarantined_share"], cured.summary()["files_refused"]) == (0.0, 0)
    assert cured.all_problems().empty
