"""The deliveries: complete, within the contract, reproducible, and leading to the counts of ``truth.json``."""

import hashlib
import json
import time
from pathlib import Path

import pandas as pd
import pytest

from stegvis.deliveries.contract import apply_contract, contract_days
from stegvis.deliveries.vital_status import contract_vital_status
from stegvis.twin import write_twin
from stegvis.twin.parameters import parameters
from tests.oracle_flow import answers as wave_answers
from tests.oracle_flow import baseline, flow_from_deliveries, recorded_days, withdrawn_people
from tests.study import CODEBOOK, PROTOCOL


def files_of(folder: Path) -> dict[str, str]:
    return {
        str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


@pytest.fixture(scope="module")
def twin(tmp_path_factory):
    out = tmp_path_factory.mktemp("twin") / "landing"
    return out, write_twin(out, PROTOCOL, CODEBOOK, people=3_000, waves=3, epochs=8)


def read(file: Path) -> pd.DataFrame:
    if file.suffix == ".csv":
        return pd.read_csv(file, dtype=str)
    if file.suffix == ".parquet":
        return pd.read_parquet(file)
    if file.suffix == ".dta":
        return pd.read_stata(file)
    import pyreadstat

    return pyreadstat.read_sav(str(file))[0]


def test_every_drop_is_complete(twin):
    out, _ = twin
    notes = sorted(out.rglob("drop.json")) + sorted((out / "withdrawals").glob("*.json"))
    assert len(notes) == 1 + 4 + 4 + 1 + 3
    for note in notes:
        content = json.loads(note.read_text())
        assert content["synthetic"] is True
        beside = {file.name for file in note.parent.iterdir() if file != note}
        assert set(content["files"]) == beside
        for name, entry in content["files"].items():
            assert hashlib.sha256((note.parent / name).read_bytes()).hexdigest() == entry["sha256"]


def test_all_four_formats_are_delivered(twin):
    out, _ = twin
    assert {file.suffix for file in out.rglob("*.*")} >= {".csv", ".parquet", ".dta", ".sav"}


def test_every_file_keeps_the_contract(twin):
    out, _ = twin
    for file in sorted(out.rglob("*.*")):
        if file.stem in ("participants", "questionnaire", "epochs", "2024-01") and file.suffix != ".json":
            layout = "withdrawals" if file.stem == "2024-01" else file.stem
            result = apply_contract(read(file), CODEBOOK[layout], file.name)
        elif file.stem == "vital_status":
            result = contract_vital_status(read(file), CODEBOOK["vital_status"], file.name, None)
        elif file.stem == "days":
            result = contract_days(read(file), CODEBOOK["days"], file.name, PROTOCOL.days)
        else:
            continue
        assert len(result.problems) == 0, result.problems
        assert result.rows_read == len(result.frame) > 0


def test_the_published_exclusions_give_the_counts_of_the_truth(twin):
    out, truth = twin
    flow = flow_from_deliveries(out)
    assert list(flow) == list(truth.waves) == ["2021-2023", "2024-2026", "2027-2029"]
    for wave, found in flow.items():
        assert found["counts"]["participants"] == truth.people["participants"] == 3_000
        for step in PROTOCOL.exclusions.order:
            assert found["counts"][step] == truth.waves[wave][step]
        assert found["cases"] == truth.waves[wave]["cases"]
        assert len(found["analyzed"]) == truth.waves[wave]["analyzed"]
    assert flow["2021-2023"]["counts"]["no_accelerometer_day"] == round(3_000 * 31_295 / 56_042)


def test_the_first_wave_is_corrected_by_a_second_delivery(twin):
    out, truth = twin
    first = read(out / "followup" / "2021-2023" / "questionnaire.csv").set_index("person")
    second = read(out / "followup" / "2021-2023.2" / "questionnaire.csv").set_index("person")
    late, again = second.index.difference(first.index), second.index.intersection(first.index)
    assert len(late) == truth.waves["2021-2023"]["late_answers"] > 0
    assert len(again) == truth.waves["2021-2023"]["corrected_answers"] > 0
    before, after = (table.loc[again, "MSPaLum_NT4CovQ"].notna() for table in (first, second))
    assert (before != after).all()
    assert (second.loc[late, "PartDat_NT4CovQ"] >= "2024-01-01").all()


def test_the_truth_of_a_single_wave_is_that_of_its_first_delivery(tmp_path):
    truth = write_twin(tmp_path / "out", PROTOCOL, CODEBOOK, people=3_000, waves=1)
    assert [folder.name for folder in (tmp_path / "out" / "followup").iterdir()] == ["2021-2023"]
    found = flow_from_deliveries(tmp_path / "out")["2021-2023"]
    assert found["counts"]["covariate_missing"] == truth.waves["2021-2023"]["analyzed"]
    assert found["cases"] == truth.waves["2021-2023"]["cases"]


def test_people_return_after_missing_a_wave(twin):
    out, _ = twin
    who = [set(answers["person"]) for answers in wave_answers(out).values()]
    assert (who[0] & who[2]) - who[1]


def test_the_truth_holds_sizes_parameters_effects_and_counts(twin):
    out, _ = twin
    truth = json.loads((out / "truth.json").read_text())
    assert truth["seed"] == 1
    assert truth["balanced"] is False
    assert truth["sizes"] == {"people": 3_000, "waves": 3, "epochs": 8, "signals": 0, "raw": 0}
    assert truth["parameters_sha256"] == parameters().digest
    assert truth["log_risk_ratios"]["walking_minutes 100 v 60, age 65+"] < 0
    contrasts = truth["category_log_risk_ratios"]["2021-2023"]
    assert set(contrasts) == {"walking_minutes", "walking_met"}
    assert all(len(values) == 3 and max(values) < 0 for values in contrasts.values())
    analyzed = flow_from_deliveries(out)["2021-2023"]["analyzed"]
    wave = truth["waves"]["2021-2023"]
    assert wave["women"] == (analyzed["sex"] == 0).sum()
    assert wave["mean_age"] == pytest.approx(analyzed["age"].mean())
    assert wave["sd_age"] == pytest.approx(analyzed["age"].std())
    assert wave["mean_valid_days"] == pytest.approx(analyzed["valid_days"].mean(), abs=0.02)


@pytest.mark.parametrize(("seed", "asked", "expected"), [(1, None, True), (2, None, False), (2, True, True)])
def test_the_default_seed_is_balanced_and_others_only_on_request(tmp_path, seed, asked, expected):
    people = parameters().cohort.smallest_balanced
    truth = write_twin(tmp_path / "out", PROTOCOL, CODEBOOK, people=people, seed=seed, balanced=asked)
    assert truth.balanced is expected
    published = {"covariate_missing": 11_194, "cases": 1_659}
    found = flow_from_deliveries(tmp_path / "out")["2021-2023"]
    exact = [round(people * count / 56_042) for count in published.values()]
    assert ([found["counts"]["covariate_missing"], found["cases"]] == exact) is expected


def test_withdrawn_people_were_delivered_and_are_not_counted(twin):
    out, truth = twin
    gone = withdrawn_people(out)
    assert len(gone) == truth.people["withdrawn"] > 0
    assert gone <= set(baseline(out).index)


def test_people_delivered_as_epochs_are_in_no_other_batch(twin):
    out, _ = twin
    elsewhere = {
        person
        for folder in (out / "recordings").iterdir()
        for file in folder.glob("days.*")
        for person in read(file)["person"]
    }
    epochs = pd.read_parquet(out / "recordings" / "epochs" / "epochs.parquet")
    assert epochs["person"].nunique() == 8
    assert not set(epochs["person"]) & elsewhere


def test_the_truth_names_no_person(twin):
    out, _ = twin
    text = (out / "truth.json").read_text()
    assert not any(person in text for person in baseline(out).index)


def test_missing_cells_are_blank_and_codes_are_whole_numbers(twin):
    out, _ = twin
    first = (out / "baseline" / "2019-06" / "participants.csv").read_text().splitlines()
    assert first[0].startswith("person,PartDat_NT4BLM,Sex,PartAg_NT4BLM")
    raw = read(out / "baseline" / "2019-06" / "participants.csv")
    assert set(raw["Educ_NT4BLQ1"].dropna()) == set("123456")
    assert set(raw["SmoStat_NT4BLQ1"].dropna()) == set("01234")
    assert set(raw["MSPaLum_NT4BLQ2"].dropna()) == {"1"}
    assert raw["MSPaLY_NT4BLQ2"].isna().mean() > 0.15
    assert raw["person"].is_monotonic_increasing


def test_the_same_arguments_give_the_same_bytes(tmp_path):
    sizes = {"people": 200, "waves": 3, "epochs": 2, "signals": 1, "seed": 7}
    write_twin(tmp_path / "first", PROTOCOL, CODEBOOK, **sizes)
    time.sleep(1.1)  # a time of writing in seconds (SPSS) would show
    write_twin(tmp_path / "second", PROTOCOL, CODEBOOK, **sizes)
    assert files_of(tmp_path / "first") == files_of(tmp_path / "second")


def test_the_time_of_writing_is_a_fixed_one(twin):
    out, _ = twin
    assert b"01 Jan 2000 00:00" in (out / "recordings" / "2019-02" / "days.dta").read_bytes()[:500]
    header = (out / "followup" / "2027-2029" / "questionnaire.sav").read_bytes()[:109]
    assert header[92:] == b"01 Jan 0000:00:00"


def test_another_wave_and_other_recordings_do_not_change_the_other_files(tmp_path):
    write_twin(tmp_path / "small", PROTOCOL, CODEBOOK, people=200, waves=1, seed=7)
    write_twin(tmp_path / "large", PROTOCOL, CODEBOOK, people=200, waves=2, epochs=2, signals=1, seed=7)
    small, large = files_of(tmp_path / "small"), files_of(tmp_path / "large")
    for folder in ("baseline/", "followup/2021-2023/", "registry/2023-12/", "withdrawals/"):
        assert {n: h for n, h in small.items() if n.startswith(folder)} == {
            n: h for n, h in large.items() if n.startswith(folder)
        }


def test_another_seed_is_another_cohort(tmp_path):
    write_twin(tmp_path / "one", PROTOCOL, CODEBOOK, people=100, seed=1)
    write_twin(tmp_path / "two", PROTOCOL, CODEBOOK, people=100, seed=2)
    assert not set(baseline(tmp_path / "one").index) & set(baseline(tmp_path / "two").index)


def test_signals_are_one_file_per_person(tmp_path):
    write_twin(tmp_path / "out", PROTOCOL, CODEBOOK, people=100, waves=0, signals=2)
    files = sorted((tmp_path / "out" / "recordings" / "signals").glob("*.parquet"))
    assert len(files) == 2
    assert {file.stem for file in files} <= set(baseline(tmp_path / "out").index)
    assert not (tmp_path / "out" / "followup").exists()


def test_the_later_batch_of_a_redelivered_person_has_more_days(tmp_path):
    write_twin(tmp_path / "out", PROTOCOL, CODEBOOK, people=6_000, waves=0)
    rows = [
        read(file).assign(batch=file.parent.name) for file in sorted((tmp_path / "out" / "recordings").glob("*/days.*"))
    ]
    both = pd.concat(rows).astype({"person": str})
    both["days"] = both.filter(like="LyTmD").notna().sum(axis=1)
    twice = both[both.duplicated("person", keep=False)].sort_values(["person", "batch"])
    assert len(twice) >= 4
    by_person = twice.groupby("person")["days"]
    assert (by_person.first() < by_person.last()).all()
    counted = recorded_days(tmp_path / "out").groupby("person").size()
    assert counted[by_person.last().index].tolist() == by_person.last().tolist()


@pytest.mark.parametrize("people", [1, 60, 500])
def test_small_cohorts_work(tmp_path, people):
    truth = write_twin(tmp_path / "out", PROTOCOL, CODEBOOK, people=people)
    assert truth.people["participants"] == people
    assert (tmp_path / "out" / "truth.json").exists()


def test_a_folder_that_is_not_empty_is_refused_and_unchanged(tmp_path):
    (tmp_path / "note.txt").write_text("mine")
    with pytest.raises(FileExistsError):
        write_twin(tmp_path, PROTOCOL, CODEBOOK, people=60)
    assert [file.name for file in tmp_path.iterdir()] == ["note.txt"]


@pytest.mark.parametrize("sizes", [{"people": 0}, {"waves": -1}, {"people": 60, "epochs": 50}])
def test_impossible_sizes_are_refused(tmp_path, sizes):
    with pytest.raises(ValueError, match="people"):
        write_twin(tmp_path / "out", PROTOCOL, CODEBOOK, **({"people": 60} | sizes))
