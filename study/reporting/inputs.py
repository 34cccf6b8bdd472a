"""What a report page is made from: frozen objects holding finished, disclosure-controlled numbers.

Belongs here: the shape of the inputs and its check. Does not belong here: how anything is worded or drawn.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

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
CLAIM_KEYS = ("claim", "statement", "verdict", "evidence")
# One changed estimate since the release before; change is new, gone or changed.
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
PROVENANCE_KEYS = ("release", "created", "protocol_hash", "code_hash", "mode", "packages", "deliveries")

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
            analyzed sample. Counts that must not be shown are missing.
        characteristics: Table 1 in long form, CHARACTERISTIC_COLUMNS; category ``all`` is the total.
        results: one row per estimate, RESULT_COLUMNS. Rows of other waves are left aside.
        checks: one record per data check, CHECK_KEYS.
        claims: one record per claim, CLAIM_KEYS; verdict is supported, not supported or unclear.
        provenance: PROVENANCE_KEYS, and ``previous_release`` when there is one. A page that must change only when its
            numbers do has release and created None; it then refers to the index for what belongs to a release.
        bridge: one record per changed estimate, BRIDGE_KEYS.

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
    bridge: Sequence[Record] = ()

    def __post_init__(self) -> None:
        _need("exclusion_steps", EXCLUSION_COLUMNS, self.exclusion_steps.columns)
        _need("characteristics", CHARACTERISTIC_COLUMNS, self.characteristics.columns)
        _need("results", RESULT_COLUMNS, self.results.columns)
        _need_in_each("checks", CHECK_KEYS, self.checks)
        _need_in_each("claims", CLAIM_KEYS, self.claims)
        _need_in_each("bridge", BRIDGE_KEYS, self.bridge)
        _need("provenance", PROVENANCE_KEYS, self.provenance)

    def rows(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The rows of one of the frames that belong to this wave."""
        return frame[frame["wave"].astype("string") == self.wave]


@dataclass(frozen=True)
class IndexReport:
    """Everything the page over all waves shows.

    Attributes:
        waves: the analyzed waves, in the order they are listed.
        synthetic: whether any delivery behind the release is synthetic.
        provenance: PROVENANCE_KEYS, as for a wave.
        checks: every check of the release, also those of no wave, CHECK_KEYS.
        excluded_waves: one record per wave left out, with ``wave`` and ``reason``.
        bridge: changed estimates of all waves, BRIDGE_KEYS.

    Raises:
        ReportInputError: a key is absent.
    """

    waves: Sequence[WaveReport]
    synthetic: bool
    provenance: Record
    checks: Sequence[Record] = ()
    excluded_waves: Sequence[Record] = ()
    bridge: Sequence[Record] = field(default=())

    def __post_init__(self) -> None:
        _need("provenance", PROVENANCE_KEYS, self.provenance)
        _need_in_each("checks", CHECK_KEYS, self.checks)
        _need_in_each("excluded_waves", ("wave", "reason"), self.excluded_waves)
        _need_in_each("bridge", BRIDGE_KEYS, self.bridge)


def _need(name: str, wanted: Sequence[str], found: Any) -> None:
    missing = [key for key in wanted if key not in found]
    if missing:
        raise ReportInputError(f"{name} lacks {', '.join(missing)}")


def _need_in_each(name: str, wanted: Sequence[str], records: Sequence[Record]) -> None:
    for record in records:
        _need(name, wanted, record)
