"""Commands in R and Stata for deaths and emigrations: states, their incidence, and bounds for the dead."""

from __future__ import annotations

from stegvis.analyses.death_bounds import BOUNDS
from stegvis.analyses.living import DEAD
from stegvis.reproduction.models import EstimateRow, model_of, plain
from stegvis.reproduction.r import estimate, ratio_of
from stegvis.reproduction.stata import chain, use
from stegvis.reproduction.stata import ratio_of as stata_ratio_of


def states_in_r(row: EstimateRow) -> str:
    """The share of a category in a state."""
    return f'state_share(eligible, "{row.exposure}", {row.place}, "{row.key["term"]}")'


def states_in_stata(row: EstimateRow) -> str:
    """The same in Stata."""
    return chain(
        use("eligible_people"),
        f'generate byte there = state == "{row.key["term"]}"',
        f"summarize there if {row.category} == {row.place}",
        "display r(mean)",
    )


def incidence_in_r(row: EstimateRow) -> str:
    """The cumulative incidence of an event, the other competing."""
    return estimate(f'incidence(eligible, "{row.exposure}", {row.place}, "{row.key["term"]}")')


def bounds_in_r(row: EstimateRow) -> str:
    """A ratio among the living and the dead."""
    place = row.place + 1
    here, there = (str(all_of_them).upper() for all_of_them in BOUNDS[row.measure])
    ratio = ratio_of(model_of(row), place)
    return f'death_bound({ratio}, people, eligible, "{row.exposure}", {place}, {here}, {there})'


def bounds_in_stata(row: EstimateRow) -> str:
    """The same in Stata, by the shares of the dead and the risks of the categories."""
    place = row.place + 1
    steps = [use(), stata_ratio_of(plain(row), row), f"scalar bound = exp(_b[{place}.{row.category}])"]
    for name, category, all_of_them in zip(("here", "there"), (place, 1), BOUNDS[row.measure], strict=True):
        risk = f"scalar risk_{name} = 1 / r(mean)" if all_of_them else f"scalar risk_{name} = 0"
        steps += [f"summarize low_back_pain if {row.category} == {category}", risk]
    steps += [use("eligible_people"), 'drop if state == "emigrated"', f'generate byte dead = state == "{DEAD}"']
    for name, category in (("here", place), ("there", 1)):
        steps += [
            f"summarize dead if {row.category} == {category}",
            f"scalar part_{name} = 1 + r(mean) * (risk_{name} - 1)",
        ]
    return chain(*steps, "display bound * part_here / part_there")
