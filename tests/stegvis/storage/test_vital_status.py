"""The deliveries of a register: later drops replace, the baseline shows what cannot be, and withdrawn people go."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

import pandas as pd

from stegvis.storage.delivered_files import DeliveryContract
from stegvis.storage.drops import Delivered
from stegvis.storage.landing import scan
from stegvis.storage.validation import validate_drop
from stegvis.storage.vital_status import latest_day, read_vital_status
from stegvis.study.codebook import Codebook
from tests.stegvis.storage.drops import deliver
from tests.study import CODEBOOK, PROTOCOL

CONTRACT = DeliveryContract(CODEBOOK, PROTOCOL)
PEOPLE = pd.DataFrame({"person": ["P1", "P2", "P3"], "baseline_date": pd.to_datetime(["2018-01-10"] * 3)})
HEAD = "person,date,event\n"


def read(landing: Path, gone: tuple[str, ...] = ()) -> tuple[pd.DataFrame, Delivered]:
    drops = scan(landing, None).drops("registry")
    kept = lambda rows: rows[~rows["person"].isin(gone)]  # noqa: E731
    return read_vital_status(drops, CONTRACT, PEOPLE, kept, lambda line: None)


def test_later_drops_replace_the_rows_of_the_same_person(tmp_path: Path) -> None:
    deliver(tmp_path / "registry/2023", {"vital_status.csv": HEAD + "P1,2020-01-01,died\nP2,2020-01-01,died\n"})
    deliver(tmp_path / "registry/2024", {"vital_status.csv": HEAD + "P2,2021-01-01,emigrated\n"})
    found, delivered = read(tmp_path)
    assert found[["person", "event", "delivery"]].values.tolist() == [
        ["P1", "died", "2023"],
        ["P2", "emigrated", "2024"],
    ]
    assert (delivered.rows_read, delivered.rows_quarantined) == (3, 0)


def test_events_before_the_baseline_are_quarantined_until_they_are_corrected(tmp_path: Path) -> None:
    deliver(tmp_path / "registry/a", {"vital_status.csv": HEAD + "P1,2018-01-09,died\nP2,2018-01-10,died\n"})
    found, delivered = read(tmp_path)
    assert found["person"].tolist() == ["P2"]
    (problem,) = delivered.all_problems().to_dict("records")
    assert (problem["file"], problem["row"], problem["rule"]) == ("a/vital_status.csv", 2, "before_baseline")
    assert (delivered.rows_quarantined, delivered.largest_share) == (1, 0.5)
    deliver(tmp_path / "registry/b", {"vital_status.csv": HEAD + "P1,2019-01-09,died\n"})
    found, delivered = read(tmp_path)
    assert found["person"].tolist() == ["P1", "P2"]
    assert delivered.all_problems().empty


def test_withdrawn_people_are_in_no_row(tmp_path: Path) -> None:
    deliver(tmp_path / "registry/a", {"vital_status.csv": HEAD + "P1,2020-01-09,died\nP2,2019-01-10,died\n"})
    assert read(tmp_path, gone=("P1",))[0]["person"].tolist() == ["P2"]


def test_people_whom_no_baseline_has_are_marked(tmp_path: Path) -> None:
    deliver(tmp_path / "registry/a", {"vital_status.csv": HEAD + "P9,2020-01-09,died\nP2,2019-01-10,died\n"})
    found, _ = read(tmp_path)
    assert dict(zip(found["person"], found["in_cohort"], strict=True)) == {"P9": False, "P2": True}


def test_without_a_register_the_table_is_empty_with_its_types(tmp_path: Path) -> None:
    found, delivered = read(tmp_path)
    assert found.empty
    assert found["date"].dtype == "datetime64[us]"
    assert delivered.rows_read == 0


def test_validate_says_what_a_refresh_would(tmp_path: Path) -> None:
    tomorrow = (dt.datetime.now(dt.UTC).date() + dt.timedelta(days=2)).isoformat()
    text = HEAD + f"P1,2020-01-09,died\nP2,{tomorrow},died\nP3,2020-01-09,gone\nP4,2020-01-09,died\n"
    for place, synthetic, rules in (("registry/a", False, 2), ("registry/b", True, 1), ("elsewhere", False, 2)):
        validation = validate_drop(deliver(tmp_path / place, {"vital_status.csv": text}, synthetic), CONTRACT)
        assert validation.kind == "registry"
        assert len(validation.problems[validation.problems["rule"] != "too_many_quarantined"]) == rules
    assert latest_day(synthetic=True) is None


def test_a_codebook_without_the_layout_knows_the_person_by_the_study_s_own_name() -> None:
    given = CODEBOOK.model_dump(exclude={"vital_status"}, exclude_none=True, mode="json")
    given["participants"]["columns"]["person"]["source"] = ["LNR"]
    layout = Codebook.model_validate(given).vital_status
    assert layout.columns["person"].source == ("LNR",)
    assert replace(CONTRACT).codebook.vital_status.key == layout.key
