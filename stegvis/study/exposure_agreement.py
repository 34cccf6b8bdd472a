"""What the files of a study say about exposures that it does not have, and about categories that are not there."""

from __future__ import annotations

from collections.abc import Iterator

from stegvis.study.claims import Claim, Claims
from stegvis.study.protocol import EXPOSURES, Protocol
from stegvis.study.protocol_models import MET_KEYS

# Rules, analyses and populations of claims that are about both exposures.
OF_BOTH_RULES = ("stronger_than_other", "weakened")
OF_BOTH_ANALYSES = ("mutual", "mutual_categories", "mutual_spline", "joint", "within_volume", "within_intensity")
OF_BOTH_POPULATIONS = ("highest", "below highest")


def exposure_contradictions(protocol: Protocol) -> Iterator[str]:
    """Keys of an exposure that is not there, or that one lacks, and numbers of categories that cannot be."""
    exposures, names = protocol.exposures, protocol.exposures.names
    for key in MET_KEYS:
        if (getattr(exposures, key) is None) != (exposures.walking_met is None):
            yield (
                f"protocol.toml: exposures.{key}: {_no_exposure('walking_met', protocol)}"
                if exposures.walking_met is None
                else f"protocol.toml: exposures: there is no exposures.{key}, and exposures.walking_met is there"
            )
    for each in names:
        scale = exposures.scale(each)
        if exposures.fixed and not scale.published_lower_bounds:
            yield (
                f"protocol.toml: exposures.{each}: there are no published_lower_bounds, which fixed_published needs; "
                "categories may be: sample_quantiles, fixed_published"
            )
        if exposures.categories == "sample_quartiles" and len(scale.categories) != 4:
            yield (
                f"protocol.toml: exposures.categories: sample_quartiles are four groups, and {each} has "
                f"{len(scale.categories)}; there are: sample_quantiles, fixed_published"
            )
    for section in ("spline", "histogram"):
        for each in EXPOSURES:
            given = getattr(getattr(protocol, section), each) is not None
            if given and each not in names:
                yield f"protocol.toml: {section}.{each}: {_no_exposure(each, protocol)}"
            if each in names and not given:
                yield f"protocol.toml: {section}: there is no {section}.{each}, and exposures.{each} is there"
    fewest = min(len(exposures.scale(each).categories) for each in names)
    low = protocol.additive_interaction.low_categories
    if len(names) > 1 and low >= fewest:
        yield (
            f"protocol.toml: additive_interaction.low_categories: {low} of {fewest} categories leave none that "
            f"is high; there are: {', '.join(map(str, range(1, fewest)))}"
        )


def claim_contradictions(protocol: Protocol, claims: Claims) -> Iterator[str]:
    """Claims about an exposure or a category that is not there."""
    for exposure in claims.categories:
        if exposure not in protocol.exposures.names:
            yield f"claims.toml: categories.{exposure}: {_no_exposure(exposure, protocol)}"
    for claim in claims.claim:
        key = f"claims.toml: {claim.name}"
        if claim.exposure not in protocol.exposures.names:
            yield f"{key}.exposure: {_no_exposure(claim.exposure, protocol)}"
            continue
        if len(protocol.exposures.names) == 1:
            yield from (f"{key}.{what} is about two exposures; there is: walking_minutes" for what in _of_both(claim))
        named = claims.categories.get(claim.exposure)
        last = len(named.levels) if named else len(protocol.exposures.scale(claim.exposure).categories)
        for rank in claim.ranks:
            if not 1 <= rank <= last:
                yield f"{key}.ranks: there is no category {rank}; there are 1 to {last}"


def _of_both(claim: Claim) -> Iterator[str]:
    """What of a claim needs both exposures."""
    if claim.rule in OF_BOTH_RULES:
        yield f"rule: {claim.rule}"
    if claim.analysis in OF_BOTH_ANALYSES:
        yield f"analysis: {claim.analysis}"
    yield from (f"populations: {each}" for each in claim.populations if each in OF_BOTH_POPULATIONS)


def _no_exposure(exposure: str, protocol: Protocol) -> str:
    return f"there is no exposure '{exposure}'; there are: {', '.join(protocol.exposures.names)}"
