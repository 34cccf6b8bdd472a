"""Each estimate's command: there is one for every published analysis, and R gives the same number by it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from study.analyses import dose_response, risk_ratios, sensitivity_models
from study.analyses.wave_data import fit
from study.protocol import protocol
from study.repeat import r, stata
from study.repeat.commands import COMMAND_COLUMNS, commands
from study.statistics.levels import covariate_levels
from study.statistics.results import KEY_COLUMNS
from tests.study.conftest import analysis_set_of, wave_data_of

PUBLISHED = (*risk_ratios.ANALYSES, *dose_response.ANALYSES, *sensitivity_models.ANALYSES)
# Ours beside the published ones; docs/methods.md says how they are computed.
WITHOUT = {"fit_quality", "additive_interaction"}


@pytest.fixture(scope="module")
def people() -> pd.DataFrame:
    return analysis_set_of(3000)


@pytest.fixture(scope="module")
def results(people: pd.DataFrame) -> pd.DataFrame:
    return fit(PUBLISHED, wave_data_of(people))


@pytest.fixture(scope="module")
def table(results: pd.DataFrame) -> pd.DataFrame:
    return commands(results, protocol())


def test_every_row_is_there_by_its_key(results: pd.DataFrame, table: pd.DataFrame) -> None:
    assert list(table.columns) == list(COMMAND_COLUMNS)
    keys = list(KEY_COLUMNS)
    pd.testing.assert_frame_equal(table[keys], results[keys].astype("str").reset_index(drop=True), check_dtype=False)


def test_every_published_estimate_has_its_commands(table: pd.DataFrame) -> None:
    published = table[~table["analysis"].isin(WITHOUT)]
    assert (published["r"] != "").all()
    knots = published["measure"] == "knot"
    assert (published.loc[~knots, "stata"] != "").all()


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


def test_no_command_holds_a_count_or_a_person(people: pd.DataFrame, table: pd.DataFrame) -> None:
    text = " ".join([*table["r"], *table["stata"]])
    assert not any(person in text for person in people["person"].head(50))


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("Rscript") is None, reason="R is not installed")
def test_r_gives_the_same_numbers(
    people: pd.DataFrame, results: pd.DataFrame, table: pd.DataFrame, tmp_path: Path
) -> None:
    if subprocess.run(["Rscript", "-e", "library(sandwich)"], capture_output=True, check=False).returncode:
        pytest.skip("R's package sandwich is not installed")
    curve = table["analysis"].str.contains("spline") & (table["measure"] == "rr")
    thinned = ~curve | (np.arange(len(table)) % 10 == 0)
    chosen = np.flatnonzero(thinned & (table["r"] != "") & (results["status"] == "ok").to_numpy())
    assert len(chosen) > 300
    people.to_csv(tmp_path / "analysis_set.csv", index=False)
    (tmp_path / "repeat.R").write_text(r.settings(protocol(), covariate_levels()) + r.functions())
    asked = "\n".join(f"found[{place}] <- {table['r'].iloc[row]}" for place, row in enumerate(chosen, start=1))
    (tmp_path / "all.R").write_text(
        f'source("repeat.R")\npeople <- read_people("analysis_set.csv")\nfound <- c()\n{asked}\n'
        'write(format(found, digits = 15), "found.txt", ncolumns = 1)\n'
    )
    ran = subprocess.run(["Rscript", "all.R"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    found = np.loadtxt(tmp_path / "found.txt")
    estimates = results["estimate"].iloc[chosen].to_numpy()
    # A curve's value is printed to six digits, and the command starts from what is printed.
    told = curve.to_numpy()[chosen]
    assert found[~told] == pytest.approx(estimates[~told], rel=2e-6)
    assert found[told] == pytest.approx(estimates[told], rel=1e-5)


def test_the_preparation_codes_every_covariate() -> None:
    text = stata.preparation(covariate_levels())
    for name, levels in covariate_levels().items():
        codes = " ".join(f'{code} "{level}"' for code, level in enumerate(levels))
        assert f"label define {name}_codes {codes}" in text
