"""From release folders to a combination, and from a combination to its files."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from stegvis.pooling.cohorts import Cohort, WhichWave, read_cohort
from stegvis.pooling.combining import Combination, combine_cohorts
from stegvis.pooling.estimand import must_agree
from stegvis.pooling.page import PAGE, render_pooled
from stegvis.pooling.tables import cohorts_table, pooled_table


def pool_releases(
    folders: Sequence[Path], names: Sequence[str] | None = None, which: WhichWave = "first"
) -> tuple[list[Cohort], Combination]:
    """Read releases, check that they can be combined, and combine them.

    Args:
        folders: one release of each cohort.
        names: what to call the cohorts; by default the titles of their studies, or the releases' names where titles
            are the same.
        which: the follow-up wave of a release that has several.

    Raises:
        PoolError: a release cannot be read, the releases do not estimate the same thing or share people, or they have
            no ratio in common.
    """
    cohorts = [read_cohort(folder, folder.name, which) for folder in folders]
    must_agree(cohorts)
    titles = [cohort.title for cohort in cohorts]
    unique = titles if len(set(titles)) == len(titles) else [cohort.release for cohort in cohorts]
    named = [_renamed(cohort, name) for cohort, name in zip(cohorts, names or unique, strict=True)]
    return named, combine_cohorts(named)


def write_combination(
    out: Path, cohorts: Sequence[Cohort], combination: Combination
) -> tuple[list[Path], pd.DataFrame]:
    """Write the page, the two tables and ``inputs.json``; returns the files, and the combined ratios."""
    table = pooled_table(combination)
    page = render_pooled(combination, cohorts)
    inputs = [
        {"cohort": c.name, "release": c.release, "wave": c.wave, "manifest_sha256": c.manifest_sha256} for c in cohorts
    ]
    out.mkdir(parents=True, exist_ok=True)
    files = [out / PAGE, out / "pooled.csv", out / "cohorts.csv", out / "inputs.json"]
    files[0].write_text(page, encoding="utf-8")
    table.to_csv(files[1], index=False)
    cohorts_table(combination).to_csv(files[2], index=False)
    files[3].write_text(json.dumps(inputs, indent=2) + "\n", encoding="utf-8")
    return files, table


def _renamed(cohort: Cohort, name: str) -> Cohort:
    return replace(cohort, name=name)
