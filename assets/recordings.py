"""recordings: one row per recording of a batch, whatever its level: raw pair, signal, epochs or day totals.

Day totals are small and are kept beside it, in the table ``delivered_days``, published in the same transaction.
"""

from __future__ import annotations

import hashlib
from typing import Any

import pandas as pd

from assets.building.build import Build
from assets.building.delivered import Delivered, read_file
from assets.building.recipe import Recipe, Rows, sql_text
from storage.delivered_epochs import delivered_epochs, people_of, problems_of, rows_of
from storage.landing import Drop, LandedFile
from storage.reading import TABLE_ENDINGS, UnreadableFile
from study.codebook import codebook
from study.contract import contract_days, contract_signal

COLUMNS = {
    "batch": "string",
    "person": "string",
    "level": "string",
    "delivery": "string",
    "file": "string",
    "sha256": "string",
    "start": "datetime64[us]",
    "hours": "float64",
    "status": "string",
    "reason": "string",
}
DAY_COLUMNS = [
    "person", "day", "lying", "sitting", "standing", "walking_slow", "walking_moderate", "walking_brisk", "walking",
    "running", "cycling",
]  # fmt: skip
FINEST_FIRST = ["raw", "signal", "epochs", "days"]
# Between the two file names of a raw pair.
BOTH = " + "


def make(build: Build) -> Rows:
    """Every recording of the batch, each read once and held to its contract."""
    delivered = Delivered()
    found: list[dict[str, Any]] = []
    days: list[pd.DataFrame] = []
    for drop in build.drops:
        for place, file in enumerate(drop.files, start=1):
            found += _recordings(drop, file, delivered, days)
            if place % 50 == 0:
                build.log.info("read %d of %d files of %s", place, len(drop.files), drop.name)
    withdrawn = build.withdrawn()
    rows = pd.DataFrame(found, columns=list(COLUMNS)).assign(batch=build.key).astype(COLUMNS)
    rows = rows[~rows["person"].isin(withdrawn)].drop_duplicates(["person", "level", "status"], keep="last")
    rows = _mark_superseded(rows).sort_values(["person", "level"], ignore_index=True)
    totals = pd.concat(days, ignore_index=True) if days else _no_days()
    totals = totals.drop_duplicates(["person", "day"], keep="last")
    kept = rows.loc[(rows["level"] == "days") & (rows["status"] == "accepted"), "person"]
    totals = totals[totals["person"].isin(kept)].sort_values(["person", "day"], ignore_index=True)
    totals.insert(0, "batch", build.key)
    accepted = int((rows["status"] == "accepted").sum())
    return Rows(
        rows,
        delivered.summary() | {"recordings_accepted": accepted, "recordings_refused": len(rows) - accepted},
        delivered.all_problems(),
        also={"delivered_days": totals.astype({"batch": "string"})},
    )


def _recordings(drop: Drop, file: LandedFile, delivered: Delivered, days: list[pd.DataFrame]) -> list[dict[str, Any]]:
    label = f"{drop.name}/{file.name}"
    common = {"delivery": drop.name, "file": file.name, "sha256": file.sha256, "status": "accepted", "reason": None}
    if file.path.suffix.lower() == ".cwa":
        return _raw(drop, file, label, delivered)
    if file.path.suffix.lower() not in TABLE_ENDINGS:
        delivered.refuse(label, "unknown_file", "not a recording: expected day totals, epochs, a signal or a raw pair")
        return []
    if file.path.stem == "days":
        return [common | facts for facts in _days(file, label, delivered, days)]
    if file.path.stem == "epochs":
        return [common | facts for facts in _epochs(file, label, delivered)]
    return [common | _signal(file, label, delivered)]


def _days(file: LandedFile, label: str, delivered: Delivered, days: list[pd.DataFrame]) -> list[dict[str, Any]]:
    if not read_file(file.path, label, codebook()["days"], delivered, contract_days):
        return []
    frame = delivered.frames.pop()
    days.append(frame[DAY_COLUMNS])
    per_person = frame.groupby("person", sort=False).size()
    return [{"person": person, "level": "days", "hours": 24.0 * count} for person, count in per_person.items()]


