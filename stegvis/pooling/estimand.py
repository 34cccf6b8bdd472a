"""Whether releases estimate the same thing: exposure, outcome, who is in, and which people are in both.

Ratios of different things have no common value, and their heterogeneity would say nothing about the cohorts. What
must agree refuses the whole combination; cut points that differ refuse only the comparisons that use them. Which
covariates a model adjusts for may differ: the report lists them. (A risk ratio is collapsible, so further covariates
change what it is adjusted for and not what it is a ratio of; Greenland, Robins and Pearl 1999, doi
10.1214/ss/1009211805.)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

from stegvis.pooling.cohorts import Cohort, PoolError
from stegvis.release.bridge import flat

# Keys of the protocol that define exposure, outcome and population, by what they are called in a message. A section
# means all of its keys.
DEFINING = {
    "study.mode": "the outcome and who is excluded (the mode of the study)",
    "days.rule": "which days are valid",
    "days.must_be_positive": "which days are valid",
    "days.smallest_wear_hours": "which days are valid",
    "exposures.minimum_valid_days": "how many valid days a person needs",
    "exposures.met_slow": "the METs of walking",
    "exposures.met_moderate": "the METs of walking",
    "exposures.met_brisk": "the METs of walking",
    "epochs.slow_up_to_km_per_hour": "the speed classes of walking",
    "epochs.moderate_up_to_km_per_hour": "the speed classes of walking",
    "exclusions.order": "who is excluded",
    "outcome": "the outcome",
    "outcomes": "the outcome",
}
IRRELEVANT = ("name", "label", "title", "groups", "published_lower_bounds", "printed_decimals", "source")
# What belongs to walking intensity, which a study of volume alone does not define.
OF_INTENSITY = (
    "exposures.walking_met",
    "exposures.met_slow",
    "exposures.met_moderate",
    "exposures.met_brisk",
    "epochs.slow_up_to_km_per_hour",
    "epochs.moderate_up_to_km_per_hour",
)
WORN = "worn"


def must_agree(cohorts: Sequence[Cohort]) -> None:
    """Refuse releases that cannot be combined.

    Raises:
        PoolError: fewer than two releases; the same people in two of them; simulated and real people; or a definition
            that differs, with its key and what each release says.
    """
    if len(cohorts) < 2:
        raise PoolError("at least two releases are needed")
    for one, other in combinations(cohorts, 2):
        _other_people(one, other)
        if one.synthetic != other.synthetic:
            real, simulated = (other, one) if one.synthetic else (one, other)
            raise PoolError(f"{simulated.name} is synthetic data and {real.name} is not: they are never combined")
    first, *rest = cohorts
    for other in rest:
        differences = list(_differences(first, other))
        if differences:
            key, meaning, left, right = differences[0]
            more = f", and {len(differences) - 1} more" if len(differences) > 1 else ""
            raise PoolError(
                f"{first.name} and {other.name} do not estimate the same thing: they differ in {meaning} "
                f"({key}: {left} and {right}{more}); make a release of one with the definition of the other"
            )


def _other_people(one: Cohort, other: Cohort) -> None:
    if one.manifest_sha256 == other.manifest_sha256 or one.release == other.release:
        raise PoolError(f"{one.name} and {other.name} are the same release")
    both = _digests(one) & _digests(other)
    succeeded = one.manifest.get("previous_release") == other.release
    same_numbers = one.results.equals(other.results)
    if both or succeeded or same_numbers or other.manifest.get("previous_release") == one.release:
        raise PoolError(
            f"{one.name} and {other.name} are releases of the same cohort (same deliveries, or same numbers): people "
            "would count twice. Give one release of each cohort"
        )


def _digests(cohort: Cohort) -> set[str]:
    """Hashes of the deliveries behind each wave; they are keyed by home, so they are equal within a home alone."""
    return {str(each["deliveries"]) for each in cohort.manifest.get("waves", {}).values() if each.get("deliveries")}


def _differences(one: Cohort, other: Cohort) -> Iterator[tuple[str, str, str, str]]:
    """Key, its meaning, and both values, of every definition that differs."""
    left, right = definition(one.protocol), definition(other.protocol)
    if not all(cohort.protocol.get("exposures", {}).get("walking_met") for cohort in (one, other)):
        # Only one has intensity: nothing of it is combined.
        left, right = (
            {key: value for key, value in values.items() if not set(_parents(key)) & set(OF_INTENSITY)}
            for values in (left, right)
        )
    first = list(DEFINING)
    for key in sorted(set(left) | set(right), key=lambda key: (first.index(key) if key in first else len(first), key)):
        if left.get(key) != right.get(key):
            meaning = next((DEFINING[part] for part in _parents(key) if part in DEFINING), "an exposure")
            yield key, meaning, _shown(left.get(key)), _shown(right.get(key))


def definition(protocol: Mapping[str, Any]) -> dict[str, Any]:
    """Every value of a protocol that defines what is estimated, by dotted key."""
    values = dict(flat(protocol))
    exposures = [name for name, part in protocol.get("exposures", {}).items() if isinstance(part, Mapping)]
    sections = (*DEFINING, *(f"exposures.{name}" for name in exposures))
    found = {
        key: value
        for key, value in values.items()
        if any(part in sections for part in _parents(key)) and key.rpartition(".")[2] not in IRRELEVANT
    }
    if found.get("days.rule") != WORN:
        found.pop("days.smallest_wear_hours", None)
    if found.get("days.rule") not in (None, "as_published"):
        found.pop("days.must_be_positive", None)
    # The order of exclusions decides what is counted where, not who is in.
    if isinstance(found.get("exclusions.order"), list):
        found["exclusions.order"] = sorted(found["exclusions.order"])
    return found


def _parents(key: str) -> list[str]:
    parts = key.split(".")
    return [".".join(parts[:end]) for end in range(len(parts), 0, -1)]


def _shown(value: Any) -> str:
    return "not given" if value is None else str(value)
