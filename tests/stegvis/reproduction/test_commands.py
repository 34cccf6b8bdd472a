"""Each estimate's command: there is one for every row that a command can give, and R gives the same number by it."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from stegvis.analyses import main_models, spline
from stegvis.analyses.across_waves import fit_across_waves
from stegvis.analyses.imputed import imputed_rows
from stegvis.analyses.suite import SUITE
from stegvis.analyses.wave_data import WaveData, fit
from stegvis.reproduction import r, stata
from stegvis.reproduction.commands import COMMAND_COLUMNS, SPELLED, commands
from stegvis.reproduction.r_beyond import RESTS_ON_DRAWS
from stegvis.reproduction.tables import tables_across, tables_of_wave
from stegvis.statistics.results import KEY_COLUMNS
from stegvis.study.protocol import Protocol, protocol
from tests.stegvis.conftest import LEVELS, analysis_set_of, lossy_wave_of, wave_data_of

ESTIMATE = '["estimate"]'
# Counts of controls, and what no package pools: docs/results.md says why there is no command.
WITHOUT_R = {("negative_controls", "controls"), ("imputed", "p_joint")}
WITHOUT_STATA = {"composition", "misclassification_probabilistic", "negative_controls"}
FIXED = protocol().model_copy(
    update={
        "study": protocol().study.model_copy(update={"mode": "strict"}),
        "exposures": protocol().exposures.model_copy(update={"categories": "fixed_published"}),
        "spline": protocol().spline.model_copy(update={"knots_from": "fixed", "knots": 4}),
        "models": protocol().models.model_copy(update={"variance": "hc0"}),
    }
)


@pytest.fixture(scope="module")
def wave() -> WaveData:
    """Of enough people that nearly everything can be estimated."""
    return lossy_wave_of(4500, lost=0.3)


@pytest.fixture(scope="module")
def results(wave: WaveData) -> pd.DataFrame:
    return fit([analysis for group in SUITE.values() for analysis in group], wave)


@pytest.fixture(scope="module")
def table(results: pd.DataFrame) -> pd.DataFrame:
    return commands(results, protocol())


@pytest.fixture(scope="module")
def stacked() -> pd.DataFrame:
    return pd.concat([analysis_set_of(2500, 1, "2021-2023"), analysis_set_of(2000, 2, "2027-2029")], ignore_index=True)


@pytest.fixture(scope="module")
def histories(stacked: pd.DataFrame) -> pd.DataFrame:
    """As if everybody's pain at the two waves before had been asked; of a few it is not known."""
    random = np.random.default_rng(1)
    before = pd.Series(random.integers(0, 2, len(stacked))).astype("Int64").mask(random.random(len(stacked)) < 0.05)
    earlier = pd.Series(random.integers(0, 2, len(stacked))).astype("Int64")
    return stacked.assign(previous_low_back_pain=before, earlier_low_back_pain=earlier)


@pytest.fixture(scope="module")
def across(stacked: pd.DataFrame, histories: pd.DataFrame) -> pd.DataFrame:
    return fit_across_waves(stacked, histories, protocol(), LEVELS)


def test_every_row_is_there_by_its_key(results: pd.DataFrame, table: pd.DataFrame) -> None:
    assert list(table.columns) == list(COMMAND_COLUMNS)
    keys = list(KEY_COLUMNS)
    pd.testing.assert_frame_equal(table[keys], results[keys].astype("str").reset_index(drop=True), check_dtype=False)


def test_every_estimate_has_its_commands(table: pd.DataFrame, across: pd.DataFrame) -> None:
    for commanded in (table, commands(across, protocol())):
        without = pd.Series(list(zip(commanded["analysis"], commanded["measure"], strict=True)))
        assert set(without[commanded["r"] == ""]) <= WITHOUT_R
        assert set(commanded.loc[commanded["stata"] == "", "analysis"]) <= WITHOUT_STATA


def test_every_analysis_is_spelled_and_nothing_else(results: pd.DataFrame, across: pd.DataFrame) -> None:
    made = {name.split(":")[0] for name in [*results["analysis"], *across["analysis"]]}
    # Of the other protocols, and of the asset that judges the others.
    assert set(SPELLED) - made == {"sample_cuts", "spline_sample_knots", "diagnostics"}


