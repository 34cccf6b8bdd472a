"""One cohort's release as pooling reads it: its results, what they mean, and where they came from."""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from stegvis.statistics.results import RESULT_COLUMNS

WhichWave = Literal["first", "last"]
PROTOCOL = "protocol.json"  # with the covariates that the codebook adds
MANIFEST = "manifest.json"
TEXTS = "study/texts/en.toml"
ALL_WAVES = "all"


class PoolError(ValueError):
    """The releases cannot be combined; the message says why, and what to do."""


@dataclass(frozen=True)
class Cohort:
    """A release of one cohort.

    Attributes:
        name: what tables and figures call it.
        release: the release's name.
        manifest: its ``manifest.json``.
        manifest_sha256: the hash that identifies it.
        protocol: its protocol as plain dictionaries.
        wave: the follow-up wave that is used.
        results: the rows of ``results.csv`` of that wave.
        characteristics: the rows of ``characteristics.csv`` of that wave.
        texts: the study's English texts; empty in a release without them.
    """

    name: str
    release: str
    manifest: Mapping[str, Any]
    manifest_sha256: str
    protocol: Mapping[str, Any]
    wave: str
    results: pd.DataFrame
    characteristics: pd.DataFrame
    texts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def synthetic(self) -> bool:
        """Whether its people are simulated."""
        return bool(self.manifest.get("synthetic", False))

    @property
    def title(self) -> str:
        """The study's title."""
        return str(self.protocol.get("study", {}).get("title", self.release))

    @property
    def outcome(self) -> str:
        """What the study calls its outcome in a sentence; ``the outcome`` in a release without texts."""
        return str(self.texts.get("outcome", {}).get("name", "the outcome"))

    @property
    def covariates(self) -> tuple[str, ...]:
        """The covariates of the fully adjusted model."""
        return tuple(self.protocol.get("models", {}).get("adjusted", ()))

    @property
    def follow_up_years(self) -> float | None:
        """Mean follow-up of the analyzed people, if the release has it."""
        rows = self.characteristics
        means = rows.loc[(rows["variable"] == "follow_up_years") & (rows["category"] == "all"), "mean"].dropna()
        return float(means.iloc[0]) if len(means) else None


def read_cohort(folder: Path, name: str, which: WhichWave = "first") -> Cohort:
    """Read one release.

    Args:
        folder: the release's folder.
        name: what tables and figures call the cohort.
        which: which follow-up wave to use, if the release has several. Waves of one cohort share people, so that only
            one of them can be combined with other cohorts.

    Raises:
        PoolError: it is not a release, a file is missing, or a file is not as it was published.
    """
    if not (folder / MANIFEST).is_file():
        raise PoolError(f"{folder} is not a release: it has no {MANIFEST}")
    content = (folder / MANIFEST).read_bytes()
    try:
        facts = dict(json.loads(content))
    except ValueError as error:
        raise PoolError(f"the manifest of {folder.name} cannot be read") from error
    results = _results(folder, facts)
    waves = sorted(set(results["wave"]) - {ALL_WAVES})
    if not waves:
        raise PoolError(f"{folder.name}: results.csv has no follow-up wave")
    wave = waves[0] if which == "first" else waves[-1]
    characteristics = _table(folder, "characteristics.csv", facts)
    return Cohort(
        name,
        str(facts.get("release", folder.name)),
        facts,
        hashlib.sha256(content).hexdigest(),
        _protocol(folder, facts),
        wave,
        results[results["wave"] == wave].reset_index(drop=True),
        characteristics[characteristics["wave"] == wave].reset_index(drop=True),
        _texts(folder, facts),
    )


def _results(folder: Path, facts: Mapping[str, Any]) -> pd.DataFrame:
    results = _table(folder, "results.csv", facts)
    missing = [column for column in RESULT_COLUMNS if column not in results]
    if missing:
        raise PoolError(f"{folder.name}: results.csv has no column {missing[0]}")
    texts = [column for column, kind in RESULT_COLUMNS.items() if kind == "str"]
    results[texts] = results[texts].fillna("").astype(str)
    return results


def _table(folder: Path, file: str, facts: Mapping[str, Any]) -> pd.DataFrame:
    content = _published(folder, file, facts)
    texts: dict[str, Any] = {"keep_default_na": False, "na_values": [""]}
    try:
        return pd.read_csv(BytesIO(content), **texts)
    except ValueError as error:
        raise PoolError(f"{folder.name}: {file} cannot be read") from error


def _protocol(folder: Path, facts: Mapping[str, Any]) -> dict[str, Any]:
    text = _published(folder, PROTOCOL, facts).decode("utf-8")
    try:
        return dict(json.loads(text))
    except ValueError as error:
        raise PoolError(f"{folder.name}: {PROTOCOL} cannot be read") from error


def _texts(folder: Path, facts: Mapping[str, Any]) -> dict[str, Any]:
    if TEXTS not in facts.get("files", {}):
        return {}
    try:
        return tomllib.loads(_published(folder, TEXTS, facts).decode("utf-8-sig"))
    except ValueError as error:
        raise PoolError(f"{folder.name}: {TEXTS} cannot be read") from error


def _published(folder: Path, file: str, facts: Mapping[str, Any]) -> bytes:
    """The bytes of a file, if they are those that the manifest names."""
    try:
        content = (folder / file).read_bytes()
    except OSError as error:
        raise PoolError(f"{folder.name}: {file} is missing from the release") from error
    if facts.get("files", {}).get(file) != hashlib.sha256(content).hexdigest():
        raise PoolError(f"{folder.name}: {file} is not as it was published (stegvis verify {folder})")
    return content
