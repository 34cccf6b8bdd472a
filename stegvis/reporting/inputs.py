"""The inputs of the pages: frozen objects with disclosure-controlled numbers, checked for completeness."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import pandas as pd

from stegvis.analyses.declared import DECLARED_COLUMNS
from stegvis.reporting.words import Words
from stegvis.study.about import About, Published
from stegvis.study.protocol import EXPOSURES, Exposure, Protocol
from stegvis.study.texts import Language, StudyTexts

EXCLUSION_COLUMNS = ("wave", "step", "rule", "description", "excluded", "remaining")
CHARACTERISTIC_COLUMNS = (
    "wave",
    "exposure",
    "category",
    "variable",
    "level",
    "n",
    "percent",
    "mean",
    "sd",
    "status",
)
# The columns of results.csv that a page reads.
RESULT_COLUMNS = (
    "wave",
    "analysis",
    "population",
    "model",
    "exposure",
    "term",
    "level",
    "reference",
    "n",
    "events",
    "measure",
    "estimate",
    "ci_low",
    "ci_high",
    "std_error",
    "p_value",
    "e_value",
    "e_value_ci",
    "status",
    "note",
)
CHECK_KEYS = ("asset", "partition", "check", "passed", "severity", "failing", "rule", "meaning")
HISTOGRAM_COLUMNS = ("wave", "exposure", "low", "high", "n", "status")
COMMAND_COLUMNS = ("wave", "analysis", "population", "model", "exposure", "term", "level", "measure", "r", "stata")
CLAIM_KEYS = ("claim", "source", "statement", "verdict", "evidence", "turn")
# One changed estimate since the previous release; change is new, gone or changed.
BRIDGE_KEYS = (
    "wave",
    "analysis",
    "model",
    "exposure",
    "level",
    "measure",
    "change",
    "estimate_before",
    "ci_low_before",
    "ci_high_before",
    "n_before",
    "estimate_now",
    "ci_low_now",
    "ci_high_now",
    "n_now",
)
# Whether a wave was registered before it was opened.
REGISTRATION_KEYS = ("wave", "registered", "late", "amendments", "changed", "files", "declared")
PROVENANCE_KEYS = ("release", "created", "protocol_hash", "code_hash", "mode", "packages", "published")

Record = Mapping[str, Any]


class ReportInputError(ValueError):
    """A report's input lacks a column or key; the message names it and never holds a value."""