def test_a_command_names_its_people_and_its_covariates(table: pd.DataFrame) -> None:
    def of(analysis: str, population: str, model: str = "adjusted") -> pd.Series:
        chosen = table[
            (table["analysis"] == analysis) & (table["population"] == population) & (table["model"] == model)
        ]
        return chosen[(chosen["exposure"] == "walking_minutes") & (chosen["measure"] == "p_joint")].iloc[0]

    women = of("stratified", "women")
    assert 'subset(people, sex == "female")' in women["r"]
    assert "+ sex" not in women["r"]
    assert 'sex == "female":sex_codes' in women["stata"]
    older = of("stratified", "age>=65", "age")
    assert "subset(people, age >= 65)" in older["r"]
    # A missing age would be "above 65" in Stata.
    assert "age >= 65 & !missing(age)" in older["stata"]
    bmi = of("sensitivity:bmi", "BMI known")
    assert bmi["r"].startswith("wald(low_back_pain ~ walking_minutes_category + age")
    assert bmi["r"].endswith('+ bmi, recut(subset(people, !is.na(bmi))), "walking_minutes_category")')
    assert "xtile cut = walking_minutes if !missing(bmi), nq(4)" in bmi["stata"]


def test_frozen_knots_and_fixed_cuts_are_written_out_where_the_protocol_has_them() -> None:
    wave = wave_data_of(analysis_set_of(1500, of=FIXED), FIXED)
    table = commands(fit((spline.spline_rows, main_models.other_cuts_rows), wave), FIXED)
    walking = table[(table["exposure"] == "walking_minutes") & (table["measure"] == "rr")].groupby("analysis").first()
    frozen, sampled = walking.loc["spline"], walking.loc["spline_sample_knots"]
    assert "c(62, 99.7, 151)" in frozen["r"]
    assert "cubic knots(62 99.7 151)" in frozen["stata"]
    # Two terms of three frozen knots, three of the sample's four.
    assert "poisson low_back_pain s1 s2 c.age" in frozen["stata"]
    assert "knots(people$walking_minutes)" in sampled["r"]
    assert "poisson low_back_pain s1 s2 s3 c.age" in sampled["stata"]
    # The other rule for the cuts, beside fixed ones.
    assert "xtile cut = walking_minutes, nq(4)" in walking.loc["sample_cuts", "stata"]
    fixed = commands(fit((main_models.other_cuts_rows,), wave_data_of(analysis_set_of(1500))), protocol())
    # A value on a bound belongs above it.
    assert "cut = 1 + (walking_minutes >= 78) + (walking_minutes >= 101)" in fixed["stata"].iloc[0]


def test_no_command_holds_a_person(wave: WaveData, table: pd.DataFrame) -> None:
    text = " ".join([*table["r"], *table["stata"]])
    assert not any(person in text for person in wave.people["person"].head(50))


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("Rscript") is None, reason="R is not installed")
class TestR:
    """R's numbers beside ours."""

    def test_of_one_wave(self, wave: WaveData, results: pd.DataFrame, tmp_path: Path) -> None:
        tables = tables_of_wave(wave.people, wave.eligible, wave.days, protocol())
        # A curve is told at many values: every tenth.
        curve = results["analysis"].str.contains("spline") & (results["measure"] == "rr")
        chosen = results[~curve | (np.arange(len(results)) % 10 == 0)].reset_index(drop=True)
        assert_alike(chosen, protocol(), tables, tmp_path)

    def test_across_waves(
        self, stacked: pd.DataFrame, histories: pd.DataFrame, across: pd.DataFrame, tmp_path: Path
    ) -> None:
        assert_alike(across, protocol(), tables_across(stacked, histories, protocol()), tmp_path)

    def test_under_another_protocol(self, tmp_path: Path) -> None:
        wave = lossy_wave_of(3000, lost=0.2, used=FIXED, seed=4)
        groups = ("risk_ratios", "dose_response", "sensitivity_models")
        results = fit([analysis for group in groups for analysis in SUITE[group]], wave)
        curve = results["analysis"].str.contains("spline") & (results["measure"] == "rr")
        chosen = results[~curve | (np.arange(len(results)) % 10 == 0)].reset_index(drop=True)
        assert {"sample_cuts", "spline_sample_knots"} <= set(chosen["analysis"])
        # In this wave neither exposure alone lowers the risk, so that the measures of their interaction can be made.
        assert set(chosen.loc[chosen["measure"].isin(["reri", "reri_mover", "ap", "synergy_index"]), "status"]) == {
            "ok"
        }
        assert_alike(chosen, FIXED, tables_of_wave(wave.people, wave.eligible, wave.days, FIXED), tmp_path)

    def test_imputed_up_to_the_noise_of_the_draws(self, tmp_path: Path) -> None:
        wave = lossy_wave_of(1200, lost=0.2, missing=0.04)
        results = fit((imputed_rows,), wave)
        table = commands(results, protocol())
        chosen = (table["exposure"] == "walking_minutes") & (table["model"] == "adjusted") & (table["measure"] == "rr")
        row = table.index[chosen][2]
        script = prepared(protocol(), tables_of_wave(wave.people, wave.eligible, wave.days, protocol()), tmp_path)
        # A few rounds are enough: with so little missing the chains mix at once.
        asked = f'IMPUTATION_ROUNDS <- 4\ncat({table["r"][row].removesuffix(ESTIMATE)}, sep = "\\n")'
        found = run(f"{script}\n{asked}\n", tmp_path, "sandwich", "nnet", "mice")
        estimate, low, high, error, _ = map(float, found.split())
        assert abs(np.log(estimate / results["estimate"][row])) < 0.25 * results["std_error"][row]
        assert 0.9 < error / results["std_error"][row] < 1.1
        assert low < estimate < high


