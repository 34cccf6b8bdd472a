"""The bridge of a release: why its main ratios differ from those of the release before."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

from stegvis.release.bridge import changed_values
from stegvis.release.bridge_steps import bridge_steps, compared, edition_steps, of_method, protocol_before
from stegvis.statistics.levels import covariate_levels
from stegvis.storage.editions import CORRECTED
from stegvis.storage.pseudonym import FORM
from stegvis.storage.sources import Sources
from stegvis.storage.warehouse import table_exists

PROTOCOL = "protocol.json"


def results_of(release: Path | None) -> pd.DataFrame | None:
    """The results of a release; None if there is none, or no such file."""
    if release is None or not (release / "results.parquet").exists():
        return None
    return pd.read_parquet(release / "results.parquet")


def bridge_from(
    before: Path | None, sources: Sources, people: pd.DataFrame, results: pd.DataFrame, editions: Mapping[str, str]
) -> dict[str, Any]:
    """The main estimates' changes since the release before, by edition, or why they cannot be explained.

    Only new editions change. Those of another method have the same people, so their change is that of the method, and
    its standard error follows from their rows. Those of corrected data are one step without a number of people and
    without a standard error, from which the number would follow.

    Args:
        before: the release before.
        sources: of the release.
        people: whose data the release has.
        results: as published in it.
        editions: what kind of edition each wave is that is published for the first time (blank) or anew.
    """
    earlier = results_of(before)
    kinds = {wave: kind for wave, kind in editions.items() if kind}
    facts: dict[str, Any] = {"steps": [], "protocol_changes": [], "note": "", "editions": kinds}
    if before is None or earlier is None:
        return facts | {"note": "there is no release before"}
    corrected = [wave for wave, kind in kinds.items() if kind == CORRECTED]
    facts["steps"] = [asdict(each) for each in edition_steps(earlier, results, corrected, CORRECTED)]
    values = json.loads((before / PROTOCOL).read_text(encoding="utf-8")) if (before / PROTOCOL).exists() else {}
    facts["protocol_changes"] = changed_values(values, sources.protocol.model_dump(mode="json")) if values else []
    then_people = _people_behind(sources, before.name)
    if then_people is None or _is_named_otherwise(then_people, people):
        return facts | {"note": "the rows behind the release before are not kept here"}
    lacking = [name for name in compared(sources.protocol) if name not in then_people]
    if lacking:
        return facts | {"note": f"the rows behind the release before have no {', '.join(lacking)}"}
    try:
        then = protocol_before(values, sources.protocol)
    except (KeyError, ValueError):
        return facts | {"note": "the protocol of the release before is not of a form that this version reads"}
    same = [wave for wave in kinds if wave not in corrected]
    found = bridge_steps(
        then_people[then_people["wave"].isin(same)],
        people[people["reason"].isna() & people["wave"].isin(same)],
        earlier[earlier["wave"].isin(same)],
        results,
        then,
        sources.protocol,
        covariate_levels(sources.codebook),
    )
    facts["steps"] += [asdict(of_method(each)) for each in found]
    return facts


def _is_named_otherwise(then: pd.DataFrame, now: pd.DataFrame) -> bool:
    """Whether one has identifiers and the other pseudonyms: nobody could be found again."""
    return bool(then["person"].str.fullmatch(FORM).all() != now["person"].str.fullmatch(FORM).all())


def _people_behind(sources: Sources, release: str) -> pd.DataFrame | None:
    """The people behind a release; None when the warehouse has those of another one, or of none."""
    with sources.warehouse.session() as connection:
        if not table_exists(connection, "released_people") or not table_exists(connection, "release"):
            return None
        names = {row[0] for row in connection.execute("select distinct release from release").fetchall()}
        if names != {release}:
            return None
        return connection.execute("select * from released_people order by wave, person").df()
