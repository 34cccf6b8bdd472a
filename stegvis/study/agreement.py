"""What protocol, codebook and claims say about each other: the covariates that a codebook adds, and contradictions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from stegvis.study.claims import Claims
from stegvis.study.codebook import Codebook, levels
from stegvis.study.protocol import Protocol
from stegvis.study.settings import SettingsError

# Covariates and characteristics that the SELECTs make themselves.
LISTED = ("age", "sex", "education", "income", "employment", "smoking", "depression")
DERIVED = (
    "bmi",
    "other_disease",
    "older",
    "person",
    "wave",
    "pain_screen",
    "recorded_days",
    "work_type",
    "valid_days",
    "walking_minutes",
    "walking_met",
    "low_back_pain",
)
CATEGORIES = 4


class ContradictionError(SettingsError):
    """Two files of a study contradict each other; the message names file and key, and what there is."""


def with_added_covariates(protocol: Protocol, codebook: Codebook) -> Protocol:
    """The protocol with the covariates of the codebook in its models and among its complete cases.

    Raises:
        ContradictionError: an added covariate is one already, or the protocol lists added covariates itself.
    """
    if protocol.covariates.additional:
        raise ContradictionError("protocol.toml: covariates.additional: add a covariate in codebook.toml")
    columns = codebook.participants.columns
    added = {name: column.covariate for name, column in columns.items() if column.covariate}
    for name in added:
        if name in (*LISTED, *DERIVED):
            raise ContradictionError(
                f"codebook.toml: participants.columns.{name}.covariate: {name} has a role already; an added covariate "
                f"is none of {', '.join((*LISTED, *DERIVED))}"
            )
    if not added:
        return protocol
    names = {name: {"en": role.label, "nb": role.label_nb} for name, role in added.items()}
    models = {
        model: (*getattr(protocol.models, model), *(name for name, role in added.items() if model in role.models))
        for model in ("age", "adjusted")
    }
    complete = (*protocol.exclusions.complete_case, *(name for name, role in added.items() if role.complete_case))
    return protocol.model_copy(
        update={
            "covariates": protocol.covariates.model_copy(update={"additional": names}),
            "models": protocol.models.model_copy(update=models),
            "exclusions": protocol.exclusions.model_copy(update={"complete_case": complete}),
        }
    )


def check_agreement(protocol: Protocol, codebook: Codebook, claims: Claims) -> None:
    """Find what contradicts between the files.

    Args:
        protocol: with the added covariates.
        codebook: of the same study.
        claims: of the same study.

    Raises:
        ContradictionError: the first contradiction.
    """
    for problem in _contradictions(protocol, codebook, claims):
        raise ContradictionError(problem)


def _contradictions(protocol: Protocol, codebook: Codebook, claims: Claims) -> Iterator[str]:
    known = (*LISTED, *protocol.covariates.additional)
    lists = {
        "models.age": protocol.models.age,
        "models.adjusted": protocol.models.adjusted,
        "exclusions.complete_case": protocol.exclusions.complete_case,
    }
    for key, names in lists.items():
        yield from _outside(f"protocol.toml: {key}", names, known, "covariate")
        yield from (f"protocol.toml: {key}: {name} is there twice" for name in names if list(names).count(name) > 1)
    participants = codebook.participants
    education = levels(participants, "education")
    groups = protocol.characteristics.education_groups
    for group, members in groups.items():
        yield from _outside(f"protocol.toml: characteristics.education_groups.{group}", members, education, "level")
    grouped = {level for members in groups.values() for level in members}
    for level in education:
        if level not in grouped:
            yield f"protocol.toml: characteristics.education_groups: no group has the level '{level}' of codebook.toml"
    for key, column in (("little_pain", "pain_last_4_weeks"), ("good_health", "self_rated_health")):
        kept = getattr(protocol.sensitivity, key)
        yield from _outside(f"protocol.toml: sensitivity.{key}", kept, levels(participants, column), "level")
    for claim in claims.claim:
        for rank in claim.ranks:
            if not 1 <= rank <= CATEGORIES:
                yield f"claims.toml: {claim.name}.ranks: there is no category {rank}; there are 1 to {CATEGORIES}"


def _outside(key: str, given: Sequence[str], known: Sequence[str], what: str) -> Iterator[str]:
    for name in given:
        if name not in known:
            yield f"{key}: there is no {what} '{name}'; there are: {', '.join(known)}"
