"""Writes the twin as complete deliveries, in the files, columns and codes of real ones, with the truth beside them."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from stegvis.study.codebook import Codebook
from stegvis.study.protocol import Protocol
from stegvis.twin.cohort import TwinCohort, draw_cohort
from stegvis.twin.faults import RAW_FAULTS, Fault, Good, plant_faults, plant_raw_faults
from stegvis.twin.files import complete, write_drop, write_table
from stegvis.twin.gait_parameters import GaitParameters, gait_parameters
from stegvis.twin.outcome import first_delivery
from stegvis.twin.parameters import DEFAULT_SEED, parameters
from stegvis.twin.recordings import (
    Levels,
    Progress,
    choose_levels,
    raw_days,
    write_day_totals,
    write_epochs,
    write_raw,
    write_signals,
)
from stegvis.twin.tables import day_totals, participants, questionnaire, registry, withdrawals, without_the_withdrawn
from stegvis.twin.truth import Truth, truth_of
from stegvis.twin.vital import last_day

BASELINE_DROP, WITHDRAWALS_DROP = "2019-06", "2024-01"
# The suffix of the wave's second delivery.
CORRECTION = "2"
PUBLISHED_PEOPLE = 56042
AS_REAL = 1.0


def write_twin(
    out: Path,
    protocol: Protocol,
    codebook: Codebook,
    people: int = PUBLISHED_PEOPLE,
    waves: int = 2,
    epochs: int = 0,
    signals: int = 0,
    seed: int = 1,
    progress: Progress = lambda message: None,
    balanced: bool | None = None,
    raw: int = 0,
    faults: bool = False,
    mess: float = AS_REAL,
) -> Truth:
    """Write the deliveries of a synthetic cohort under ``out``, and its ``truth.json``.

    The same arguments give the same bytes. With two waves the first has a second delivery of late and corrected rows.

    Args:
        out: folder to write to; created if missing, and must be empty.
        protocol: the study's rules: exclusions, METs, epochs.
        codebook: columns and codes of the deliveries.
        people: participants at baseline, without withdrawals; every other count scales with it.
        waves: follow-up waves.
        epochs: people whose recording is delivered as 5-second epochs instead of day totals.
        signals: people whose recording is delivered as an hour of 50 Hz signal instead.
        seed: of every random stream.
        progress: called with one message per step; no message holds a person's data.
        balanced: draw the first wave by balanced sampling, with the expected counts and estimates; by default for the
            default seed only, and never for too small cohorts.
        raw: people whose recording is delivered as a raw pair of one day instead.
        mess: how messily raw pairs and signals are worn: 1 as real people, 0 alike (``worn`` in ``gait.toml``).
        faults: plant, beside the good deliveries, each fault a delivery can have, and with ``raw`` those of raw pairs.

    Raises:
        FileExistsError: ``out`` is not empty; a delivery is never modified.
        TooFewPeopleError: too few for the recordings or the faults that are asked for.
        ValueError: a size is out of range.
    """
    if min(people - 1, waves - faults, epochs, signals, raw, mess) < 0:
        raise ValueError("people must be at least 1, and waves if there are faults; all other sizes at least 0")
    if out.exists() and any(out.iterdir()):
        raise FileExistsError(f"{out.name} is not empty; the twin never writes over a delivery")
    model, moving = parameters(), gait_parameters().with_mess(mess)
    balanced = (seed == DEFAULT_SEED if balanced is None else balanced) and people >= model.cohort.smallest_balanced
    progress(f"drawing {people:,} people")
    cohort = draw_cohort(people, waves, seed, balanced, model, protocol, codebook)
    levels = choose_levels(cohort, epochs, signals, raw, faulty=len(RAW_FAULTS) if raw and faults else 0)

    progress("writing the baseline questionnaire")
    out.mkdir(parents=True, exist_ok=True)
    write_drop(out / "baseline" / BASELINE_DROP, {"participants.csv": participants(cohort)})
    pairs = _write_recordings(out, cohort, levels, moving, progress)
    _write_followup(out, cohort, progress)
    _write_registry(out, cohort)
    _write_withdrawals(out, cohort)
    planted = _plant(out, cohort, levels, moving, progress) if faults else []
    sizes = {"people": people, "waves": waves, "epochs": epochs, "signals": signals, "raw": raw}
    return _write_truth(out, truth_of(cohort, sizes, mess, pairs, planted))


def _write_truth(out: Path, truth: Truth) -> Truth:
    (out / "truth.json").write_text(json.dumps(asdict(truth), indent=2) + "\n", encoding="utf-8")
    return truth


def _write_recordings(
    out: Path, cohort: TwinCohort, levels: Levels, moving: GaitParameters, progress: Progress
) -> list[dict[str, float]]:
    """Every batch of recordings; returns what is true of each raw pair."""
    write_day_totals(out, cohort, levels.totals, progress)
    if levels.epochs.any():
        progress(f"writing 5-second epochs of {levels.epochs.sum():,} people")
        write_epochs(out, cohort, levels.epochs)
    if levels.signals.any():
        progress(f"writing 50 Hz signals of {levels.signals.sum():,} people")
        write_signals(out, cohort, levels.signals, moving)
    return write_raw(out, cohort, raw_days(cohort, levels.raw), moving, progress) if levels.raw.any() else []


def _write_followup(out: Path, cohort: TwinCohort, progress: Progress) -> None:
    """Each wave's questionnaire and, as soon as there is a second wave, the correction of the first."""
    formats = cohort.parameters.followup.formats
    for number, wave in enumerate(cohort.waves):
        progress(f"writing the follow-up of {wave.name}")
        name = f"questionnaire.{formats[number % len(formats)]}"
        first = first_delivery(wave)
        write_drop(out / "followup" / wave.name, {name: questionnaire(cohort, first, first.answered)})
        changed = wave.late | wave.misread
        if number == 0 and len(cohort.waves) > 1 and changed.any():
            correction = out / "followup" / f"{wave.name}.{CORRECTION}"
            write_drop(correction, {name: questionnaire(cohort, wave, changed)})


