"""The study's protocol, read from ``protocol.toml`` into typed, validated objects.

The sections are defined by topic in ``protocol_recordings``, ``protocol_models``, ``protocol_bias``,
``protocol_estimates``, ``protocol_overlap``, ``protocol_shift`` and ``protocol_publication``.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import model_validator

from stegvis.study.protocol_bias import CombinedBias
from stegvis.study.protocol_estimates import Estimates
from stegvis.study.protocol_models import (
    EXPOSURES,
    AdditiveInteractionRules,
    AttritionWeights,
    Characteristics,
    Covariates,
    Diagnostics,
    Exclusions,
    Exposure,
    Exposures,
    Histogram,
    Imputation,
    Misclassification,
    Models,
    NegativeControls,
    Projection,
    RegressionDilution,
    Spline,
    TimeUse,
)
from stegvis.study.protocol_overlap import Overlap
from stegvis.study.protocol_publication import (
    Bridge,
    Checks,
    Disclosure,
    Drift,
    Freshness,
    Plausibility,
    Release,
)
from stegvis.study.protocol_recordings import (
    CalibrationRules,
    Days,
    Epochs,
    RawRecordings,
    SynchronizationRules,
    WalkingSpeed,
    WearRules,
)
from stegvis.study.protocol_sensitivity import Mode, SensitivityEntry
from stegvis.study.protocol_shift import Shift
from stegvis.study.settings import Section, SettingsError, read_settings

__all__ = ["EXPOSURES", "Exposure", "Protocol", "ProtocolError", "Study", "read_protocol"]


class ProtocolError(SettingsError):
    """The protocol file breaks its own rules; the message names the key."""


class Study(Section):
    """Title, version and mode of the study."""

    title: str
    version: str
    mode: Mode


class Identifiers(Section):
    """What the home stores in the place of a person's identifier.

    ``as_delivered`` stores the identifier; ``keyed_hash`` a pseudonym, which needs the home's key to be traced back.
    """

    stored: Literal["as_delivered", "keyed_hash"] = "as_delivered"


class Protocol(Section):
    """The whole protocol. Values are addressed by dotted names, for example ``exposures.met_slow``."""

    study: Study
    identifiers: Identifiers = Identifiers()
    estimates: Estimates = Estimates()
    days: Days
    epochs: Epochs
    walking_speed: WalkingSpeed
    raw_recordings: RawRecordings
    synchronization: SynchronizationRules
    calibration: CalibrationRules
    wear: WearRules
    exposures: Exposures
    covariates: Covariates
    exclusions: Exclusions
    models: Models
    spline: Spline
    shift: Shift | None = None
    histogram: Histogram
    additive_interaction: AdditiveInteractionRules
    sensitivity: tuple[SensitivityEntry, ...] = ()
    time_use: TimeUse
    characteristics: Characteristics
    projection: Projection
    attrition_weights: AttritionWeights
    overlap: Overlap = Overlap()
    imputation: Imputation
    regression_dilution: RegressionDilution
    misclassification: Misclassification
    combined_bias: CombinedBias | None = None
    negative_controls: NegativeControls
    diagnostics: Diagnostics
    bridge: Bridge
    disclosure: Disclosure
    release: Release
    checks: Checks
    drift: Drift
    plausibility: Plausibility
    freshness: Freshness

    @model_validator(mode="after")
    def _strict_rounds(self) -> Protocol:
        rounds = self.release.rounding != "none" and self.release.rounding_base >= 5
        if self.disclosure.profile == "strict" and not rounds:
            raise ValueError("disclosure.profile strict needs release.rounding nearest or midpoint, to 5 or more")
        return self

    def value(self, name: str) -> Any:
        """The value, list or section behind a dotted name, as plain Python.

        Raises:
            KeyError: no such name.
        """
        found: Any = self
        for part in name.split("."):
            if isinstance(found, Section) and part in type(found).model_fields:
                found = getattr(found, part)
            elif isinstance(found, Mapping) and part in found:
                found = found[part]
            else:
                raise KeyError(f"the protocol has no value '{name}'")
        return _plain(found)


def _plain(value: Any) -> Any:
    """A value of the protocol as numbers, texts, lists and dictionaries.

    Attributes are read one by one, so that a section that records what is read records these, too.
    """
    if isinstance(value, Section):
        return {name: _plain(getattr(value, name)) for name in type(value).model_fields}
    if isinstance(value, Mapping):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(part) for part in value]
    return value


def read_protocol(file: Path) -> Protocol:
    """Read and validate a protocol file.

    Raises:
        ProtocolError: the file is not TOML, or a key is unknown, missing or out of range.
    """
    return read_settings(file, Protocol, ProtocolError)
