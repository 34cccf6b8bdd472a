"""Each published claim has a conclusion, or a reason for none, and says what would change it."""

from __future__ import annotations

import pandas as pd
import pytest

from stegvis.claims.evaluation import COLUMNS, evaluate_claims
from stegvis.claims.ranks import level_order
from stegvis.claims.rules import RULES
from stegvis.statistics.results import RESULT_COLUMNS, to_frame
from stegvis.study.claims import Claim, Claims
from tests.study import STUDY

LEVELS = {
    "walking_minutes": ("<78", "78-100", "101-124", ">=125"),
    "walking_met": ("<3.00", "3.00-3.11", "3.12-3.26", ">=3.27"),
}
BELOW, ABOVE, ACROSS = (0.8, 0.7, 0.9), (1.3, 1.1, 1.5), (0.9, 0.8, 1.1)
LOWER = [claim for claim in STUDY.claims.claim if claim.rule == "lower" and claim.analysis == "main"]
BY_NAME = {claim.name: claim for claim in STUDY.claims.claim}
# The same without a margin, as studies had them before.
WITHOUT = {name: claim.model_copy(update={"margin": None, "within": (0.67, 1.5)}) for name, claim in BY_NAME.items()}


def row(**values) -> dict:
    shared = {"wave": "A", "analysis": "main", "population": "all", "model": "adjusted", "measure": "rr"}
    return {**dict.fromkeys(RESULT_COLUMNS), **shared, "status": "ok", "note": "", **values}


def categories(exposure: str, *ratios: tuple[float, float, float], **values) -> list[dict]:
    """The rows of an exposure's four categories; one ratio is used for all three."""
    levels = LEVELS[exposure]
    given = ratios * 3 if len(ratios) == 1 else ratios
    shared = {"exposure": exposure, "reference": levels[0], "term": f"{exposure}_category", "e_value_ci": 1.0} | values
    first = row(**shared, level=levels[0], estimate=1.0)
    return [first] + [
        row(**shared, level=level, estimate=estimate, ci_low=low, ci_high=high)
        for level, (estimate, low, high) in zip(levels[1:], given, strict=True)
    ]


def results(ratio: tuple[float, float, float] = ACROSS, **values) -> pd.DataFrame:
    """The adjusted main results of a wave: every category but the reference with the same ratio."""
    return pd.DataFrame([each for exposure in LEVELS for each in categories(exposure, ratio, **values)])


def verdict(name: str, rows: list[dict] | pd.DataFrame) -> str:
    return evaluated(BY_NAME[name], pd.DataFrame(rows))[0]


def evaluated(claim: Claim, table: pd.DataFrame) -> tuple[str, str, str]:
    (found,) = evaluate_claims(table, "A", Claims(claim=(claim,))).to_dict("records")
    return found["verdict"], found["evidence"], found["turn"]


def test_there_are_claims_of_both_exposures_and_sources_with_unique_names() -> None:
    assert {claim.exposure for claim in STUDY.claims.claim} == set(LEVELS)
    assert {claim.source for claim in STUDY.claims.claim} == {"paper", "lay summary"}
    assert len({claim.name for claim in STUDY.claims.claim}) == len(STUDY.claims.claim)


def test_every_rule_is_used_and_every_claim_has_one() -> None:
    assert {claim.rule for claim in STUDY.claims.claim} == set(RULES)


def test_every_claim_has_a_row_in_the_order_of_the_file() -> None:
    table = evaluate_claims(results(), "A", STUDY.claims)
    assert list(table.columns) == COLUMNS
    assert list(table["claim"]) == [claim.name for claim in STUDY.claims.claim]
    assert list(table["statement"]) == [claim.statement for claim in STUDY.claims.claim]
    assert set(table["wave"]) == {"A"}
    assert table["turn"].str.len().min() > 0


