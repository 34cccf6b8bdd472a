"""One raw pair to files, without the warehouse: epochs, days, a picture of the week, and how well it went.

The files hold one person's data and lie only where the caller said. Belongs here: what is written, and its summary.
Does not belong here: the science (``stegvis.accelerometry.pair_classification``), the drawing (``stegvis.reporting.week``).
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stegvis.accelerometry.activity import ActivityCode
from stegvis.accelerometry.pair_classification import PairResult


@dataclass(frozen=True)
class PairFiles:
    """Where the parts of a classified pair go: beside each other, named after the epochs."""

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


def write_pair(result: PairResult, files: PairFiles, epoch_seconds: int, *, picture: bool) -> list[Path]:
    """Write a classified pair, over what is there.

    Args:
        result: the pair.
        files: where to.
        epoch_seconds: length of an epoch, s.
        picture: whether to draw the week.

    Returns:
        The files written.

    Raises:
        OSError: one of them cannot be written.
    """
    result.epochs.to_parquet(files.epochs, index=False)
    result.days.to_csv(files.days, index=False)
    quality = {name: _plain(value) for name, value in result.quality.items()}
    problems = [problem._asdict() for problem in result.problems]
    files.quality.write_text(json.dumps({"problems": problems, "quality": quality}, indent=2) + "\n", encoding="utf-8")
    written = [files.epochs, files.days, files.quality]
    if picture:
        from stegvis.reporting.week import week_picture

        files.week.write_text(week_picture(result.epochs, result.days, epoch_seconds), encoding="utf-8")
        written.append(files.week)
    return written


def pair_summary(result: PairResult, written: list[Path]) -> dict[str, Any]:
    """What came of a pair in counts and minutes, and the files: what the command prints."""
    totals = result.days[[code.name.lower() for code in ActivityCode]].sum()
    return {
        "epochs": len(result.epochs),
        "days": len(result.days),
        "valid_days": int(result.days["valid"].sum()),
        "minutes": {name: round(seconds / 60) for name, seconds in totals.items()},
        "synchronized": result.quality["synchronization"] == "synchronized",
        "problems": [problem._asdict() for problem in result.problems],
        "files": [str(file) for file in written],
    }


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and math.isnan(value) else value
