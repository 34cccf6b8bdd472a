"""Day totals in every shape and unit, tables of named programs, and epochs of another length, through ``validate``.

The codebook is the study's with another ``[days]``; the command reads the codebook of the package, so the reader is
called as ``validate`` and the refresh call it, and what needs no other codebook goes through the command.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from stegvis.accelerometry.activity import ActivityCode, SpeedCode
from stegvis.deliveries.day_units import ACTIVITIES
from stegvis.orchestration.classify import in_words
from stegvis.orchestration.cli import app
from stegvis.sql import sql_text
from stegvis.storage.delivered_files import DeliveredFile, DeliveryContract, read_delivered
from stegvis.storage.validation import validate_drop
from stegvis.study.codebook import Layout
from tests.study import CODEBOOK, PROTOCOL, home_with_study

MINUTES = {
    "lying": 480.0, "sitting": 540.0, "standing": 240.0, "walking_slow": 60.0, "walking_moderate": 30.0,
    "walking_brisk": 10.0, "walking": 100.0, "running": 20.0, "cycling": 60.0,
}  # fmt: skip


def contract(days: dict[str, object]) -> DeliveryContract:
    codebook = CODEBOOK.model_copy(update={"days": Layout.model_validate(days)})
    return DeliveryContract(codebook, PROTOCOL, sql_text("delivered_epochs"))


def layout(unit: str, day: str, **more: object) -> dict[str, object]:
    """A [days] with one row per person and day."""
    largest = {"s": 86400, "min": 1440}[unit]
    number = {"type": "number", "required": True, "range": [0, largest], "unit": unit}
    columns = {name: {"source": [name], **number} for name in ACTIVITIES}
    person = {"source": ["ID"], "type": "text", "required": True, "filled": True}
    when = {"source": ["when"], "type": day, "required": True, "filled": True}
    keyed = {"file": "days", "grain": "one row per person and day", "key": ["person", "day"]}
    return {**keyed, "columns": {"person": person, "day": when, **columns}, **more}


def long_table(factor: float, days: list[object]) -> pd.DataFrame:
    values = {name: minutes * factor for name, minutes in MINUTES.items()}
    return pd.DataFrame([{"ID": person, "when": day, **values} for person in ("A1", "A2") for day in days])


def read(table: pd.DataFrame, folder: Path, days: dict[str, object]) -> DeliveredFile:
    table.to_csv(folder / "days.csv", index=False)
    return read_delivered(folder / "days.csv", "days.csv", "days", contract(days))


def seconds(found: DeliveredFile) -> set[tuple[float, ...]]:
    return {tuple(row) for row in found.frame[list(ACTIVITIES)].to_numpy()}


WHOLE = {tuple(60 * minutes for minutes in MINUTES.values())}


@pytest.mark.parametrize(("unit", "factor"), [("min", 1), ("s", 60)])
@pytest.mark.parametrize(
    ("kind", "days"), [("number", [1, 2, 3]), ("date", ["2018-03-30", "2018-03-31", "2018-04-02"])]
)
def test_long_tables_by_number_or_date_in_minutes_or_seconds(
    tmp_path: Path, unit: str, factor: float, kind: str, days: list[object]
) -> None:
    found = read(long_table(factor, days), tmp_path, layout(unit, kind))
    assert found.problems.empty
    assert seconds(found) == WHOLE
    assert list(found.frame["day"]) == [1, 2, 3, 1, 2, 3]
    wide = read_delivered(wide_file(tmp_path), "days.csv", "days", contract(CODEBOOK.days.model_dump())).frame
    assert found.frame.dtypes.to_dict() == wide.dtypes.to_dict()
    assert list(found.frame) == list(wide)


def test_a_long_table_keeps_what_is_right(tmp_path: Path) -> None:
    table = long_table(1, [1, 2, 3])
    table.loc[0, "sitting"], table.loc[1, "sitting"], table.loc[2, "when"], table.loc[4, "when"] = 900, -1, 9, 1
    found = read(table, tmp_path, layout("min", "number"))
    assert set(found.problems["rule"]) == {"day_over_24_hours", "out_of_range", "day_number", "duplicate"}
    assert list(found.frame["source_row"]) == [5, 7]
    assert (found.rows_read, found.rows_quarantined) == (6, 4)


def test_a_wide_table_in_minutes(tmp_path: Path) -> None:
    days = CODEBOOK.days.model_dump()
    for name, column in days["columns"].items():
        if name != "person":
            column |= {"unit": "min", "range": (0, 1440)}
    found = read(wide_table(1), tmp_path, days)
    assert found.problems.empty
    assert seconds(found) == WHOLE


def wide_file(folder: Path) -> Path:
    """A table of the study's own shape."""
    wide_table(60).to_csv(folder / "wide.csv", index=False)
    return folder / "wide.csv"


def wide_table(factor: float) -> pd.DataFrame:
    names = dict(zip(ACTIVITIES, ("Ly", "Sit", "Stand", "Walk1", "Walk2", "Walk3", "Walk", "Run", "Cycl"), strict=True))
    cells = {f"{names[name]}TmD{day}": minutes * factor for day in range(1, 8) for name, minutes in MINUTES.items()}
    return pd.DataFrame([{"PID": person, **cells} for person in ("A1", "A2", "A3")])


def test_a_whole_table_in_minutes_stops_the_batch_with_that_sentence(tmp_path: Path) -> None:
    batch = tmp_path / "recordings" / "2018-02"
    batch.mkdir(parents=True)
    wide_table(1).to_csv(batch / "days.csv", index=False)
    CliRunner().invoke(app, ["seal", str(batch)])
    done = CliRunner().invoke(app, ["validate", str(batch), "--home", str(home_with_study(batch.parent).root)])
    assert done.exit_code == 1
    assert "the days of the whole table sum to about 1,440 instead of 86,400: they are in minutes" in done.output
    assert "days.csv: 0 of 21 rows fine" in done.output
    found = read(long_table(1, [1, 2]), tmp_path, layout("s", "number"))
    assert found.refused
    assert list(found.problems["rule"]) == ["minutes_not_seconds"]


