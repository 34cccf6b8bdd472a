"""Each kind of bad delivery: a clear message that names file, row and rule; everything else is unaffected."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from stegvis.orchestration.check_results import failing_checks, quarantined
from stegvis.sql import sql_text
from stegvis.storage.delivered_files import DeliveryContract
from stegvis.storage.validation import validate_drop
from stegvis.storage.withdrawal_list import read_list
from stegvis.study.study import Study
from tests.orchestration.story import Story, complete
from tests.study import CODEBOOK, PROTOCOL

WAVE = "2024-2026"


@pytest.fixture
def good_results(story: Story) -> bytes:
    return (story.release() / "results.csv").read_bytes()


def rows_in_quarantine(story: Story) -> pd.DataFrame:
    return story.table("select * from quarantine order by file, row")


def unchanged(story: Story, good_results: bytes) -> bool:
    """The last good release's estimates of the good wave are still there, byte for byte."""
    results = pd.read_csv(story.release() / "results.csv")
    before = pd.read_csv(pd.io.common.BytesIO(good_results))
    wave = results["wave"] == "2021-2023"
    pd.testing.assert_frame_equal(results[wave], before[before["wave"] == "2021-2023"], check_index_type=False)
    return True


@pytest.mark.slow
def test_wrong_column(story: Story, good_results: bytes) -> None:
    misnamed = story.answers().rename(columns={"MSPaLY_NT4CovQ": "MSPaLY_NT4Cov"})
    story.drop("followup", WAVE, misnamed, "questionnaire.csv")
    done = story.refresh()
    assert not done.ok
    (found,) = rows_in_quarantine(story).to_dict("records")
    assert found["file"] == f"{WAVE}/questionnaire.csv"
    assert found["rule"] == "missing_column"
    assert "MSPaLY_NT4CovQ" in found["message"]
    assert "MSPaLY_NT4Cov" in found["message"].replace("MSPaLY_NT4CovQ", "")
    assert unchanged(story, good_results)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("column", "value", "rule"),
    [("PartAg_NT4BLM", "about sixty", "wrong_type"), ("SmoStat_NT4BLQ1", "9", "unknown_code")],
)
def test_a_bad_cell_quarantines_its_row(story: Story, column: str, value: str, rule: str) -> None:
    people = story.baseline().iloc[:40].copy()
    people.loc[people.index[7], column] = value
    story.drop("baseline", "2020-01", people, "participants.csv")
    done = story.refresh()
    assert done.ok, "one bad row in forty is reported and blocks nothing"
    (found,) = rows_in_quarantine(story).to_dict("records")
    assert (found["file"], found["row"], found["column_name"], found["rule"]) == (
        "2020-01/participants.csv",
        9,
        column,
        rule,
    )
    assert value not in found["message"]
    assert len(story.table("select * from cohort")) == len(story.baseline()) - 2  # two people are withdrawn


@pytest.mark.slow
def test_duplicate_person(story: Story) -> None:
    answers = story.answers().iloc[:100]
    story.drop("followup", WAVE, pd.concat([answers, answers.iloc[[4]]]), "questionnaire.csv")
    story.refresh()
    (found,) = rows_in_quarantine(story).to_dict("records")
    assert (found["row"], found["rule"]) == (102, "duplicate")
    assert "row 6" in found["message"]
    kept = story.table(f"select count(*) as n from followup_questionnaire where wave = '{WAVE}'")["n"].item()
    withdrawn = read_list(story.home.root).among(answers["person"])
    assert kept == (~withdrawn).sum()


@pytest.mark.slow
def test_a_day_over_24_hours_is_quarantined_alone(story: Story) -> None:
    days = story.days().iloc[:30].copy()
    full = days.index[days["SitTmD2_NT4ActMX"].notna()][0]
    days.loc[full, "SitTmD2_NT4ActMX"] = "90000"
    story.drop("recordings", "2019-09", days, "days.csv")
    assert story.refresh().ok
    (found,) = rows_in_quarantine(story).to_dict("records")
    assert found["rule"] in ("day_over_24_hours", "out_of_range")
    assert found["file"] == "2019-09/days.csv"
    assert found["row"] == days.index.get_loc(full) + 2
    person = days.loc[full, "person"]
    left = story.table(f"select day from daily_exposures where batch = '2019-09' and person = '{person}'")["day"]
    assert 2 not in set(left)
    assert len(left) >= 1


