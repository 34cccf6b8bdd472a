"""Writes the twin as complete deliveries, in the files, columns and codes of a real one, with the truth beside them.

Belongs here: codes, drops and ``truth.json``. Does not belong here: any model of people or pain (the other modules of
this package), how files are written (``files``), what is wrong on purpose (``faults``), reading deliveries.

Same arguments give the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from stegvis.study.codebook import LayoutName, codebook
from stegvis.study.protocol import protocol
from stegvis.twin.draws import Flags, stream
from stegvis.twin.epochs import delivered_tables, wear
from stegvis.twin.expected import category_log_risk_ratios
from stegvis.twin.faults import RAW_FAULTS, Fault, Good, TooFewPeopleError, plant_faults, plant_raw_faults
from stegvis.twin.files import complete, parquet_options, write_drop, write_table
from stegvis.twin.observed import Observed, counts_as_walking, observe, quartile_cuts
from stegvis.twin.outcome import Wave, draw_waves, first_delivery, true_log_risk_ratios
from stegvis.twin.parameters import DEFAULT_SEED, Parameters, parameters
from stegvis.twin.population import DISEASES, Population, draw_population
from stegvis.twin.raw import write_raw_pair
from stegvis.twin.raw_days import RawDay, draw_raw_day
from stegvis.twin.signals import draw_signal
from stegvis.twin.walking import ACTIVITIES, Days, draw_days, draw_habits

BASELINE_DROP, WITHDRAWALS_DROP = "2019-06", "2024-01"
# The suffix of the wave's second delivery.
CORRECTION = "2"
EPOCHS_BATCH, SIGNALS_BATCH, RAW_BATCH = "epochs", "signals", "raw"
PUBLISHED_PEOPLE = 56042

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Truth:
    """What the twin knows of itself: sizes, effects and counts, never a person.

    Attributes:
        sizes: the arguments of ``write_twin``.
        balanced: whether the first wave was drawn by balanced sampling.
        parameters_sha256: digest of the parameters' values.
        log_risk_ratios: the model's, by term, on the scale of habitual walking.
        category_log_risk_ratios: per wave and exposure, of quarters 2, 3 and 4 of the recorded walking against 1, as
            the adjusted model of these people has them when it sees true risks; none if there are too few people.
        people: counts of the baseline.
        waves: per wave, people left after each exclusion step, the analyzed, their cases and their mean true risk; the
            women among them, age, valid days and quartile cuts; answers in all, late, and corrected.
        raw: of each raw pair a number, its clocks and rates, and minutes of each activity.
        faults: every planted fault, and the rule that should name it.
    """

    seed: int
    balanced: bool
    sizes: dict[str, int]
    parameters_sha256: str
    log_risk_ratios: dict[str, float]
    category_log_risk_ratios: dict[str, dict[str, tuple[float, float, float]]]
    people: dict[str, int]
    waves: dict[str, dict[str, float]]
    raw: list[dict[str, float]] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)


def write_twin(
    out: Path,
    people: int = PUBLISHED_PEOPLE,
    waves: int = 2,
    epochs: int = 0,
    signals: int = 0,
    seed: int = 1,
    progress: Progress = lambda message: None,
    balanced: bool | None = None,
    raw: int = 0,
    faults: bool = False,
) -> Truth:
    """Write the deliveries of a synthetic cohort under ``out``, and its ``truth.json``.

    With two waves or more the first wave has a second delivery, ``<wave>.2``: late answers and corrected rows.

    Args:
        out: folder to write to; made if missing, and must be empty.
        people: participants at baseline, withdrawals not counted; every other count scales with it.
        waves: follow-up waves.
        epochs: people whose recording comes as 5-second epochs instead of day totals.
        signals: people whose recording comes as an hour of 50 Hz signal instead.
        seed: of every random stream.
        progress: told about each step, without any person's data.
        balanced: draw the first wave by balanced sampling, so that counts and estimates are the expected ones; by
            default for the default seed alone, every other seed varying as sampling theory says. Cohorts too small to
            balance are drawn plainly.
        raw: people whose recording comes as a raw pair of one day instead.
        faults: plant, beside the good deliveries, each fault a delivery can have, and with ``raw`` those of raw pairs.

    Raises:
        FileExistsError: ``out`` holds something already; a delivery is never modified.
        TooFewPeopleError: for the recordings or the faults that are asked for.
        ValueError: a size is out of range.
    """
    if min(people - 1, waves - faults, epochs, signals, raw) < 0:
        raise ValueError("people must be at least 1, and waves if there are faults; all other sizes at least 0")
    if out.exists() and any(out.iterdir()):
        raise FileExistsError(f"{out.name} is not empty; the twin never writes over a delivery")
    model = parameters()
    progress(f"drawing {people:,} people")
    population = draw_population(people, seed, model)
    habits = draw_habits(population, seed, model)
    days = draw_days(population, habits, seed, model)
    valid_day, observed = counts_as_walking(days), observe(population, days)
    balanced = (seed == DEFAULT_SEED if balanced is None else balanced) and people >= model.cohort.smallest_balanced
    followup = draw_waves(population, habits, observed, waves, seed, model, balanced)
    told = list(followup)
    if waves == 1:
        # The correction comes with the next wave.
        told[0] = first_delivery(followup[0])

    out.mkdir(parents=True, exist_ok=True)
    progress("writing the baseline questionnaire")
    write_drop(out / "baseline" / BASELINE_DROP, {"participants.csv": _participants(population, days, seed)})
    full_day = valid_day & ~np.isnan(days.seconds).any(axis=2)
    faulty = len(RAW_FAULTS) if raw and faults else 0
    as_epochs, as_signals, as_raw, twice = _choose_levels(
        population, days, full_day, [epochs, signals, raw, faulty], seed
    )
    as_totals = ~(as_epochs | as_signals | as_raw)
    _write_day_totals(out, population, days, ~as_totals, seed, model, progress)
    if epochs:
        progress(f"writing 5-second epochs of {epochs:,} people")
        _write_epochs(out, population, days, as_epochs, seed, model)
    if signals:
        progress(f"writing 50 Hz signals of {signals:,} people")
        _write_signals(out, population, days, as_signals, seed, model)
    raw_days = [
        [draw_raw_day(person, first, days.seconds[row], full_day[row], seed, model.epochs)
         for row, person, first in _in_order(population, days, chosen)]
        for chosen in (as_raw, twice)
    ]  # fmt: skip
    pairs = _write_raw(out, raw_days[0], seed, progress) if raw else []
    _write_followup(out, population, followup, model, progress)
    _write_withdrawals(out, population)
    planted: list[Fault] = []
    if faults:
        progress("planting faults")
        planted += plant_faults(out, _good(population, days, as_totals, told, seed))
    if faulty:
        progress(f"planting faults in {faulty} raw pairs")
        planted += plant_raw_faults(out, raw_days[1], seed)

    truth = Truth(
        seed=seed,
        balanced=balanced,
        sizes={"people": people, "waves": waves, "epochs": epochs, "signals": signals, "raw": raw},
        parameters_sha256=model.digest,
        log_risk_ratios=true_log_risk_ratios(model),
        category_log_risk_ratios={wave.name: _contrasts(population, observed, wave) for wave in told},
        people={
            "generated": len(population),
            "withdrawn": int(population.flags("withdrawn").sum()),
            "participants": int((~population.flags("withdrawn")).sum()),
        },
        waves={wave.name: _flow(population, observed, wave) for wave in told},
        raw=pairs,
        faults=planted,
    )
    (out / "truth.json").write_text(json.dumps(asdict(truth), indent=2) + "\n", encoding="utf-8")
    return truth


# --- what is in the files -------------------------------------------------------------------------------------------


def _names(layout: LayoutName) -> dict[str, str]:
    """Canonical to delivered column names of one layout of the codebook."""
    return {name: column.source[0] for name, column in codebook()[layout].columns.items()}


def _participants(population: Population, days: Days, seed: int) -> pd.DataFrame:
    """The baseline questionnaire as delivered, in the codebook's columns and codes."""
    people, missing = population.people, population.missing
    # Former and current smoking each have two delivered codes (daily and occasional).
    second = stream(seed, "deliveries.smoking").random(len(population)) < 0.3
    smoking = np.select(
        [people["smoking"] == 0, people["smoking"] == 1], [0, np.where(second, 4, 1)], np.where(second, 3, 2)
    )
    back_pain, contradicts = population.flags("back_pain"), population.flags("screen_contradicts")
    screen = (back_pain & ~contradicts) | population.flags("other_pain")
    recorded_days = np.zeros(len(population), dtype=np.int64)
    recorded_days[days.rows] = days.recorded
    columns: dict[str, Any] = {
        "person": people["person"],
        "baseline_date": people["baseline_date"].dt.date,
        "sex": _integers(people["male"]),
        "age": people["age"],
        "employment": _integers(people["employed"], missing["employment"]),
        "smoking": _integers(smoking, missing["smoking"]),
        "depression_score": _integers(people["depression_score"], missing["depression_score"]),
        "pain_screen": _integers(screen, missing["pain_screen"]),
        "low_back_box": _integers(back_pain, missing["pain_screen"] | ~back_pain),
        "bmi_clinic": people["bmi"].mask(missing["bmi_clinic"]),
        "bmi_home": people["bmi"].mask(missing["bmi_home"]),
        "recorded_days": _integers(recorded_days, recorded_days == 0),
    }
    for name in ("education", "income", "work_type", "self_rated_health", "pain_last_4_weeks"):
        columns[name] = _integers(people[name] + 1, missing[name])
    columns["exercise_frequency"] = _integers(people["exercise"] + 1, missing["exercise"])
    for name in DISEASES:
        columns[name] = _integers(people[name], missing[name])
    return _delivered(columns, "participants")