@pytest.mark.parametrize(
    ("ratio", "expected", "turn"),
    [
        (BELOW, "supported", "rose to 1, by 11%"),
        ((0.99, 0.98, 0.999), "supported", "rose to 1, by less than 1%"),
        (ACROSS, "unclear", "fell below 1, by 10%"),
        ((0.9, 0.8, 1.0), "unclear", "fell below 1"),
        ((1.1, 1.0, 1.2), "unclear", "fell below 1, by 20%"),
        (ABOVE, "not supported", "fell to 1, by 10%"),
    ],
)
@pytest.mark.parametrize("claim", LOWER, ids=lambda claim: claim.name)
def test_a_lower_risk_is_supported_if_the_interval_is_entirely_below_1(claim, ratio, expected, turn) -> None:
    found = evaluated(claim, results(ratio))
    assert found[0] == expected
    assert turn in found[2]


@pytest.mark.parametrize("claim", LOWER, ids=lambda claim: claim.name)
def test_each_claim_uses_its_own_category(claim: Claim) -> None:
    table = results()
    level = LEVELS[claim.exposure][claim.ranks[0] - 1]
    mine = (table["exposure"] == claim.exposure) & (table["level"] == level)
    table.loc[mine, ["estimate", "ci_low", "ci_high"]] = BELOW
    found, evidence, _ = evaluated(claim, table)
    assert found == "supported"
    assert evidence == f"RR 0.80 (95% CI 0.70 to 0.90), {level} against {LEVELS[claim.exposure][0]}"


def test_the_order_of_the_results_does_not_matter() -> None:
    table = results(BELOW, e_value_ci=1.6)
    shuffled = table.sample(frac=1, random_state=1)
    pd.testing.assert_frame_equal(
        evaluate_claims(shuffled, "A", STUDY.claims), evaluate_claims(table, "A", STUDY.claims)
    )


@pytest.mark.parametrize(
    ("limit", "expected"),
    [
        (1.5, "supported"),
        (1.56, "supported"),
        (1.49, "not supported"),
        (1.0, "not supported"),
        (float("nan"), "unclear"),
    ],
)
def test_confounding_is_unlikely_if_the_e_value_of_the_limit_is_large(limit: float, expected: str) -> None:
    found = evaluated(BY_NAME["confounding_unlikely"], results(BELOW, e_value_ci=limit))
    assert found[0] == expected
    # The ratio whose E-value is 1.5: 1/0.889 = 1.125, and 1.125 + sqrt(1.125 x 0.125) = 1.5.
    assert expected == "unclear" or "0.89" in found[2]


@pytest.mark.parametrize(
    ("ratio", "expected"),
    [
        ((0.77, 0.68, 0.87), "supported"),
        ((0.77, 0.50, 1.20), "unclear"),
        ((0.90, 0.85, 0.95), "not supported"),
        ((0.60, 0.50, 0.70), "not supported"),
    ],
)
def test_a_published_value_must_be_within_an_interval_that_excludes_1(ratio, expected) -> None:
    assert verdict("volume_23_percent_lower", results(ratio)) == expected


@pytest.mark.parametrize(
    ("ratios", "expected"),
    [
        (((0.87, 0.77, 0.98), (0.77, 0.68, 0.87), (0.76, 0.67, 0.87)), "supported"),
        (((0.87, 0.77, 0.98), (0.77, 0.68, 0.87), (0.80, 0.67, 0.95)), "unclear"),
        (((0.87, 0.77, 0.98), (0.60, 0.50, 0.70), (0.80, 0.67, 0.95)), "not supported"),
        (((0.97, 0.77, 1.18), (0.97, 0.68, 1.17), (0.96, 0.67, 1.17)), "unclear"),
    ],
)
def test_the_lowest_risk_is_decided_by_the_point_estimates(ratios, expected) -> None:
    assert verdict("volume_benefit_greatest_at_the_top", categories("walking_minutes", *ratios)) == expected


def curve(exposure: str, points: dict[float, float], p: float = 0.01) -> list[dict]:
    shared = {"analysis": "spline", "exposure": exposure, "term": f"{exposure}_spline"}
    rows = [
        row(**shared, level=f"{value:g}", estimate=ratio, ci_low=ratio - 0.05, ci_high=ratio + 0.05)
        for value, ratio in points.items()
    ]
    return [*rows, row(**shared, measure="p_nonlinearity", p_value=p, estimate=p)]