@pytest.mark.slow
def test_validate_finds_in_a_batch_what_the_refresh_quarantines(story: Story) -> None:
    folder = story.drop("recordings", "2019-09", story.days().iloc[:30].assign(SitTmD2_NT4ActMX="90000"), "days.csv")
    times = pd.date_range("2019-09-02", periods=5, freq="5s")
    epochs = pd.DataFrame({"person": "P1", "epoch_start": times, "activity": ["1", "8", "99", None, "walking"]})
    pd.concat([epochs, epochs.iloc[:1]]).to_parquet(folder / "epochs.parquet", index=False)
    (folder / "epochs.csv").write_text("person,epoch_start,activity\n")
    (folder / "X1_back.cwa").write_text("half of a pair")
    (folder / "readme.txt").write_text("no recording")
    complete(folder)
    contract = DeliveryContract(CODEBOOK, PROTOCOL, sql_text("delivered_epochs"))
    validation = validate_drop(folder, contract).problems
    story.refresh()
    quarantine = rows_in_quarantine(story)
    # That the half of the pair cannot be read either, and the share of broken rows, only validating says.
    alone = (validation["rule"] == "too_many_quarantined") | (
        (validation["file"] == "X1_back.cwa") & (validation["rule"] == "unreadable")
    )
    listed = {
        (f"2019-09/{row.file}", None if pd.isna(row.row) else int(row.row), row.rule)
        for row in validation[~alone].itertuples()
    }
    found = {(row.file, None if pd.isna(row.row) else int(row.row), row.rule) for row in quarantine.itertuples()}
    assert found == listed
    assert {rule for _, _, rule in found} >= {"duplicate", "unknown_code", "unreadable", "half_missing", "unknown_file"}