def _questionnaire(population: Population, wave: Wave, who: Flags) -> pd.DataFrame:
    """One wave's answers as delivered, one row per person of ``who`` (n,)."""
    screen = (wave.back_pain & ~wave.screen_contradicts) | wave.other_pain
    unanswered = ~wave.screen_answered
    columns = {
        "person": population.people["person"],
        "answer_date": pd.Series(wave.date).dt.date,
        "pain_screen": _integers(screen, unanswered),
        "low_back_box": _integers(wave.back_pain, unanswered | ~wave.back_pain),
        "leisure_limited": _integers(wave.limited, unanswered | ~screen | wave.limited_missing),
    }
    return _delivered({name: values[who] for name, values in columns.items()}, "questionnaire")


def _day_totals(population: Population, days: Days, keep: Flags, seconds: np.ndarray) -> pd.DataFrame:
    """Day totals as delivered, one row per kept person, one column per activity and day."""
    columns: dict[str, Any] = {"person": population.people["person"].to_numpy()[days.rows[keep]]}
    for day in range(seconds.shape[1]):
        for place, activity in enumerate(ACTIVITIES):
            name = _names("days")[activity].format(day=day + 1)
            values = seconds[keep, day, place]
            columns[name] = _integers(np.nan_to_num(values), np.isnan(values))
    return pd.DataFrame(columns).sort_values("person", ignore_index=True)