@pytest.mark.parametrize(
    ("points", "p", "expected"),
    [
        ({40: 1.2, 100: 0.8, 200: 0.75}, 0.01, "supported"),
        ({40: 1.2, 100: 1.1, 200: 0.6}, 0.01, "not supported"),
        ({40: 1.2, 100: 0.8, 200: 0.75}, 0.2, "unclear"),
        ({40: 1.2, 60: 1.1, 80: 1.0}, 0.01, "not applicable"),
    ],
)
def test_the_curve_flattens_when_it_is_nonlinear_and_falls_less_above(points, p, expected) -> None:
    assert verdict("volume_flattens_above_100_minutes", curve("walking_minutes", points, p)) == expected


@pytest.mark.parametrize(
    ("end", "expected"), [(0.80, "supported"), (0.85, "supported"), (0.77, "unclear"), (0.70, "not supported")]
)
def test_brisk_walking_is_no_better_when_the_curve_does_not_fall_further(end, expected) -> None:
    assert verdict("intensity_brisk_no_better", curve("walking_met", {2.9: 1.0, 3.12: 0.8, 3.6: end})) == expected


def interaction(modifier: str, ratio: tuple[float, float, float], p: float = 0.5) -> list[dict]:
    term = f"walking_minutes_category x {modifier}"
    shared = {"analysis": "interaction", "term": term}
    rows = categories("walking_minutes", ratio, **shared, measure="ratio_of_rr")
    return [*rows, row(**shared, exposure="walking_minutes", measure="p_likelihood_ratio", p_value=p, estimate=p)]


@pytest.mark.parametrize(("ratio", "expected"), [(BELOW, "supported"), (ACROSS, "unclear"), (ABOVE, "not supported")])
def test_an_association_is_stronger_if_the_ratio_of_ratios_is_below_1(ratio, expected) -> None:
    assert verdict("volume_stronger_at_65_and_over", interaction("older", ratio)) == expected


@pytest.mark.parametrize(
    ("ratio", "p", "expected"),
    [
        ((1.0, 0.8, 1.25), 0.5, "supported"),
        ((1.0, 0.5, 2.0), 0.5, "unclear"),
        ((1.0, 0.8, 1.25), 0.01, "not supported"),
    ],
)
def test_no_difference_needs_narrow_intervals_not_only_a_large_p(ratio, p, expected) -> None:
    found = evaluated(WITHOUT["volume_no_difference_by_sex"], pd.DataFrame(interaction("sex", ratio, p)))
    assert found[0] == expected
    assert found[1].endswith("no equivalence margin is declared, so a difference may have been missed")


@pytest.mark.parametrize(
    ("ratio", "p", "expected", "turn"),
    [
        ((1.0, 0.8, 1.25), 0.5, "supported", "a limit passed 0.80 or 1.25"),
        # A difference that is there and too small to matter.
        ((0.93, 0.88, 0.98), 0.01, "supported", "a limit passed 0.80 or 1.25"),
        ((1.0, 0.79, 1.25), 0.9, "unclear", "every interval were between 0.80 and 1.25, or one entirely outside (now"),
        ((0.7, 0.5, 0.81), 0.01, "unclear", "78-100: 0.50 to 0.81"),
        ((0.7, 0.5, 0.79), 0.9, "not supported", "no interval lay entirely outside 0.80 and 1.25"),
        ((1.5, 1.26, 1.8), 0.01, "not supported", "no interval lay entirely outside 0.80 and 1.25"),
    ],
)
def test_with_a_margin_the_interval_decides(ratio, p, expected, turn) -> None:
    found = evaluated(BY_NAME["volume_no_difference_by_sex"], pd.DataFrame(interaction("sex", ratio, p)))
    assert found[0] == expected
    assert "no difference means between 0.80 and 1.25" in found[1]
    assert turn in found[2]


