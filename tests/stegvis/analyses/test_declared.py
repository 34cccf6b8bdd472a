"""The declared estimates are found among the published results; a family keeps its size, estimated or not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from stegvis.analyses.declared import (
    ABSENT,
    DECLARED_COLUMNS,
    declared_estimates,
    declared_of_waves,
    purpose_of,
)
from stegvis.disclosure.digits import significant
from stegvis.statistics.multiplicity import benjamini_hochberg, holm
from stegvis.study.protocol_estimates import OF_CATEGORIES, DeclaredEstimate, Estimates
from tests.study import PROTOCOL

DEMO = Path(__file__).parents[2] / "orchestration" / "demo_results.parquet"
WAVE = "2021-2023"


@pytest.fixture(scope="module")
def demo() -> pd.DataFrame:
    return pd.read_parquet(DEMO)


def declaring(*estimates: DeclaredEstimate):
    return PROTOCOL.model_copy(update={"estimates": Estimates(primary=estimates[0], secondary=estimates[1:])})


def test_each_is_the_row_of_the_results_with_its_p_value_adjusted_over_all(demo: pd.DataFrame) -> None:
    found = declared_estimates(demo, WAVE, PROTOCOL)
    assert list(found) == list(DECLARED_COLUMNS)
    assert found["purpose"].tolist() == ["primary"] + ["secondary"] * 7
    assert set(found["family"]) == {8}
    main = demo[(demo["wave"] == WAVE) & (demo["analysis"] == "main") & (demo["model"] == "adjusted")]
    volume = main[(main["exposure"] == "walking_minutes") & (main["measure"] == "rr")]
    # Rows are in ascending order: the highest category is the last.
    assert (
        found[["level", "estimate", "p_value"]].iloc[0].tolist()
        == volume[["level", "estimate", "p_value"]].iloc[-1].tolist()
    )
    for name, adjusted in (("p_holm", holm), ("p_fdr", benjamini_hochberg)):
        again = significant(pd.Series(adjusted(found["p_value"].tolist(), 8)), PROTOCOL.release.digits.p_values)
        assert found[name].tolist() == again.tolist()


def test_one_that_is_withheld_or_suppressed_has_no_p_value_and_keeps_its_place(demo: pd.DataFrame) -> None:
    results = demo.copy()
    trend = (results["analysis"] == "trend") & (results["wave"] == WAVE)
    results.loc[trend, ["estimate", "ci_low", "ci_high", "p_value"]] = np.nan
    results.loc[trend, "status"], results.loc[trend, "note"] = "not_estimable", "withheld: overlap fails"
    results.loc[results["term"] == "walking_minutes_category", "p_value"] = 0.004
    found = declared_estimates(results, WAVE, PROTOCOL)
    assert found["status"].tolist() == ["ok"] * 6 + ["not_estimable"] * 2
    assert found.loc[6:, ["estimate", "p_value", "p_holm", "p_fdr"]].isna().all(axis=None)
    assert found["note"].iloc[-1] == "withheld: overlap fails"
    assert set(found["family"]) == {8}
    assert found["p_holm"].iloc[0] == pytest.approx(8 * 0.004)


def test_one_that_a_wave_does_not_have_says_so(demo: pd.DataFrame) -> None:
    few = demo[demo["exposure"] != "walking_met"]
    found = declared_estimates(few, WAVE, PROTOCOL)
    absent = found[found["exposure"] == "walking_met"]
    assert set(absent["note"]) == {ABSENT}
    assert set(absent["status"]) == {"not_estimable"}
    assert len(found) == 8


@pytest.mark.parametrize(
    "estimate",
    [
        *(DeclaredEstimate(analysis=name, exposure="walking_met", category=3) for name in OF_CATEGORIES),
        *(DeclaredEstimate(analysis="trend", exposure="walking_minutes", trend=each)
          for each in ("median", "ordinal", "linear")),
        DeclaredEstimate(exposure="walking_met", measure="p_joint"),
        DeclaredEstimate(exposure="walking_met", model="age", category=2),
        DeclaredEstimate(analysis="sensitivity:good_health", exposure="walking_met", category=2),
    ],
)  # fmt: skip
def test_everything_that_can_be_declared_is_one_row(estimate: DeclaredEstimate, demo: pd.DataFrame) -> None:
    (found,) = declared_estimates(demo, WAVE, declaring(estimate)).to_dict("records")
    assert found["note"] != ABSENT
    assert found["term"] == estimate.term


def test_whatever_was_not_declared_is_exploratory(demo: pd.DataFrame) -> None:
    declared = declared_estimates(demo, WAVE, PROTOCOL)
    mine = demo[demo["wave"] == WAVE]
    purposes = [purpose_of(row, declared) for row in mine.to_dict("records")]
    assert purposes.count("primary") == 1
    assert purposes.count("secondary") == 7
    assert purposes.count("exploratory") == len(mine) - 8
    nothing = declared_estimates(demo, WAVE, PROTOCOL.model_copy(update={"estimates": Estimates()}))
    assert nothing.empty
    assert list(nothing) == list(DECLARED_COLUMNS)
    assert purpose_of(mine.iloc[0], nothing) == "exploratory"


def test_each_wave_is_a_family_of_its_own(demo: pd.DataFrame) -> None:
    both = declared_of_waves(demo, PROTOCOL, [WAVE, "2024-2026"])
    assert both.groupby("wave")["family"].agg(["size", "first"]).to_numpy().tolist() == [[8, 8], [8, 8]]
    assert dict(both.dtypes.astype(str)) == DECLARED_COLUMNS
    assert declared_of_waves(demo, PROTOCOL, []).empty