def _delivered(columns: dict[str, Any], layout: LayoutName) -> pd.DataFrame:
    """Columns renamed and put in the codebook's order, rows in the order of the opaque identifiers."""
    names = _names(layout)
    frame = pd.DataFrame(columns)[list(names)].rename(columns=names)
    return frame.sort_values(names["person"], ignore_index=True)


def _integers(values: Any, missing: Flags | None = None) -> pd.Series:
    """Whole numbers, blank where missing."""
    whole = pd.Series(np.asarray(values)).astype("Int32")
    return whole if missing is None else whole.mask(missing)


def _choose_levels(
    population: Population, days: Days, full_day: Flags, sizes: list[int], seed: int
) -> tuple[Flags, Flags, Flags, Flags]:
    """Masks (m,) of the recorded people, of those with a full valid day (m, 7), chosen for each of four purposes.

    Epochs, signals, raw pairs, and faulty raw pairs, which come in addition to the day totals; nobody for two of them.
    """
    fit = np.flatnonzero(full_day.any(axis=1) & ~population.flags("withdrawn")[days.rows])
    if sum(sizes) > fit.size:
        raise TooFewPeopleError(
            f"epochs, signals and raw pairs together exceed the {fit.size:,} people with a full valid day"
        )
    order = stream(seed, "deliveries.levels").permutation(fit)
    # Epochs come of full weeks as long as there are any.
    order = order[np.argsort(days.recorded[order] < days.seconds.shape[1], kind="stable")]
    chosen = np.zeros((4, days.rows.size), dtype=bool)
    # Epochs from one end, the others from the other, so that asking for more epochs leaves them.
    chosen[0, order[: sizes[0]]] = True
    end = order.size
    for purpose, size in enumerate(sizes[1:], 1):
        chosen[purpose, order[end - size : end]] = True
        end -= size
    return chosen[0], chosen[1], chosen[2], chosen[3]