@pytest.mark.slow
def test_truncated_parquet(story: Story, good_results: bytes) -> None:
    folder = story.drop("followup", WAVE)
    story.answers().to_parquet(folder / "questionnaire.parquet")
    whole = (folder / "questionnaire.parquet").read_bytes()
    (folder / "questionnaire.parquet").write_bytes(whole[: len(whole) // 2])
    (folder / "drop.json").unlink()
    complete(folder)
    done = story.refresh()
    assert not done.ok
    (found,) = rows_in_quarantine(story).to_dict("records")
    assert (found["file"], found["rule"]) == (f"{WAVE}/questionnaire.parquet", "unreadable")
    assert unchanged(story, good_results)


@pytest.mark.slow
def test_a_second_baseline_that_cannot_be_read_fails_in_both_and_costs_only_itself(story: Story) -> None:
    before = len(story.table("select * from baseline_questionnaire"))
    folder = story.drop("baseline", "2020-01")
    (folder / "participants.csv").write_bytes(b"person,Sex\n1,1\n\xff")
    complete(folder)
    study = Study.of(story.home.root)
    assert validate_drop(folder, DeliveryContract(study.codebook, study.protocol)).refused
    done = story.refresh()
    assert not done.ok
    assert (done.failed, done.blocked) == ([], [])
    (unusable,) = done.unusable
    assert unusable.delivery == "baseline/2020-01"
    assert "2020-01/participants.csv: unreadable, refused as a whole" in unusable.reason
    assert len(story.table("select * from baseline_questionnaire")) == before
    facts = story.status()
    assert (facts["ok"], facts["deliveries"]["unusable"]) == (False, [vars(unusable)])
    story.drop("baseline", "2020-02", story.baseline().iloc[:5], "participants.csv")
    assert story.refresh().unusable == [], "a later drop cures it"


def test_a_drop_without_its_drop_json_waits(story: Story) -> None:
    folder = story.drop("followup", WAVE, story.answers(), "questionnaire.csv")
    (folder / "drop.json").unlink()
    done = story.refresh()
    assert done.ok
    assert done.materialized == []
    (waiting,) = done.landing.waiting
    assert waiting.name == WAVE
    assert "drop.json" in waiting.reason
    assert story.status()["deliveries"]["waiting"][0]["delivery"] == f"followup/{WAVE}"


def test_a_hash_that_does_not_match_rejects_the_drop(story: Story, good_results: bytes) -> None:
    folder = story.drop("followup", WAVE, story.answers(), "questionnaire.csv")
    with (folder / "questionnaire.csv").open("a") as file:
        file.write("\n")
    done = story.refresh()
    assert not done.ok
    assert done.materialized == []
    (rejected,) = done.landing.rejected
    assert "questionnaire.csv" in rejected.reason
    assert unchanged(story, good_results)


@pytest.mark.slow
def test_an_empty_wave_is_not_published_and_is_named_in_the_next_release(story: Story, good_results: bytes) -> None:
    story.drop("followup", WAVE, story.answers().iloc[:0], "questionnaire.csv")
    done = story.refresh()
    assert not done.ok
    assert [(s.asset, s.partition) for s in done.blocked] == [("followup_questionnaire", WAVE)]
    failed = [c for c in failing_checks(story.home) if c["severity"] == "critical"]
    assert "the wave has responses" in {c["meaning"] for c in failed}
    assert unchanged(story, good_results)
    assert story.refresh().materialized == [], "inputs that failed a critical check are not tried again"
    story.drop("followup", "2027-2029", story.answers().iloc[::2], "questionnaire.csv")
    story.refresh()
    index = (story.release() / "report" / "index.html").read_text()
    assert WAVE in index
    assert "the wave has responses" in index


@pytest.mark.slow
def test_a_wave_whose_people_are_not_in_the_cohort_is_refused(story: Story, good_results: bytes) -> None:
    strangers = story.answers().assign(person=lambda f: "X" + f["person"])
    story.drop("followup", WAVE, strangers, "questionnaire.csv")
    done = story.refresh()
    assert not done.ok
    assert ("outcome_questionnaire", WAVE) in {(s.asset, s.partition) for s in done.blocked}
    meanings = {c["meaning"] for c in failing_checks(story.home) if c["severity"] == "critical"}
    assert "at least 50% of the responses come from the cohort" in meanings
    assert unchanged(story, good_results)


@pytest.mark.slow
def test_a_bad_wave_corrected_by_a_later_drop_reaches_the_release(story: Story) -> None:
    story.drop("followup", WAVE, story.answers().iloc[:0], "questionnaire.csv")
    assert not story.refresh().ok
    story.drop("followup", f"{WAVE}.2", story.answers().iloc[::2], "questionnaire.csv")
    assert story.refresh().ok
    assert WAVE in set(pd.read_csv(story.release() / "results.csv")["wave"])
    assert not [c for c in failing_checks(story.home) if c["severity"] == "critical"]


@pytest.mark.slow
def test_a_bad_redelivery_leaves_the_last_good_rows_and_release(story: Story) -> None:
    before, release = story.tables(), story.release()
    broken = story.answers().assign(MSPaLY_NT4CovQ="7")
    story.drop("followup", "2021-2023.2", broken, "questionnaire.csv")
    done = story.refresh()
    assert not done.ok
    after = story.tables()
    pd.testing.assert_frame_equal(after["followup_questionnaire"], before["followup_questionnaire"])
    pd.testing.assert_frame_equal(after["fitted_models"], before["fitted_models"])
    assert story.release() == release
    assert story.status()["waves"] == [
        {"wave": "2021-2023", "state": "held", "behind": ["followup_questionnaire"]},
    ]


@pytest.mark.slow
def test_no_personal_value_is_in_messages_or_dagsters_storage(story: Story) -> None:
    people = story.baseline().iloc[:40].copy()
    people.loc[people.index[3], "Educ_NT4BLQ1"] = "SECRETCELL"
    people.loc[people.index[5], "PartDat_NT4BLM"] = "SECRETCELL"
    story.drop("baseline", "2020-01", people, "participants.csv")
    story.refresh()
    assert len(rows_in_quarantine(story)) == 2
    assert "SECRETCELL" not in json.dumps(quarantined(story.home)) + json.dumps(story.status(), default=str)
    for folder in (story.home.dagster, story.release()):
        for file in folder.rglob("*"):
            if file.is_file():
                assert b"SECRETCELL" not in file.read_bytes(), file.name