def test_one_category_outside_the_margin_is_enough() -> None:
    rows = interaction("sex", (1.0, 0.9, 1.1))
    rows[2] |= {"estimate": 1.6, "ci_low": 1.3, "ci_high": 1.9}
    assert verdict("volume_no_difference_by_sex", rows) == "not supported"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"margin": (0.8, 1.25), "rule": "lower"}, "margin belongs to the rules no_difference and nothing_clear"),
        ({"margin": (1.1, 1.25)}, "one below 1 and one above"),
        ({"margin": (1.25, 0.8)}, "one below 1 and one above"),
        ({"margin": (0.8, 1.25), "within": (0.67, 1.5)}, "margin takes the place of within"),
    ],
)
def test_a_margin_that_makes_no_sense_is_refused(changes, message) -> None:
    with pytest.raises(ValueError, match=message):
        Claim.model_validate(BY_NAME["volume_no_difference_by_sex"].model_dump() | changes)


@pytest.mark.parametrize(
    ("older", "younger", "expected"),
    [(BELOW, ACROSS, "supported"), (BELOW, BELOW, "unclear"), (ACROSS, BELOW, "not supported")],
)
def test_more_consistent_means_more_categories_lower(older, younger, expected) -> None:
    rows = categories("walking_minutes", older, analysis="stratified", population="age>=65")
    rows += categories("walking_minutes", younger, analysis="stratified", population="age<65")
    assert verdict("volume_more_consistent_at_65_and_over", rows) == expected


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (((0.9, 0.8, 1.0), (0.9, 0.8, 1.0), (0.9, 0.8, 1.0)), "supported"),
        (((0.7, 0.6, 0.8), (0.9, 0.8, 1.0), (0.9, 0.8, 1.0)), "unclear"),
        (((0.7, 0.6, 0.8), (0.7, 0.6, 0.8), (0.7, 0.6, 0.8)), "not supported"),
    ],
)
def test_an_association_is_weakened_when_its_ratios_move_nearer_1(after, expected) -> None:
    rows = categories("walking_met", BELOW) + categories("walking_met", *after, analysis="mutual")
    assert verdict("intensity_weakened_by_volume", rows) == expected


@pytest.mark.parametrize(
    ("minutes", "met", "expected"),
    [(BELOW, ACROSS, "supported"), (ACROSS, BELOW, "not supported"), ((0.7, 0.4, 1.2), ACROSS, "unclear")],
)
def test_volume_matters_more_when_its_ratio_is_lower_beside_intensity(minutes, met, expected) -> None:
    rows = categories("walking_minutes", minutes, analysis="mutual") + categories("walking_met", met, analysis="mutual")
    assert verdict("volume_matters_more_than_intensity", rows) == expected


@pytest.mark.parametrize(
    ("below", "top", "expected"),
    [
        (BELOW, (1.0, 0.9, 1.11), ("supported", "supported")),
        (BELOW, ACROSS, ("supported", "unclear")),
        (ACROSS, BELOW, ("unclear", "unclear")),
        (ACROSS, (0.7, 0.6, 0.89), ("unclear", "not supported")),
    ],
)
def test_intensity_is_evaluated_below_and_at_the_highest_volume(below, top, expected) -> None:
    rows = categories("walking_minutes", BELOW)
    rows += categories("walking_met", below, analysis="within_volume", population="walking_minutes <125")
    rows += categories("walking_met", top, analysis="within_volume", population="walking_minutes >=125")
    assert (verdict("intensity_below_125_minutes", rows), verdict("intensity_little_at_125_minutes", rows)) == expected


@pytest.mark.parametrize(("top", "expected"), [(ACROSS, "supported"), (BELOW, "not supported")])
def test_without_a_margin_an_interval_that_includes_1_is_enough_and_the_evidence_says_so(top, expected) -> None:
    rows = categories("walking_minutes", BELOW)
    rows += categories("walking_met", top, analysis="within_volume", population="walking_minutes >=125")
    found = evaluated(WITHOUT["intensity_little_at_125_minutes"], pd.DataFrame(rows))
    assert found[0] == expected
    assert "no equivalence margin is declared" in found[1]