def _write_day_totals(
    out: Path, population: Population, days: Days, elsewhere: Flags, seed: int, model: Parameters, progress: Progress
) -> None:
    """The batches of day totals; a few people stand in two of them, the first time with fewer days."""
    batches = model.cohort.batches
    dates = population.people["baseline_date"].to_numpy()[days.rows]
    ends = np.array(batches.names, dtype="datetime64[M]")
    batch = np.minimum(np.searchsorted(ends, dates.astype("datetime64[M]"), side="left"), len(ends) - 1)
    drawn = stream(seed, "deliveries.redelivered").random(days.rows.size) < batches.redelivered_share
    again = drawn & (days.recorded > 1)
    shorter = days.seconds.copy()
    shorter[np.arange(shorter.shape[1]) >= (days.recorded // 2)[:, None]] = np.nan
    for number, (name, suffix) in enumerate(zip(batches.names, batches.formats, strict=True)):
        early = ~elsewhere & again & (batch == number + 1)
        keep = (~elsewhere & (batch == number)) | early
        if not keep.any():
            continue
        progress(f"writing day totals of batch {name}")
        seconds = np.where(early[:, None, None], shorter, days.seconds)
        write_drop(out / "recordings" / name, {f"days.{suffix}": _day_totals(population, days, keep, seconds)})


def _write_epochs(out: Path, population: Population, days: Days, chosen: Flags, seed: int, model: Parameters) -> None:
    """The batch of 5-second epochs: every recorded day of each chosen person, people in order."""
    folder = out / "recordings" / EPOCHS_BATCH
    folder.mkdir(parents=True)
    rows, people, first = zip(*_in_order(population, days, chosen), strict=True)
    worn = wear(people, np.array(first), days.seconds[list(rows)], seed, model.epochs)
    writer: pq.ParquetWriter | None = None
    with (folder / "epochs.parquet").open("wb") as sink:
        for table in delivered_tables(worn, seed, model.epochs):
            # Without Arrow's own schema the words are plain text to whoever reads them.
            writer = writer or pq.ParquetWriter(
                sink, table.schema, store_schema=False, **parquet_options("epoch_start")
            )
            writer.write_table(table)
        if writer:
            writer.close()
    complete(folder)


def _write_signals(out: Path, population: Population, days: Days, chosen: Flags, seed: int, model: Parameters) -> None:
    """The batch of 50 Hz signals: one hour on the morning after the clinic, one file per person."""
    folder = out / "recordings" / SIGNALS_BATCH
    folder.mkdir(parents=True)
    for _, person, first in _in_order(population, days, chosen):
        rng = stream(seed, f"signals.{person}")
        frame, _ = draw_signal(first.astype("datetime64[ms]") + np.timedelta64(9, "h"), model.signals, rng)
        write_table(frame, folder / f"{person}.parquet")
    complete(folder)


def _write_raw(out: Path, days: list[RawDay], seed: int, progress: Progress) -> list[dict[str, float]]:
    """The batch of raw pairs, one day of each person, and what is true of each pair by its number."""
    folder = out / "recordings" / RAW_BATCH
    folder.mkdir(parents=True)
    pairs: list[dict[str, float]] = []
    for number, day in enumerate(days, 1):
        progress(f"writing raw pair {number} of {len(days)}")
        truth = write_raw_pair(folder, day.person, 1, seed, start=day.start, sequence=day.sequence)
        pairs.append({"pair": number} | truth.summary())
    complete(folder)
    return pairs


def _write_followup(
    out: Path, population: Population, waves: list[Wave], model: Parameters, progress: Progress
) -> None:
    """Each wave's questionnaire; of the first also, once there is another, what its first delivery lacked."""
    for number, wave in enumerate(waves):
        progress(f"writing the follow-up of {wave.name}")
        name = f"questionnaire.{model.followup.formats[number % len(model.followup.formats)]}"
        told = first_delivery(wave)
        write_drop(out / "followup" / wave.name, {name: _questionnaire(population, told, told.answered)})
        mended = wave.late | wave.misread
        if number == 0 and len(waves) > 1 and mended.any():
            write_drop(out / "followup" / f"{wave.name}.{CORRECTION}", {name: _questionnaire(population, wave, mended)})


def _good(population: Population, days: Days, as_totals: Flags, told: list[Wave], seed: int) -> Good:
    """What was delivered well, of people who are not withdrawn, for faults to be planted among."""
    gone = population.people.loc[population.flags("withdrawn"), "person"]

    def left(table: pd.DataFrame) -> pd.DataFrame:
        return table[~table["person"].isin(gone)].reset_index(drop=True)

    return Good(
        participants=left(_participants(population, days, seed)),
        answers=left(_questionnaire(population, told[0], told[0].answered)),
        days=left(_day_totals(population, days, as_totals, days.seconds)),
        first_wave=told[0].name,
        after=int(told[-1].name.split("-")[-1]),
    )


def _in_order(population: Population, days: Days, chosen: Flags) -> list[tuple[int, str, np.datetime64]]:
    """Chosen recordings by person: row, identifier and the date of the first recorded day."""
    people = population.people.iloc[days.rows]
    first = people["baseline_date"].to_numpy().astype("datetime64[D]") + 1
    names = people["person"].to_numpy()
    return sorted(((int(row), str(names[row]), first[row]) for row in np.flatnonzero(chosen)), key=lambda r: r[1])


def _write_withdrawals(out: Path, population: Population) -> None:
    folder = out / "withdrawals"
    folder.mkdir(parents=True)
    file = folder / f"{WITHDRAWALS_DROP}.csv"
    gone = population.people.loc[population.flags("withdrawn"), ["person"]].sort_values("person")
    write_table(gone.rename(columns=_names("withdrawals")), file)
    complete(folder, folder / f"{WITHDRAWALS_DROP}.json")


# --- what is true ---------------------------------------------------------------------------------------------------


def _analyzed(population: Population, observed: Observed, wave: Wave) -> list[tuple[str, Flags]]:
    """The exclusion steps in order, each with the mask (n,) of who is left after it."""
    rules = {
        "no_accelerometer_day": population.flags("recorded"),
        "no_valid_walking_day": observed.valid,
        "baseline_screen_missing": population.pain_answered,
        "baseline_low_back_pain": ~population.flags("back_pain"),
        "followup_screen_missing": wave.screen_answered,
        "covariate_missing": population.complete,
    }
    left = ~population.flags("withdrawn")
    steps: list[tuple[str, Flags]] = []
    for step in protocol().exclusions.order:
        left = left & rules[step]
        steps.append((step, left))
    return steps


def _flow(population: Population, observed: Observed, wave: Wave) -> dict[str, float]:
    """People left after each exclusion step, as generated, and what is true of the analyzed."""
    steps = _analyzed(population, observed, wave)
    who = steps[-1][1]
    found: dict[str, float] = {step: int(left.sum()) for step, left in steps}
    found |= {"analyzed": int(who.sum()), "cases": int((who & wave.back_pain).sum()), "mean_true_risk": 0.0}
    found |= {"answers": int(wave.answered.sum())}
    found |= {"late_answers": int((wave.answered & wave.late).sum())}
    found |= {"corrected_answers": int((wave.answered & wave.misread).sum())}
    if not who.any():
        return found
    age = population.numbers("age")[who]
    found["mean_true_risk"] = float(wave.risk[who].mean())
    found |= {"women": int((who & ~population.flags("male")).sum()), "mean_age": float(age.mean())}
    found |= {"sd_age": float(age.std(ddof=1)) if age.size > 1 else 0.0}
    found |= {"mean_valid_days": float(observed.valid_days[who].mean())}
    for name, values in (("walking_minutes", observed.volume), ("walking_met", observed.intensity)):
        found |= {f"{name}_cut_{k}": cut for k, cut in enumerate(quartile_cuts(values[who]).tolist(), 1)}
    return found


def _contrasts(population: Population, observed: Observed, wave: Wave) -> dict[str, tuple[float, float, float]]:
    """The category contrasts of the wave's analyzed people; none where the adjusted model has too few of them."""
    try:
        return category_log_risk_ratios(population, observed, _analyzed(population, observed, wave)[-1][1], wave.risk)
    except ValueError:
        return {}
