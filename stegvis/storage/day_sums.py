"""The days of one classified pair without a warehouse, by the same SELECT that makes ``daily_exposures``."""

from __future__ import annotations

import re

import duckdb
import pandas as pd
import pyarrow as pa

from stegvis.accelerometry.activity import ActivityCode, SpeedCode
from stegvis.storage.bouts import BOUTS, EPOCHS, LENGTH, bouts_of
from stegvis.storage.lake import views_of
from stegvis.study.protocol import Protocol

# The rules of a day as ``stegvis classify`` names them, and as ``daily_exposures`` does.
DAY_RULES = {"as_published": "valid_as_published", "whole_day": "valid_whole_day", "worn": "valid_worn"}

_ACTIVITIES = [code.name.lower() for code in ActivityCode if code is not ActivityCode.NONWEAR]
_SPEEDS = [f"walking_{code.name.lower()}" for code in SpeedCode if code is not SpeedCode.NOT_WALKING]
_SECONDS = ["nonwear", *_ACTIVITIES, *_SPEEDS, "wear_back", "wear_thigh"]
_VARIABLE = re.compile(r"getvariable\(\s*'([a-z_]+\.[a-z_]+)'\s*\)")
# The columns of ``delivered_days`` that the SELECT reads.
_DAY_TOTALS = ", ".join(f"null::double as {name}" for name in [*_ACTIVITIES, *_SPEEDS])

# ``daily_exposures`` has no row for a date without any activity, and no non-wear.
_WEAR = """
select
    start::date as date,
    coalesce(sum(seconds) filter (where activity_in_words(activity) = 'nonwear'), 0) as nonwear,
    coalesce(sum(seconds) filter (where wear_back), 0) as wear_back,
    coalesce(sum(seconds) filter (where wear_thigh), 0) as wear_thigh
from bouts
group by all
"""


def day_table(epochs: pd.DataFrame, protocol: Protocol, select: str) -> pd.DataFrame:
    """One row per device-local date of a recording.

    Args:
        epochs: one row per epoch: ``epoch_start`` datetime64, ``activity`` and ``speed`` codes, ``wear_back`` and
            ``wear_thigh`` bool; ``seconds`` if they differ in length (``mixed_epochs.split_mixed``).
        protocol: the epoch length, and when a day is valid.
        select: the text of ``sql/daily_exposures.sql``.

    Returns:
        ``date`` datetime64[s]; int64 seconds ``nonwear``, ``lying`` ... ``cycling``, ``walking_slow`` ...,
        ``wear_back``, ``wear_thigh``; bool ``as_published``, ``whole_day``, ``worn`` (whether the day is valid by each
        rule of the protocol) and ``valid`` (by the rule in force).
    """
    columns = ["epoch_start", "activity", "speed", "wear_back", "wear_thigh"]
    given = epochs[[name for name in (*columns, LENGTH.name) if name in epochs]].assign(person="", confidence=0)
    schema = pa.schema([field for field in (*EPOCHS, LENGTH) if field.name in given])
    rows = pa.Table.from_pandas(given, schema=schema, preserve_index=False)
    bouts = [part.cast(BOUTS) for part in bouts_of([rows], protocol.epochs.seconds)]
    with duckdb.connect() as connection:
        connection.register(
            "given", pa.Table.from_batches([batch for part in bouts for batch in part.to_batches()], BOUTS)
        )
        views_of(connection, protocol.epochs.seconds, "select * from given")
        connection.execute(
            f"create temp table delivered_days as select '' as batch, '' as person, 1 as day, {_DAY_TOTALS} limit 0"
        )
        days = _exposures(connection, protocol, select).drop(columns=["wear_back", "wear_thigh"])
        wear = connection.execute(_WEAR).df()
    table = wear.merge(days, on="date", how="left").sort_values("date", ignore_index=True)
    table["date"] = table["date"].astype("datetime64[s]")
    seconds = table[_SECONDS].fillna(0).astype("int64")
    rules = table[[*DAY_RULES.values(), "valid"]].astype("boolean").fillna(False).astype(bool)
    rules = rules.rename(columns={column: rule for rule, column in DAY_RULES.items()})
    return pd.concat([table[["date"]], seconds, rules], axis=1)


def day_rules(totals: pd.DataFrame, protocol: Protocol, select: str) -> pd.DataFrame:
    """Whether each day of one recording is valid by each rule of the protocol.

    Args:
        totals: seconds ``lying`` ... ``cycling``, one row per day.
        protocol: when a day is valid.
        select: the text of ``sql/daily_exposures.sql``.

    Returns:
        bool, indexed like ``totals``: ``as_published`` (each of the protocol's activities above zero), ``whole_day``
        (24 hours), ``worn`` (at least the protocol's hours).
    """
    given = totals.assign(batch="", person="", day=range(len(totals)), **dict.fromkeys(_SPEEDS, 0))
    with duckdb.connect() as connection:
        connection.register("delivered_days", given)
        views_of(connection, protocol.epochs.seconds)
        days = _exposures(connection, protocol, select).sort_values("day")
    rules = days[list(DAY_RULES.values())].astype(bool).set_axis(list(DAY_RULES), axis=1)
    return rules.set_axis(totals.index, axis=0)


def _exposures(connection: duckdb.DuckDBPyConnection, protocol: Protocol, select: str) -> pd.DataFrame:
    connection.execute("set variable batch = ''")
    for name in sorted(set(_VARIABLE.findall(select))):
        connection.execute(f'set variable "{name}" = ?', [protocol.value(name)])
    return connection.execute(select).df()