def _epochs(file: LandedFile, label: str, delivered: Delivered) -> list[dict[str, Any]]:
    try:
        with delivered_epochs(file.path, codebook()["epochs"], sql_text("delivered_epochs")) as connection:
            problems, people, rows = problems_of(connection, label), people_of(connection), rows_of(connection)
    except UnreadableFile as error:
        delivered.refuse(label, "unreadable", error.reason)
        return []
    delivered.files_read += 1
    delivered.rows_read += rows
    delivered.rows_quarantined += len(problems)
    delivered.problems.append(problems)
    return [dict(facts) | {"level": "epochs"} for _, facts in people.iterrows()]


def _signal(file: LandedFile, label: str, delivered: Delivered) -> dict[str, Any]:
    facts: dict[str, Any] = {"person": file.path.stem, "level": "signal"}
    if not read_file(file.path, label, codebook()["signal"], delivered, contract_signal, infer_types=True):
        return facts | {"status": "refused", "reason": delivered.problems[-1]["message"].iloc[0]}
    stamps = delivered.frames.pop()["timestamp"]
    hours = (stamps.iloc[-1] - stamps.iloc[0]).total_seconds() / 3600
    return facts | {"start": stamps.iloc[0], "hours": hours}


def _raw(drop: Drop, file: LandedFile, label: str, delivered: Delivered) -> list[dict[str, Any]]:
    """The pair, told once, with its back half; what is in the files is found out when they are classified."""
    halves = {half: file.path.stem.removesuffix(half) for half in ("_back", "_thigh") if file.path.stem.endswith(half)}
    if not halves:
        delivered.refuse(label, "unknown_file", "a raw recording is named <person>_back.cwa or <person>_thigh.cwa")
        return []
    ((half, person),) = halves.items()
    other = next((f for f in drop.files if f.path.stem == person + ("_thigh" if half == "_back" else "_back")), None)
    facts = {"person": person, "level": "raw", "delivery": drop.name}
    if other is None:
        reason = "the other half of the raw pair is missing"
        delivered.refuse(label, "half_missing", reason)
        return [facts | {"file": file.name, "sha256": file.sha256, "status": "refused", "reason": reason}]
    if half == "_thigh":
        return []
    delivered.files_read += 2
    both = hashlib.sha256(f"{file.sha256}{other.sha256}".encode()).hexdigest()
    return [facts | {"file": f"{file.name}{BOTH}{other.name}", "sha256": both, "status": "accepted", "reason": None}]


def _mark_superseded(rows: pd.DataFrame) -> pd.DataFrame:
    """Of a person's accepted recordings in the batch only the finest level is used."""
    accepted = rows["status"] == "accepted"
    rank = rows["level"].map({level: place for place, level in enumerate(FINEST_FIRST)})
    finest = rank.where(accepted).groupby(rows["person"]).transform("min")
    superseded = accepted & (rank > finest)
    rows.loc[superseded, "status"] = "superseded"
    rows.loc[superseded, "reason"] = "the batch holds a finer recording of the same person"
    return rows


def _no_days() -> pd.DataFrame:
    numbers = dict.fromkeys(DAY_COLUMNS[2:], "float64")
    return pd.DataFrame(columns=DAY_COLUMNS).astype({"person": "string", "day": "int64"} | numbers)


RECIPE = Recipe(
    name="recordings",
    group="deliveries",
    description="One row per recording of a batch: level (raw, signal, epochs, days), hash, start, hours and status. "
    "Delivered day totals are kept beside it.",
    partition="batch",
    upstream=("withdrawals",),
    make=make,
    delivery="recordings",
    codebook=("days", "epochs", "signal"),
    protocol=("days.days_per_recording", "days.seconds_per_day", "days.speed_sum_tolerance_seconds"),
    files=("sql/delivered_epochs.sql",),
    kinds=frozenset({"duckdb", "parquet"}),
)  # fmt: skip
