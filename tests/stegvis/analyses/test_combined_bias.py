"""The rows of several biases at once, and the priors they come from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from stegvis.analyses.category_design import category_design
from stegvis.analyses.combined_bias import combined_bias_rows, drawn_biases
from stegvis.analyses.standardized_risk import standardized_risk_rows
from stegvis.analyses.wave_data import WaveData, fit
from stegvis.statistics.categories import add_categories
from stegvis.statistics.combined_bias import corrected_ratio
from stegvis.statistics.standardization import standardized_risks
from stegvis.study.protocol import Protocol, ProtocolError, read_protocol
from stegvis.study.protocol_bias import CombinedBias
from tests.stegvis.analyses.test_strange_waves import STRANGE, assert_no_number_without_events
from tests.stegvis.conftest import PROTOCOL, analysis_set_of, wave_data_of
from tests.study import PROTOCOL_FILE

BIASES = [
    "none",
    "outcome_misclassification",
    "exposure_misclassification",
    "selection",
    "unmeasured_confounding",
    "all",
]


def with_priors(values: dict[str, dict[str, float]], **more: Any) -> Protocol:
    """The protocol with a point mass as each prior."""
    sections = {
        bias: {
            name: {"values": [value] * 4} | ({} if name == "risk_ratio" else {"shape": "trapezoidal"})
            for name, value in each.items()
        }
        for bias, each in values.items()
    }
    rules = {"draws": 2000, "largest_impossible_share": 0.1, "correlation": 0.5, "seed": 1} | more
    return PROTOCOL.model_copy(update={"combined_bias": CombinedBias.model_validate(rules | sections)})


POINTS = {
    "outcome": {
        "sensitivity_top": 0.8, "sensitivity_reference": 0.7, "specificity_top": 0.98, "specificity_reference": 0.96,
    },
    "exposure": {
        "sensitivity_cases": 0.9, "sensitivity_others": 0.95, "specificity_cases": 0.97, "specificity_others": 0.93,
    },
    "selection": {"top_cases": 0.4, "top_others": 0.45, "reference_cases": 0.25, "reference_others": 0.35},
    "confounder": {"prevalence_top": 0.2, "prevalence_reference": 0.4, "risk_ratio": 1.7},
}  # fmt: skip
NOTHING = {
    "outcome": dict.fromkeys(POINTS["outcome"], 1.0),
    "exposure": dict.fromkeys(POINTS["exposure"], 1.0),
    "selection": dict.fromkeys(POINTS["selection"], 0.4),
    "confounder": POINTS["confounder"] | {"risk_ratio": 1.0},
}


def wave(used: Protocol = PROTOCOL, people: int = 3000) -> WaveData:
    return wave_data_of(analysis_set_of(people), used)


def rows_of(used: Protocol = PROTOCOL) -> pd.DataFrame:
    results = fit((combined_bias_rows,), wave(used))
    return results[results["exposure"] == "walking_minutes"].set_index("term")


def test_each_bias_has_a_row_of_the_highest_category() -> None:
    rows = rows_of()
    assert list(rows.index) == BIASES
    assert (rows["status"] == "ok").all()
    (level,), (reference,) = set(rows["level"]), set(rows["reference"])
    assert level.startswith(">=")
    assert reference.startswith("<")
    assert rows["note"].str.contains("10000 draws, ").all()
    width = (rows["ci_high"] / rows["ci_low"]).drop("none")
    assert (width > rows.loc["none", "ci_high"] / rows.loc["none", "ci_low"]).all()
    assert width.idxmax() == "all"
    assert rows[["e_value", "p_value", "std_error"]].isna().all(axis=None)


def test_priors_without_bias_give_the_plain_estimate() -> None:
    used = with_priors(NOTHING, draws=40_000)
    rows = rows_of(used)
    for name in ("estimate", "ci_low", "ci_high"):
        assert rows[name].to_numpy() == pytest.approx(rows.loc["none", name], rel=1e-12)
    plain = fit((standardized_risk_rows,), wave(used)).query(
        "analysis == 'standardized_risk' and model == 'adjusted' and measure == 'rr' and exposure == 'walking_minutes'"
    )
    numbers = ["estimate", "ci_low", "ci_high"]
    assert rows.loc["none", numbers].tolist() == pytest.approx(plain[numbers].iloc[-1].tolist(), rel=0.006)


def test_point_masses_give_the_closed_form() -> None:
    used = with_priors(POINTS, draws=40_000)
    data = wave(used)
    made = category_design(data, data.template("combined_bias", "adjusted", "walking_minutes"))
    risks = standardized_risks(made.design.X, made.design.y, made.levels, "logistic", used.models).risks
    people = (float(made.rows[4].n), float(made.rows[1].n))
    rows = rows_of(used)
    for name, biases in drawn_biases(used.combined_bias).items():
        ratios, possible = corrected_ratio((risks[3], risks[0]), people, biases)
        assert possible.all()
        assert float(ratios.max() - ratios.min()) < 1e-12
        # The median allows for sampling error, which is not symmetric after a correction.
        assert rows.loc[name, "estimate"] == pytest.approx(float(ratios.flat[0]), rel=0.01)
    assert rows.loc["all", "estimate"] != pytest.approx(rows.loc["none", "estimate"], rel=0.02)


def test_priors_that_contradict_the_data_are_refused() -> None:
    impossible = POINTS | {"outcome": POINTS["outcome"] | {"specificity_top": 0.6}}
    rows = rows_of(with_priors(impossible))
    assert set(rows.loc[["outcome_misclassification", "all"], "status"]) == {"not_estimable"}
    assert rows.loc["all", "note"].endswith("the data contradict more than 10% of the priors' draws")
    assert set(rows.drop(["outcome_misclassification", "all"])["status"]) == {"ok"}


def test_parameters_of_the_two_groups_of_a_bias_are_correlated() -> None:
    drawn = drawn_biases(PROTOCOL.combined_bias)["all"]
    first, second = drawn.outcome.specificity
    assert 0.7 < np.corrcoef(first, second)[0, 1] < 0.85
    assert abs(np.corrcoef(first, drawn.outcome.sensitivity[0])[0, 1]) < 0.05
    assert 0.92 <= first.min() < first.max() <= 1


def test_draws_are_the_same_every_time() -> None:
    assert fit((combined_bias_rows,), wave()).equals(fit((combined_bias_rows,), wave()))


def test_only_the_biases_of_the_protocol_are_corrected(tmp_path: Path) -> None:
    some = with_priors({name: POINTS[name] for name in ("selection", "confounder")})
    assert list(rows_of(some).index) == ["none", "selection", "unmeasured_confounding", "all"]
    # A protocol that was written before there was such a section.
    text = PROTOCOL_FILE.read_text(encoding="utf-8")
    start, end = text.index("[combined_bias]"), text.index("[negative_controls]")
    (tmp_path / "protocol.toml").write_text(text[:start] + text[end:], encoding="utf-8")
    older = read_protocol(tmp_path / "protocol.toml")
    assert older.combined_bias is None
    assert combined_bias_rows(wave(older, 300)) == []


@pytest.mark.parametrize(
    ("line", "wrong", "message"),
    [
        ("values = [1.0, 1.2, 1.6, 2.0]", "values = [1.0, 0.2, 1.6, 2.0]", "in order"),
        ("values = [0.29, 0.34, 0.40, 0.45]", "values = [0.00, 0.34, 0.40, 0.45]", "would be analyzed"),
        ("correlation = 0.8", "correlation = 1.5", "combined_bias.correlation"),
    ],
)
def test_priors_out_of_range_are_refused(line: str, wrong: str, message: str, tmp_path: Path) -> None:
    text = PROTOCOL_FILE.read_text(encoding="utf-8")
    assert line in text
    (tmp_path / "protocol.toml").write_text(text.replace(line, wrong), encoding="utf-8")
    with pytest.raises(ProtocolError, match=message):
        read_protocol(tmp_path / "protocol.toml")


@pytest.mark.parametrize("strange", STRANGE)
def test_a_strange_wave_gives_valid_rows(strange: str) -> None:
    results = fit((combined_bias_rows,), wave_data_of(add_categories(STRANGE[strange](analysis_set_of(300)), PROTOCOL)))
    assert len(results) == 12
    assert_no_number_without_events(results)
    assert (results.loc[results["status"] != "ok", "note"] != "").all()