def assert_alike(results: pd.DataFrame, used: Protocol, tables: Mapping[str, pd.DataFrame], folder: Path) -> None:
    """Run every command of rows that have an estimate, and hold what R gives against them."""
    found = asked_of_r(results, used, tables, folder)
    assert len(found) > 0.9 * (results["status"] == "ok").sum()
    rows = results.loc[found.index]
    drawn = rows["analysis"].isin(RESTS_ON_DRAWS)
    curve = rows["analysis"].str.contains("spline") & (rows["measure"] == "rr")
    # A curve's value is printed to six digits, and the command starts from what is printed; a golden section finds a
    # variance to half the digits; draws agree up to their noise.
    searched = rows["analysis"] == "regression_dilution"
    tolerance = np.select([drawn, curve, searched], [0.02, 1e-5, 1e-5], 2e-6)
    apart = (found["estimate"] - rows["estimate"]).abs() / np.maximum(rows["estimate"].abs(), 1e-9)
    wrong = apart > tolerance
    assert not wrong.any(), rows[wrong].assign(r=found["estimate"], apart=apart)[
        [*KEY_COLUMNS, "estimate", "r", "apart"]
    ]
    # Where R gives limits too, they agree but for what rests on draws.
    limits = found["low"].notna() & rows["ci_low"].notna() & ~drawn
    for ours, theirs in (("ci_low", "low"), ("ci_high", "high")):
        assert found.loc[limits, theirs].to_numpy() == pytest.approx(
            rows.loc[limits, ours].to_numpy(), rel=1e-5, abs=1e-8
        )
    valued = limits & rows["e_value"].notna()
    for value in ("e_value", "e_value_ci"):
        assert found.loc[valued, value].to_numpy() == pytest.approx(rows.loc[valued, value].to_numpy(), rel=1e-4)


def asked_of_r(results: pd.DataFrame, used: Protocol, tables: Mapping[str, pd.DataFrame], folder: Path) -> pd.DataFrame:
    """What R gives for each row with an estimate and a command, by the row's index."""
    table = commands(results, used)
    # Those take minutes each, and have a test of their own.
    chosen = table.index[(table["r"] != "") & (results["status"] == "ok") & (results["analysis"] != "imputed")]
    lines = [prepared(used, tables, folder)]
    for row in chosen:
        whole = table["r"][row].removesuffix(ESTIMATE)
        lines.append(f"x <- {whole}")
        lines.append(f"row({row}, x, {'TRUE' if whole != table['r'][row] else 'FALSE'})")
    told = """
row <- function(number, x, limits) {
  told <- if (limits) c(x["estimate"], x["low"], x["high"], e_value(x["estimate"]), e_value_ci(x)) else c(x, rep(NA, 4))
  cat(number, format(told, digits = 15), file = "found.txt", append = TRUE, sep = "\\t")
  cat("\\n", file = "found.txt", append = TRUE)
}
"""
    run("\n".join([told, *lines, ""]), folder, "sandwich", "survival")
    names = ["estimate", "low", "high", "e_value", "e_value_ci"]
    return pd.read_csv(folder / "found.txt", sep=r"\t\s*", engine="python", names=names, na_values=["NA", "NaN"])


def prepared(used: Protocol, tables: Mapping[str, pd.DataFrame], folder: Path) -> str:
    """Write the tables and the functions, as a release and an export do; the lines that read them."""
    for name, frame in tables.items():
        frame.to_csv(folder / f"{name}.csv", index=False)
    (folder / "repeat.R").write_text(r.settings(used, LEVELS) + r.functions())
    return 'source("repeat.R")\nread_tables()'


def run(script: str, folder: Path, *packages: str) -> str:
    """What an R script prints; the test is skipped where a package is not installed."""
    for package in packages:
        if subprocess.run(["Rscript", "-e", f"library({package})"], capture_output=True, check=False).returncode:
            pytest.skip(f"R's package {package} is not installed")
    (folder / "all.R").write_text(script)
    ran = subprocess.run(["Rscript", "all.R"], cwd=folder, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr[-2000:]
    return ran.stdout


def test_the_preparation_codes_every_covariate() -> None:
    text = stata.preparation(LEVELS)
    for name, levels in LEVELS.items():
        codes = " ".join(f'{code} "{level}"' for code, level in enumerate(levels))
        assert f"label define {name}_codes {codes}" in text