ACTIPASS_DAY = {
    "QC_Status": "OK", "NonWear": 0, "ValidDuration": 1440, "SleepInterval": 440, "Lie": 40, "Sit": 540, "Stand": 180,
    "Move": 60, "Walk": 90, "Walk_Slow": 60, "Walk_Fast": 30, "Run": 20, "Stair": 10, "Cycle": 60, "NumSteps": 9000,
}  # fmt: skip


def test_the_daily_table_of_actipass(tmp_path: Path) -> None:
    rows = [{"SubjectID": 100001, "Date": f"2018-03-0{day}", **ACTIPASS_DAY} for day in (1, 2, 4)]
    rows.append(rows[0] | {"Date": "2018-03-05", "QC_Status": "NotOK"})
    found = read(pd.DataFrame(rows), tmp_path, layout("s", "date", reader="actipass"))
    assert list(found.frame["person"].unique()) == ["100001"]
    assert list(found.frame["day"]) == [1, 2, 3]
    minutes = dict(zip(ACTIVITIES, next(iter(seconds(found))), strict=True))
    assert {name: value / 60 for name, value in minutes.items()} == MINUTES | {
        "walking_moderate": 40, "walking_brisk": 0,
    }  # fmt: skip
    assert list(found.problems["rule"]) == ["quality"]
    other = read(long_table(1, [1]), tmp_path, layout("s", "date", reader="actipass"))
    assert other.refused
    assert "not the daily table of ActiPASS" in other.problems["message"].iloc[0]


def test_seconds_of_actimotus(tmp_path: Path) -> None:
    activities = np.repeat(["lie", "sit", "stand", "walk", "stairs", "bicycle", "run", "non-wear"], 100)
    times = pd.date_range("2018-03-01 23:55:00", periods=len(activities), freq="1s").astype("str")
    table = pd.DataFrame({"person": "A1", "datetime": times, "activity": activities})
    found = read(table, tmp_path, layout("s", "date", reader="actimotus"))
    assert found.problems.empty
    total = found.frame[list(ACTIVITIES)].sum()
    assert (total["walking"], total["lying"], total["cycling"], total["running"]) == (200, 100, 100, 100)
    assert list(found.frame["day"]) == [1, 2]
    assert found.frame["walking_slow"].isna().all()
    other = read(table.assign(activity="jumping"), tmp_path, layout("s", "date", reader="actimotus"))
    assert other.refused
    assert "jumping" not in " ".join(other.problems["message"])


def test_reports_of_ggir_are_refused_clearly(tmp_path: Path) -> None:
    table = pd.DataFrame({"ID": ["A1"], "calendar_date": ["2018-03-01"], "dur_day_total_IN_min": [600.0]})
    found = read(table, tmp_path, layout("s", "date", reader="ggir"))
    assert list(found.problems["rule"]) == ["no_posture"]
    assert "neither sitting, standing nor walking" in found.problems["message"].item()


def epochs(step: int, rows: int = 400) -> pd.DataFrame:
    times = pd.date_range("2018-03-01", periods=rows, freq=f"{step}s")
    return pd.DataFrame({"person": "A1", "epoch_start": times, "activity": "sitting"})


@pytest.mark.parametrize("step", [1, 10])
def test_epochs_of_another_length_are_refused(tmp_path: Path, step: int) -> None:
    batch = tmp_path / "recordings" / "2018-02"
    batch.mkdir(parents=True)
    epochs(step).to_parquet(batch / "epochs.parquet", index=False)
    CliRunner().invoke(app, ["seal", str(batch)])
    done = CliRunner().invoke(app, ["validate", str(batch), "--home", str(home_with_study(batch.parent).root)])
    assert done.exit_code == 1
    assert f"its epochs are {step} second" in done.output
    epochs(5).to_parquet(batch / "epochs.parquet", index=False)
    (batch / "drop.json").unlink()
    CliRunner().invoke(app, ["seal", str(batch)])
    assert (
        CliRunner().invoke(app, ["validate", str(batch), "--home", str(home_with_study(batch.parent).root)]).exit_code
        == 0
    )


def test_what_classify_writes_can_be_delivered(tmp_path: Path) -> None:
    """Words, so that no number is read as one of another list: 1 is lying here, and walking among the NTNU labels."""
    codes = np.repeat([int(code) for code in ActivityCode], 30)
    made = pd.DataFrame({
        "epoch_start": pd.date_range("2018-03-01", periods=len(codes), freq="5s").astype("datetime64[ms]"),
        "activity": codes.astype("uint8"),
        "speed": np.where(codes == ActivityCode.WALKING, SpeedCode.BRISK, SpeedCode.NOT_WALKING).astype("uint8"),
    })  # fmt: skip
    batch = tmp_path / "recordings" / "2018-02"
    batch.mkdir(parents=True)
    in_words(made, "A1").to_parquet(batch / "epochs.parquet", index=False)
    found = validate_drop(batch, DeliveryContract(CODEBOOK, PROTOCOL, sql_text("delivered_epochs")))
    assert set(found.problems["rule"]) == {"no_manifest"}
    assert found.summary.to_dict("records") == [{"file": "epochs.parquet", "rows_read": 210, "rows_fine": 210}]
    written = pd.read_parquet(batch / "epochs.parquet")
    assert list(written["activity"].value_counts()) == [30] * 7
    assert set(written["speed"].dropna()) == {"brisk"}
    assert "person" not in in_words(made, None)
