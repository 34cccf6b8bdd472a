"""Write the results of one raw pair without a warehouse: epochs, days, quality, and a picture of the week.

The files hold one person's data and are written only where the caller says.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

import stegvis.sql
from stegvis.accelerometry.activity import ActivityCode, SpeedCode
from stegvis.accelerometry.daily_walks import daily_walks
from stegvis.accelerometry.mixed_epochs import split_mixed
from stegvis.accelerometry.pair_classification import PairResult
from stegvis.storage.day_sums import day_table
from stegvis.study.protocol import Protocol


@dataclass(frozen=True)
class PairFiles:
    """The files of a classified pair: in one folder, named after the file of epochs."""

    epochs: Path

    @property
    def days(self) -> Path:
        return self._beside("days.csv")

    @property
    def week(self) -> Path:
        return self._beside("week.svg")

    @property
    def quality(self) -> Path:
        return self._beside("quality.json")

    def _beside(self, what: str) -> Path:
        return self.epochs.with_name(f"{self.epochs.stem}_{what}")


def days_of(result: PairResult, protocol: Protocol) -> pd.DataFrame:
    """The days of a classified pair: ``stegvis.storage.day_sums.day_table``, then ``weekday`` and ``daily_walks``."""
    select = Path(stegvis.sql.__file__).with_name("daily_exposures.sql").read_text(encoding="utf-8")
    epochs = split_mixed(result.epochs, result.mixed, protocol.epochs.seconds)
    days = day_table(epochs, protocol, select)
    walks = daily_walks(epochs).reindex(days["date"], fill_value=0)
    return pd.concat([days.assign(weekday=days["date"].dt.day_name()), walks.reset_index(drop=True)], axis=1)


def write_pair(
    result: PairResult,
    days: pd.DataFrame,
    files: PairFiles,
    epoch_seconds: int,
    *,
    picture: bool,
    person: str | None = None,
) -> list[Path]:
    """Write a classified pair; existing files are replaced.

    Args:
        result: the pair.
        days: its days.
        files: where to write.
        epoch_seconds: length of an epoch, s.
        picture: whether to draw the week.
        person: whose week it is, for a column ``person``; without it nothing names the person.

    Returns:
        The files written.

    Raises:
        OSError: one of them cannot be written.
    """
    epochs = result.epochs.assign(walking_seconds=walking_seconds(result, epoch_seconds))
    in_words(epochs, person).to_parquet(files.epochs, index=False)
    days.to_csv(files.days, index=False)
    quality = {name: _plain(value) for name, value in result.quality.items()}
    problems = [problem._asdict() for problem in result.problems]
    files.quality.write_text(json.dumps({"problems": problems, "quality": quality}, indent=2) + "\n", encoding="utf-8")
    written = [files.epochs, files.days, files.quality]
    if picture:
        from stegvis.reporting.week import week_picture

        files.week.write_text(week_picture(result.epochs, days, epoch_seconds), encoding="utf-8")
        written.append(files.week)
    return written


def walking_seconds(result: PairResult, epoch_seconds: int) -> NDArray[np.uint8]:
    """Seconds of walking in each epoch (k,); of an epoch that is not mixed, all or none."""
    seconds = np.where(result.epochs["activity"] == ActivityCode.WALKING, epoch_seconds, 0).astype(np.uint8)
    seconds[result.mixed.epoch] = (result.mixed.columns["activity"] == ActivityCode.WALKING).sum(axis=1)
    return seconds


def in_words(epochs: pd.DataFrame, person: str | None) -> pd.DataFrame:
    """Epochs as they are written: activity and speed as the words of the delivery contract, never as numbers.

    Numbers would be read as those of another list of labels. Speed is missing where nobody walks.
    """
    activities = {int(code): code.name.lower() for code in ActivityCode}
    speeds = {int(code): code.name.lower() for code in SpeedCode if code is not SpeedCode.NOT_WALKING}
    words = epochs.assign(
        activity=epochs["activity"].map(activities).astype("str"), speed=epochs["speed"].map(speeds).astype("str")
    )
    if person is not None:
        words.insert(0, "person", person)
    return words


def pair_summary(result: PairResult, days: pd.DataFrame, written: list[Path]) -> dict[str, Any]:
    """The summary that the command prints: counts, minutes, problems and files."""
    totals = days[[code.name.lower() for code in ActivityCode]].sum()
    return {
        "epochs": len(result.epochs),
        "days": len(days),
        "valid_days": int(days["valid"].sum()),
        "minutes": {name: round(seconds / 60) for name, seconds in totals.items()},
        "synchronized": result.quality["synchronization"] == "synchronized",
        "problems": [problem._asdict() for problem in result.problems],
        "files": [str(file) for file in written],
    }


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and math.isnan(value) else value
