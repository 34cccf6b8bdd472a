"""The command of each estimate: every row that a command can give has one, and R reproduces the number."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from stegvis.analyses import main_models, spline
from stegvis.analyses.across_waves import fit_across_waves
from stegvis.analyses.attrition_weighted import attrition_weighted_rows
from stegvis.analyses.combined_bias import combined_bias_rows
from stegvis.analyses.imputed import imputed_rows
from stegvis.analyses.overlap import overlap_rows
from stegvis.analyses.selection_weighted import selection_weighted_rows
from stegvis.analyses.suite import SUITE
from stegvis.analyses.wave_data import WaveData, fit
from stegvis.reproduction import r, stata
from stegvis.reproduction.commands import COMMAND_COLUMNS, COMMAND_FUNCTIONS, commands
from stegvis.reproduction.r_beyond import RANDOM_ANALYSES
from stegvis.reproduction.tables import tables_across, tables_of_wave
from stegvis.statistics.levels import covariate_levels
from stegvis.statistics.results import KEY_COLUMNS
from stegvis.study.protocol import Protocol
from tests.stegvis.conftest import (
    analysis_set_of,
    lossy_wave_of,
    protocol_of,
    selected_wave_of,
    wave_data_of,
    with_registry,
)
from tests.study import CODEBOOK, PROTOCOL

LEVELS = covariate_levels(CODEBOOK)
ESTIMATE = '["estimate"]'
# Numbers of controls, and what no package pools; see docs/results.md.
WITHOUT_R = {("negative_controls", "controls"), ("imputed", "p_joint")}
WITHOUT_STATA = {
    "shifted", "vital_status", "composition", "misclassification_probabilistic", "negative_controls", "doubly_robust",
    "overlap_weighted", "overlap", "overlap:overlap_weights", "combined_bias",
} | {
    name + variant
    for name in ("selection_weights", "selection_weighted")
    for variant in ("", ":truncated_1_99", ":truncated_5_95", ":estimated_weights")
}  # fmt: skip
FIXED = PROTOCOL.model_copy(
    update={
        "study": PROTOCOL.study.model_copy(update={"mode": "strict"}),
        # Five categories of volume and three of intensity.
        "exposures": protocol_of(5, 3, "fixed_published").exposures,
        "additive_interaction": PROTOCOL.additive_interaction.model_copy(update={"low_categories": 2}),
        "spline": PROTOCOL.spline.model_copy(update={"knots_from": "fixed", "knots": 4}),
        "models": PROTOCOL.models.model_copy(update={"variance": "hc0"}),
    }
)


def tables_of(wave: WaveData) -> Mapping[str, pd.DataFrame]:
    """The tables of a wave as an export has them."""
    assert wave.cohort is not None
    return tables_of_wave(wave.people, wave.eligible, wave.days, wave.cohort, wave.protocol)


@pytest.fixture(scope="module")
def wave() -> WaveData:
    """A wave large enough that nearly everything can be estimated, after a registry of deaths and emigrations."""
    return with_registry(lossy_wave_of(4500, lost=0.3))


@pytest.fixture(scope="module")
def results(wave: WaveData) -> pd.DataFrame:
    return fit([analysis for group in SUITE.values() for analysis in group], wave)


@pytest.fixture(scope="module")
def table(results: pd.DataFrame) -> pd.DataFrame:
    return commands(results, PROTOCOL, LEVELS)


@pytest.fixture(scope="module")
def stacked() -> pd.DataFrame:
    return pd.concat([analysis_set_of(2500, 1, "2021-2023"), analysis_set_of(2000, 2, "2027-2029")], ignore_index=True)


@pytest.fixture(scope="module")
def histories(stacked: pd.DataFrame) -> pd.DataFrame:
    """Histories with pain at both previous waves; missing for a few."""
    random = np.random.default_rng(1)
    before = pd.Series(random.integers(0, 2, len(stacked))).astype("Int64").mask(random.random(len(stacked)) < 0.05)
    earlier = pd.Series(random.integers(0, 2, len(stacked))).astype("Int64")
    return stacked.assign(previous_low_back_pain=before, earlier_low_back_pain=earlier)


@pytest.fixture(scope="module")
def across(stacked: pd.DataFrame, histories: pd.DataFrame) -> pd.DataFrame:
    return fit_across_waves(stacked, histories, PROTOCOL, LEVELS)


def test_every_row_is_there_by_its_key(results: pd.DataFrame, table: pd.DataFrame) -> None:
    assert list(table.columns) == list(COMMAND_COLUMNS)
    keys = list(KEY_COLUMNS)
    pd.testing.assert_frame_equal(table[keys], results[keys].astype("str").reset_index(drop=True), check_dtype=False)


def test_every_estimate_has_its_commands(table: pd.DataFrame, across: pd.DataFrame) -> None:
    for commanded in (table, commands(across, PROTOCOL, LEVELS)):
        without = pd.Series(list(zip(commanded["analysis"], commanded["measure"], strict=True)))
        assert set(without[commanded["r"] == ""]) <= WITHOUT_R
        assert set(commanded.loc[commanded["stata"] == "", "analysis"]) <= WITHOUT_STATA


def test_every_analysis_has_its_functions_and_nothing_else_has(results: pd.DataFrame, across: pd.DataFrame) -> None:
    made = {name.split(":")[0] for name in [*results["analysis"], *across["analysis"]]}
    # Analyses of other protocols and codebooks, and of the asset with the diagnostics.
    assert set(COMMAND_FUNCTIONS) - made == {"sample_cuts", "spline_sample_knots", "diagnostics", "outcome"}


def test_a_command_names_its_sample_and_its_covariates(table: pd.DataFrame) -> None:
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


def test_fixed_knots_and_cut_points_of_the_protocol_are_written_out() -> None:
    wave = wave_data_of(analysis_set_of(1500, of=FIXED), FIXED)
    table = commands(fit((spline.spline_rows, main_models.other_cuts_rows), wave), FIXED, LEVELS)
    walking = table[(table["exposure"] == "walking_minutes") & (table["measure"] == "rr")].groupby("analysis").first()
    fixed_knots, sampled = walking.loc["spline"], walking.loc["spline_sample_knots"]
    assert "c(62, 99.7, 151)" in fixed_knots["r"]
    assert "cubic knots(62 99.7 151)" in fixed_knots["stata"]
    # Two terms of three fixed knots, three of the sample's four.
    assert "poisson low_back_pain s1 s2 c.age" in fixed_knots["stata"]
    assert "knots(people$walking_minutes)" in sampled["r"]
    assert "poisson low_back_pain s1 s2 s3 c.age" in sampled["stata"]
    # The other rule for cut points.
    assert "xtile cut = walking_minutes, nq(5)" in walking.loc["sample_cuts", "stata"]
    fixed = commands(fit((main_models.other_cuts_rows,), wave_data_of(analysis_set_of(1500))), PROTOCOL, LEVELS)
    # A value equal to a bound belongs to the upper category.
    assert "cut = 1 + (walking_minutes >= 78) + (walking_minutes >= 101)" in fixed["stata"].iloc[0]


def test_cross_fitted_estimates_have_no_command_in_r() -> None:
    folds = PROTOCOL.model_copy(update={"overlap": PROTOCOL.overlap.model_copy(update={"folds": 5})})
    table = commands(fit((overlap_rows,), wave_data_of(analysis_set_of(1500), folds)), folds, LEVELS)
    assert (table.loc[table["analysis"] == "doubly_robust", "r"] == "").all()
    assert (table.loc[table["analysis"] != "doubly_robust", "r"] != "").all()


def test_no_command_contains_a_person(wave: WaveData, table: pd.DataFrame) -> None:
    text = " ".join([*table["r"], *table["stata"]])
    assert not any(person in text for person in wave.people["person"].head(50))


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("Rscript") is None, reason="R is not installed")
class TestR:
    """The numbers in R."""

    def test_of_one_wave(self, wave: WaveData, results: pd.DataFrame, tmp_path: Path) -> None:
        tables = tables_of(wave)
        # Curves have many values: every tenth.
        curve = results["analysis"].str.contains("spline") & (results["measure"] == "rr")
        chosen = results[~curve | (np.arange(len(results)) % 10 == 0)].reset_index(drop=True)
        assert_alike(chosen, PROTOCOL, tables, tmp_path)

    def test_across_waves(
        self, stacked: pd.DataFrame, histories: pd.DataFrame, across: pd.DataFrame, tmp_path: Path
    ) -> None:
        assert_alike(across, PROTOCOL, tables_across(stacked, histories, PROTOCOL), tmp_path)

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
        assert_alike(chosen, FIXED, tables_of(wave), tmp_path)

    def test_of_people_selected_at_every_step(self, tmp_path: Path) -> None:
        wave = with_registry(selected_wave_of(6000))
        results = fit((selection_weighted_rows, combined_bias_rows), wave)
        assert (results["status"] == "ok").all()
        tables = tables_of(wave)
        assert_alike(results, PROTOCOL, tables, tmp_path)
        # survey::svyglm, whose variance takes weights as known.
        lines = [prepared(PROTOCOL, tables, tmp_path), "found <- selected(cohort, people)"]
        right = " + ".join(("walking_minutes_category", *PROTOCOL.models.adjusted))
        lines += [
            "design <- survey::svydesign(ids = ~1, weights = ~weight, data = found)",
            f"fit <- survey::svyglm(low_back_pain ~ {right}, design, family = quasipoisson(), epsilon = 1e-14)",
            'for (k in 2:4) cat(coef(fit)[[k]], survey::SE(fit)[[k]], "\n")',
        ]
        found = np.array(
            run("options(digits = 15)\n" + "\n".join(lines), tmp_path, "sandwich", "survey").split(), float
        )
        mine = results.query(
            "analysis == 'selection_weighted' and model == 'adjusted' and exposure == 'walking_minutes' and ci_low > 0"
        )
        assert found.reshape(3, 2)[:, 0] == pytest.approx(np.log(mine["estimate"].to_numpy()), rel=1e-6)
        assert found.reshape(3, 2)[:, 1] == pytest.approx(mine["std_error"].to_numpy(), rel=1e-6)

    def test_with_rare_levels_and_a_constant_covariate(self, tmp_path: Path) -> None:
        wave = lossy_wave_of(1500, lost=0.2, seed=2)
        few, smoking = LEVELS["income"][0], LEVELS["smoking"][0]

        def rare(frame: pd.DataFrame) -> pd.DataFrame:
            often = (frame["income"] == few) & ~frame["person"].str.endswith(("17", "42"))
            income = frame["income"].mask(often, LEVELS["income"][1])
            return frame.assign(income=income, smoking=smoking)

        wave = replace(wave, people=rare(wave.people), eligible=rare(wave.eligible))
        results = fit((*SUITE["risk_ratios"], *SUITE["absolute_risks"], attrition_weighted_rows), wave)
        adjusted = results[(results["analysis"] == "main") & (results["model"] == "adjusted")]
        assert (adjusted["status"] == "ok").all()
        assert adjusted["note"].str.contains("levels of income with too few events taken together").all()
        assert adjusted["note"].str.contains("smoking is the same for everybody and is left out").all()
        assert_alike(results, PROTOCOL, tables_of(wave), tmp_path)

    def test_imputed_up_to_monte_carlo_error(self, tmp_path: Path) -> None:
        wave = lossy_wave_of(1200, lost=0.2, missing=0.04)
        results = fit((imputed_rows,), wave)
        table = commands(results, PROTOCOL, LEVELS)
        chosen = (table["exposure"] == "walking_minutes") & (table["model"] == "adjusted") & (table["measure"] == "rr")
        row = table.index[chosen][2]
        script = prepared(PROTOCOL, tables_of(wave), tmp_path)
        # Few iterations are enough: with so few missing values the chains converge at once.
        command = f'IMPUTATION_ROUNDS <- 4\ncat({table["r"][row].removesuffix(ESTIMATE)}, sep = "\\n")'
        found = run(f"{script}\n{command}\n", tmp_path, "sandwich", "nnet", "mice")
        estimate, low, high, error, _ = map(float, found.split())
        assert abs(np.log(estimate / results["estimate"][row])) < 0.25 * results["std_error"][row]
        assert 0.9 < error / results["std_error"][row] < 1.1
        assert low < estimate < high


def assert_alike(results: pd.DataFrame, used: Protocol, tables: Mapping[str, pd.DataFrame], folder: Path) -> None:
    """Run the command of every row with an estimate, and compare the results of R."""
    found = results_in_r(results, used, tables, folder)
    assert len(found) > 0.9 * (results["status"] == "ok").sum()
    rows = results.loc[found.index]
    drawn = rows["analysis"].isin(RANDOM_ANALYSES)
    curve = rows["analysis"].str.contains("spline") & (rows["measure"] == "rr")
    # The value of a curve is printed with six digits, and the command uses those; a golden-section search finds a
    # variance to half the digits; random draws agree up to Monte Carlo error.
    searched = rows["analysis"] == "regression_dilution"
    tolerance = np.select([drawn, curve, searched], [0.02, 1e-5, 1e-5], 2e-6)
    apart = (found["estimate"] - rows["estimate"]).abs() / np.maximum(rows["estimate"].abs(), 1e-9)
    wrong = apart > tolerance
    assert not wrong.any(), rows[wrong].assign(r=found["estimate"], apart=apart)[
        [*KEY_COLUMNS, "estimate", "r", "apart"]
    ]
    # Where R gives limits too, they agree, except for analyses with random draws.
    limits = found["low"].notna() & rows["ci_low"].notna() & ~drawn
    for ours, theirs in (("ci_low", "low"), ("ci_high", "high")):
        assert found.loc[limits, theirs].to_numpy() == pytest.approx(
            rows.loc[limits, ours].to_numpy(), rel=1e-5, abs=1e-8
        )
    valued = limits & rows["e_value"].notna()
    for value in ("e_value", "e_value_ci"):
        assert found.loc[valued, value].to_numpy() == pytest.approx(rows.loc[valued, value].to_numpy(), rel=1e-4)


def results_in_r(
    results: pd.DataFrame, used: Protocol, tables: Mapping[str, pd.DataFrame], folder: Path
) -> pd.DataFrame:
    """The results of R for each row with an estimate and a command, by the index of the row."""
    table = commands(results, used, LEVELS)
    # These take minutes each and have their own test.
    chosen = table.index[(table["r"] != "") & (results["status"] == "ok") & (results["analysis"] != "imputed")]
    lines = [prepared(used, tables, folder)]
    for row in chosen:
        whole = table["r"][row].removesuffix(ESTIMATE)
        lines.append(f"x <- {whole}")
        lines.append(f"row({row}, x, {'TRUE' if whole != table['r'][row] else 'FALSE'})")
    functions = """
row <- function(number, x, limits) {
  values <- c(x, rep(NA, 4))
  if (limits) values <- c(x["estimate"], x["low"], x["high"], e_value(x["estimate"]), e_value_ci(x))
  cat(number, format(values, digits = 15), file = "found.txt", append = TRUE, sep = "\\t")
  cat("\\n", file = "found.txt", append = TRUE)
}
"""
    run("\n".join([functions, *lines, ""]), folder, "sandwich", "survival", "nnet")
    names = ["estimate", "low", "high", "e_value", "e_value_ci"]
    return pd.read_csv(folder / "found.txt", sep=r"\t\s*", engine="python", names=names, na_values=["NA", "NaN"])


def prepared(used: Protocol, tables: Mapping[str, pd.DataFrame], folder: Path) -> str:
    """Write the tables and the functions as a release and an export do; returns the lines that read them."""
    for name, frame in tables.items():
        frame.to_csv(folder / f"{name}.csv", index=False)
    (folder / "repeat.R").write_text(r.settings(used, LEVELS) + r.functions())
    return 'source("repeat.R")\nread_tables()'


def run(script: str, folder: Path, *packages: str) -> str:
    """The output of an R script; skips the test when a package is not installed."""
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