@dataclass(frozen=True)
class WaveReport:
    """Everything the page of one follow-up wave shows.

    Attributes:
        wave: the wave's name, for example ``2021-2023``; also the key of its rows in the frames.
        synthetic: whether any delivery behind the page is synthetic.
        exclusion_steps: one row per step, EXCLUSION_COLUMNS; step 0 is everyone at baseline, the last row the
            analyzed sample. Suppressed counts are missing.
        characteristics: Table 1 in long form, CHARACTERISTIC_COLUMNS; category ``all`` is the total.
        results: one row per estimate, RESULT_COLUMNS. Rows of other waves are ignored.
        checks: one record per data check, CHECK_KEYS.
        claims: one record per claim, CLAIM_KEYS; verdict is supported, not supported, unclear, not
            applicable or cannot be evaluated.
        provenance: PROVENANCE_KEYS. The pages of a wave use only the facts that do not change from release to release;
            the index shows the others.
        protocol: the protocol the results were made under.
        about: who runs the study, contact, citation.
        texts: what the pages say about the study.
        labels: printed names of the codebook's covariates by language and column.
        published: numbers that the study published before; None where it has none.
        histogram: participants by bin of each exposure, HISTOGRAM_COLUMNS, small bins suppressed; may be empty.
        commands: how to reproduce each row of the results, COMMAND_COLUMNS; may be empty.
        declared: the primary and the secondary estimates of the wave, ``analyses.declared.DECLARED_COLUMNS``; empty
            where nothing was declared.

    Raises:
        ReportInputError: a column or key is absent.
    """

    wave: str
    synthetic: bool
    exclusion_steps: pd.DataFrame
    characteristics: pd.DataFrame
    results: pd.DataFrame
    checks: Sequence[Record]
    claims: Sequence[Record]
    provenance: Record
    protocol: Protocol
    about: About
    texts: StudyTexts
    labels: Mapping[Language, Mapping[str, str]] = field(default_factory=dict)
    published: Published | None = None
    histogram: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=list(HISTOGRAM_COLUMNS)))
    commands: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=list(COMMAND_COLUMNS)))
    declared: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=list(DECLARED_COLUMNS)))

    def __post_init__(self) -> None:
        _need("exclusion_steps", EXCLUSION_COLUMNS, self.exclusion_steps.columns)
        _need("characteristics", CHARACTERISTIC_COLUMNS, self.characteristics.columns)
        _need("results", RESULT_COLUMNS, self.results.columns)
        _need_in_each("checks", CHECK_KEYS, self.checks)
        _need_in_each("claims", CLAIM_KEYS, self.claims)
        _need("provenance", PROVENANCE_KEYS, self.provenance)
        _need("histogram", HISTOGRAM_COLUMNS, self.histogram.columns)
        _need("commands", COMMAND_COLUMNS, self.commands.columns)
        _need("declared", tuple(DECLARED_COLUMNS), self.declared.columns)

    @cached_property
    def own_results(self) -> pd.DataFrame:
        """The rows of results that belong to this wave."""
        return self.rows(self.results)

    @property
    def words(self) -> Words:
        """What the study is called in sentences."""
        return Words(self.texts, self.protocol, "en", self.labels)

    @cached_property
    def exposures(self) -> tuple[Exposure, ...]:
        """The exposures with estimates in this wave."""
        return exposures_of(self.own_results)

    def rows(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The rows of one of the frames that belong to this wave."""
        return frame[frame["wave"].astype("string") == self.wave]


@dataclass(frozen=True)
class IndexReport:
    """Everything the pages over all waves show.

    Attributes:
        waves: the analyzed waves, in the order they are listed.
        synthetic: whether any delivery behind the release is synthetic.
        provenance: PROVENANCE_KEYS, and ``previous_release`` when there is one.
        results: rows of all waves and those across waves (wave ``all``), RESULT_COLUMNS.
        protocol: the protocol the results were made under.
        about: who runs the study, contact, citation.
        texts: what the pages say about the study.
        labels: printed names of the codebook's covariates by language and column.
        checks: every check of the release, including those that belong to no wave, CHECK_KEYS.
        excluded_waves: one record per delivered wave without results, with ``wave`` and ``reason``.
        bridge: changed estimates of all waves, BRIDGE_KEYS.
        steps: why the main ratios changed, as in bridge.json.
        bridge_note: why there are no steps; empty where there are.
        claims: one record per wave and claim, CLAIM_KEYS and ``wave``.
        earlier_claims: those of earlier releases by release name, oldest first.
        differences: protocol values that differ from the study's published protocol, with name, before (published) and
            now; None where the study has no published protocol.
        characteristics: Table 1 of all waves, for the years to follow-up; may be absent.
        stages: what was made from what, as in lineage.json.
        registration: whether each wave was registered, as in registration.json (``release.registered``).

    Raises:
        ReportInputError: a column or key is absent.
    """

    waves: Sequence[str]
    synthetic: bool
    provenance: Record
    results: pd.DataFrame
    protocol: Protocol
    about: About
    texts: StudyTexts
    labels: Mapping[Language, Mapping[str, str]] = field(default_factory=dict)
    checks: Sequence[Record] = ()
    excluded_waves: Sequence[Record] = ()
    bridge: Sequence[Record] = ()
    steps: Sequence[Record] = ()
    bridge_note: str = ""
    claims: Sequence[Record] = ()
    earlier_claims: Mapping[str, Sequence[Record]] = field(default_factory=dict)
    differences: Sequence[Record] | None = None
    characteristics: pd.DataFrame | None = None
    stages: Sequence[Record] = ()
    registration: Sequence[Record] = ()

    def __post_init__(self) -> None:
        _need("provenance", PROVENANCE_KEYS, self.provenance)
        _need("results", RESULT_COLUMNS, self.results.columns)
        _need_in_each("checks", CHECK_KEYS, self.checks)
        _need_in_each("excluded_waves", ("wave", "reason"), self.excluded_waves)
        _need_in_each("bridge", BRIDGE_KEYS, self.bridge)
        _need_in_each("registration", REGISTRATION_KEYS, self.registration)
        _need_in_each("claims", (*CLAIM_KEYS, "wave"), self.claims)

    @property
    def words(self) -> Words:
        """What the study is called in sentences."""
        return Words(self.texts, self.protocol, "en", self.labels)

    @cached_property
    def exposures(self) -> tuple[Exposure, ...]:
        """The exposures with estimates in any wave."""
        return exposures_of(self.results)

    def of_wave(self, wave: str) -> pd.DataFrame:
        """The rows of results of one wave (or ``all``)."""
        return self.results[self.results["wave"].astype("string") == wave]


def exposures_of(results: pd.DataFrame) -> tuple[Exposure, ...]:
    """The exposures that results are about; walking volume, which every study has, comes first."""
    found = set(results["exposure"].astype("string").dropna())
    return tuple(each for each in EXPOSURES if each in found or each == EXPOSURES[0])


def _need(name: str, wanted: Sequence[str], found: Any) -> None:
    missing = [key for key in wanted if key not in found]
    if missing:
        raise ReportInputError(f"{name} lacks {', '.join(missing)}")


def _need_in_each(name: str, wanted: Sequence[str], records: Sequence[Record]) -> None:
    for record in records:
        _need(name, wanted, record)