@pytest.mark.parametrize(("status", "evidence"), [("suppressed", "suppressed"), ("not_estimable", "not estimable")])
@pytest.mark.parametrize("claim", LOWER, ids=lambda claim: claim.name)
def test_a_claim_on_an_unpublished_estimate_cannot_be_evaluated_and_shows_no_number(claim, status, evidence) -> None:
    assert evaluated(claim, results(BELOW, status=status))[:2] == ("cannot be evaluated", f"the estimate is {evidence}")


@pytest.mark.parametrize(
    ("column", "value"),
    [("analysis", "trend"), ("population", "women"), ("model", "age"), ("exposure", "other"), ("measure", "rd")],
)
def test_without_the_adjusted_estimates_no_claim_applies(column: str, value: str) -> None:
    table = results(BELOW).assign(**{column: value})
    assert set(evaluate_claims(table, "A", STUDY.claims)["verdict"]) == {"not applicable"}


def test_without_results_no_claim_applies() -> None:
    assert set(evaluate_claims(to_frame([]), "A", STUDY.claims)["verdict"]) == {"not applicable"}


@pytest.mark.parametrize(
    ("levels", "applicable"),
    [
        (("<78", "78-100", "101-124", ">=125"), {"volume_78_to_100_minutes", "volume_over_100_minutes"}),
        (("<82", "82-104", "105-130", ">=131"), {"volume_78_to_100_minutes", "volume_over_100_minutes"}),
        (("<90", "90-115", "116-150", ">=151"), set()),
        (("<85", "85-115", ">=116"), set()),
        (("<78", "78-88", "89-100", "101-124", ">=125"), {"volume_over_100_minutes"}),
    ],
)
def test_a_claim_applies_to_a_category_of_its_values_whatever_its_rank(levels, applicable) -> None:
    shared = {"exposure": "walking_minutes", "reference": levels[0], "term": "walking_minutes_category"}
    rows = [row(**shared, level=levels[0], estimate=1.0)]
    for level in levels[1:]:
        rows.append(row(**shared, level=level, estimate=0.8, ci_low=0.6, ci_high=0.9, e_value_ci=1.4))
    table = evaluate_claims(pd.DataFrame(rows), "A", STUDY.claims).set_index("claim")
    found = table.loc[["volume_78_to_100_minutes", "volume_over_100_minutes"]]
    assert set(found.index[found["verdict"] == "supported"]) == applicable
    for claim, each in found.iterrows():
        assert each["verdict"] == ("supported" if claim in applicable else "not applicable")
    if "101-124" in levels:
        assert "101-124 against" in found.loc["volume_over_100_minutes", "evidence"]


def test_without_intensity_its_claims_do_not_apply() -> None:
    table = evaluate_claims(pd.DataFrame(categories("walking_minutes", BELOW)), "A", STUDY.claims).set_index("claim")
    assert table.loc["intensity_highest", "verdict"] == "not applicable"
    assert table.loc["volume_125_minutes_and_more", "verdict"] == "supported"


@pytest.mark.parametrize("exposure", LEVELS)
def test_categories_are_ordered_by_their_bounds(exposure: str) -> None:
    assert sorted(set(LEVELS[exposure]), key=level_order) == list(LEVELS[exposure])


def test_bounds_are_compared_as_numbers_not_as_text() -> None:
    assert sorted([">=125", "99-124", "<9", "9-98"], key=level_order) == ["<9", "9-98", "99-124", ">=125"]


def test_an_empty_category_keeps_its_position() -> None:
    """Two equal cut points give an empty category, labeled so by stegvis/statistics/categories.py."""
    table = results(BELOW)
    volume = table["exposure"] == "walking_minutes"
    empty = volume & (table["level"] == "101-124")
    table.loc[empty, ["level", "status"]] = ["category 3 (empty)", "not_estimable"]
    verdicts = evaluate_claims(table, "A", STUDY.claims).set_index("claim")["verdict"]
    assert verdicts["volume_78_to_100_minutes"] == "supported"
    assert verdicts["volume_over_100_minutes"] == "not applicable"
