"""Each published claim is supported, not supported or unclear, by the interval of its estimate."""

from __future__ import annotations

import pandas as pd
import pytest

from study.claims import COLUMNS, Claim, claims, judge_claims, level_order
from study.statistics.results import ResultRow, to_frame

LEVELS = {
    "walking_minutes": ("<78", "78-100", "101-124", ">=125"),
    "walking_met": ("<3.00", "3.00-3.11", "3.12-3.26", ">=3.27"),
}
BELOW, ABOVE, ACROSS = (0.8, 0.7, 0.9), (1.3, 1.1, 1.5), (0.9, 0.8, 1.1)
LOWER = [claim for claim in claims() if claim.expect == "lower"]
(CONFOUNDING,) = [claim for claim in claims() if claim.expect == "e_value"]


def results(ratio: tuple[float, float, float] = ACROSS, *, e_value_ci: float = 1.0, status: str = "ok") -> pd.DataFrame:
    """The adjusted main results of a wave: every category but the reference with the same ratio."""
    estimate, low, high = ratio
    rows = []
    for exposure, levels in LEVELS.items():
        for level in levels:
            row = ResultRow("A", "main", "all", "adjusted", exposure, "category", level, levels[0], 100, 10)
            rows.append({**vars(row), "estimate": 1.0})
            if level != levels[0]:
                limits = {"estimate": estimate, "ci_low": low, "ci_high": high, "e_value_ci": e_value_ci}
                rows[-1] |= limits | {"status": status}
    return pd.DataFrame(rows)


def judged(claim: Claim, table: pd.DataFrame) -> tuple[str, str]:
    row = judge_claims(table, "A").set_index("claim").loc[claim.name]
    return row["verdict"], row["evidence"]


def test_there_are_claims_of_both_exposures_with_names_of_their_own() -> None:
    assert {claim.exposure for claim in claims()} == set(LEVELS)
    assert len({claim.name for claim in claims()}) == len(claims())


def test_every_claim_has_a_row_in_the_order_of_the_file() -> None:
    table = judge_claims(results(), "A")
    assert list(table.columns) == COLUMNS
    assert list(table["claim"]) == [claim.name for claim in claims()]
    assert list(table["statement"]) == [claim.statement for claim in claims()]
    assert set(table["wave"]) == {"A"}


@pytest.mark.parametrize(
    ("ratio", "verdict"),
    [
        (BELOW, "supported"),
        ((0.99, 0.98, 0.999), "supported"),
        (ACROSS, "unclear"),
        ((0.9, 0.8, 1.0), "unclear"),
        ((1.1, 1.0, 1.2), "unclear"),
        (ABOVE, "not supported"),
    ],
)
@pytest.mark.parametrize("claim", LOWER, ids=lambda claim: claim.name)
def test_a_lower_risk_is_supported_if_the_whole_interval_lies_below_1(
    claim: Claim, ratio: tuple[float, float, float], verdict: str
) -> None:
    assert judged(claim, results(ratio))[0] == verdict


@pytest.mark.parametrize("claim", LOWER, ids=lambda claim: claim.name)
def test_each_claim_looks_at_its_own_category(claim: Claim) -> None:
    table = results()
    level = LEVELS[claim.exposure][claim.rank - 1]
    mine = (table["exposure"] == claim.exposure) & (table["level"] == level)
    table.loc[mine, ["estimate", "ci_low", "ci_high"]] = BELOW
    verdict, evidence = judged(claim, table)
    assert verdict == "supported"
    assert evidence == f"RR 0.80 (95% CI 0.70 to 0.90), {level} against {LEVELS[claim.exposure][0]}"


@pytest.mark.parametrize("claim", claims(), ids=lambda claim: claim.name)
def test_the_order_of_the_results_does_not_matter(claim: Claim) -> None:
    table = results(BELOW, e_value_ci=1.6)
    assert judged(claim, table.sample(frac=1, random_state=1)) == judged(claim, table)


@pytest.mark.parametrize(
    ("limit", "verdict"),
    [
        (1.5, "supported"),
        (1.56, "supported"),
        (1.49, "not supported"),
        (1.0, "not supported"),
        (float("nan"), "unclear"),
    ],
)
def test_confounding_is_unlikely_if_the_e_value_of_the_limit_is_large(limit: float, verdict: str) -> None:
    assert CONFOUNDING.at_least == 1.5
    assert judged(CONFOUNDING, results(BELOW, e_value_ci=limit))[0] == verdict


@pytest.mark.parametrize(("status", "told"), [("suppressed", "suppressed"), ("not_estimable", "not estimable")])
@pytest.mark.parametrize("claim", claims(), ids=lambda claim: claim.name)
def test_an_estimate_that_is_not_shown_leaves_the_claim_unclear_and_tells_no_number(
    claim: Claim, status: str, told: str
) -> None:
    assert judged(claim, results(BELOW, status=status)) == ("unclear", f"the estimate is {told}")


@pytest.mark.parametrize(
    ("column", "value"),
    [("analysis", "trend"), ("population", "women"), ("model", "age"), ("exposure", "other"), ("measure", "rd")],
)
@pytest.mark.parametrize("claim", claims(), ids=lambda claim: claim.name)
def test_without_the_adjusted_main_estimate_the_claim_is_unclear(claim: Claim, column: str, value: str) -> None:
    table = results(BELOW).assign(**{column: value})
    assert judged(claim, table) == ("unclear", "the estimate is not among the results")


def test_results_without_rows_leave_every_claim_unclear() -> None:
    assert set(judge_claims(to_frame([]), "A")["verdict"]) == {"unclear"}


@pytest.mark.parametrize("exposure", LEVELS)
def test_categories_stand_in_the_order_of_their_bounds(exposure: str) -> None:
    assert sorted(set(LEVELS[exposure]), key=level_order) == list(LEVELS[exposure])


def test_bounds_are_compared_as_numbers_not_as_text() -> None:
    assert sorted([">=125", "99-124", "<9", "9-98"], key=level_order) == ["<9", "9-98", "99-124", ">=125"]


def test_an_empty_category_keeps_its_place() -> None:
    """Two equal cuts leave a category that holds nobody: study/statistics/categories.py labels it so."""
    table = results(BELOW)
    volume = table["exposure"] == "walking_minutes"
    empty = volume & (table["level"] == "101-124")
    table.loc[empty, ["level", "status"]] = ["category 3 (empty)", "not_estimable"]
    verdicts = judge_claims(table, "A").set_index("claim")["verdict"]
    assert verdicts["volume_78_to_100_minutes"] == "supported"
    assert verdicts["volume_over_100_minutes"] == "unclear"