def _write_registry(out: Path, cohort: TwinCohort) -> None:
    """At the end of each wave an extract of everyone who died or emigrated until then, if anybody did."""
    formats = cohort.parameters.registry.formats
    for number, wave in enumerate(cohort.waves):
        rows = registry(cohort, wave)
        if len(rows):
            name = f"vital_status.{formats[number % len(formats)]}"
            write_drop(out / "registry" / f"{str(last_day(wave))[:4]}-12", {name: rows})


def _write_withdrawals(out: Path, cohort: TwinCohort) -> None:
    folder = out / "withdrawals"
    folder.mkdir(parents=True)
    write_table(withdrawals(cohort), folder / f"{WITHDRAWALS_DROP}.csv")
    complete(folder, folder / f"{WITHDRAWALS_DROP}.json")


def _plant(out: Path, cohort: TwinCohort, levels: Levels, moving: GaitParameters, progress: Progress) -> list[Fault]:
    """Plant every fault."""
    wave = cohort.delivered_waves[0]
    good = Good(
        participants=without_the_withdrawn(cohort, participants(cohort)),
        responses=without_the_withdrawn(cohort, questionnaire(cohort, wave, wave.answered)),
        days=without_the_withdrawn(cohort, day_totals(cohort, levels.totals, cohort.days.seconds)),
        first_wave=wave.name,
        last_year=int(cohort.waves[-1].name.split("-")[-1]),
    )
    progress("planting faults")
    planted = plant_faults(out, good, cohort.protocol, cohort.codebook)
    if levels.faulty.any():
        progress(f"planting faults in {levels.faulty.sum()} raw pairs")
        planted += plant_raw_faults(out, raw_days(cohort, levels.faulty), cohort.seed, cohort.protocol, moving)
    return planted
