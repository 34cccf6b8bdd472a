"""The epoch classifier on people it has not seen, beside ActiMotus on the same people, and its time for a week.

    python -m benchmarks.classifier [--data DIR] [--peer PYTHON]

Prints, by cross-validation grouped by person: agreement with the labels, walking minutes, sensors worn otherwise,
walking pace, ActiMotus (`pip install acti-motus`, in this environment or in the one whose interpreter --peer names) and
the time for a 7-day pair on one core (processor time; set OMP_NUM_THREADS=1).
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from study.accelerometry.activity import ActivityCode
from study.accelerometry.classifier import classify_checked, decide, load_model, walking_pace
from study.accelerometry.evaluation import Agreement, agreement, person_agreement
from study.accelerometry.features import features
from study.accelerometry.labeled_people import LabeledPerson, read_people
from study.accelerometry.pace_evaluation import evaluate_pace
from study.accelerometry.signal import Signal
from study.accelerometry.training import Predicted, agreement_of, cross_validate, judge_turned, predict
from study.accelerometry.windows import chunks, continues, window_starts

# What ActiMotus calls our activities; what it calls anything else is counted as wrong.
PEER_ACTIVITIES = {
    "lie": ActivityCode.LYING,
    "sit": ActivityCode.SITTING,
    "stand": ActivityCode.STANDING,
    "shuffle": ActivityCode.STANDING,
    "move": ActivityCode.STANDING,
    "kneel": ActivityCode.STANDING,
    "squat": ActivityCode.STANDING,
    "slow-walk": ActivityCode.WALKING,
    "walk": ActivityCode.WALKING,
    "fast-walk": ActivityCode.WALKING,
    "stairs": ActivityCode.WALKING,
    "run": ActivityCode.RUNNING,
    "bicycle": ActivityCode.CYCLING,
}

# Runs in the peer's interpreter, which need not have this project. ActiMotus takes x near +1 g when standing; of the
# rotations that give it that, this one served it best on these people, better than its own search for the orientation.
PEER = """
import sys, time
from pathlib import Path
import pandas as pd
from actimotus import Activities, Features
for file in sorted(Path(sys.argv[1]).glob("signal_*.parquet")):
    signal = pd.read_parquet(file).set_index("time")
    began = time.process_time()
    sensors = []
    for sensor in ("thigh", "back"):
        part = signal[[f"{sensor}_{axis}" for axis in "xyz"]].set_axis(["acc_x", "acc_y", "acc_z"], axis=1)
        sensors.append(Features(calibrate=False).compute(part * [-1.0, -1.0, 1.0]))
    found, _ = Activities().compute(sensors[0], trunk=sensors[1])
    seconds = time.process_time() - began
    found = found[["activity"]].astype(str).assign(seconds=seconds)
    found.index.name = "time"
    found.reset_index().to_parquet(file.with_name(file.name.replace("signal_", "found_")))
"""


def line(name: str, found: Agreement) -> None:
    """Print one row of results."""
    walking = found.classes[ActivityCode.WALKING - 1]
    stairs = "" if found.macro_f1_with_stairs is None else f"{found.macro_f1_with_stairs:.3f}"
    print(
        f"{name:34} {100 * found.accuracy:6.1f} {found.macro_f1:7.3f} {stairs:>7} "
        f"{100 * (walking.recall or 0):6.1f} {100 * (walking.precision or 0):6.1f} "
        f"{found.walking_bias_percent or 0:+7.1f} {found.mean_absolute_person_bias_percent or 0:6.1f} "
        f"{found.largest_absolute_person_bias_percent or 0:6.1f}"
    )


def results(people: list[LabeledPerson], predicted: list[Predicted], leave_out: set[str]) -> Agreement:
    """Agreement over the people who are not left out."""
    single = [
        person_agreement(each.person, each.dataset.name, each.activity, found.activity, each.labeled_walking_minutes)
        for each, found in zip(people, predicted, strict=True)
    ]
    return agreement_of(people, predicted, single, leave_out)


def peer_results(people: list[LabeledPerson], interpreter: str) -> tuple[list[np.ndarray], float]:
    """What ActiMotus says of each person's windows, and its seconds for all of them."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for number, person in enumerate(people):
            regular(person.signal).to_parquet(folder / f"signal_{number:03}.parquet")
        subprocess.run([interpreter, "-W", "ignore", "-c", PEER, str(folder)], check=True)
        found = [pd.read_parquet(folder / f"found_{number:03}.parquet") for number in range(len(people))]
    codes = [at_windows(table, person) for table, person in zip(found, people, strict=True)]
    return codes, float(sum(table["seconds"].iloc[0] for table in found))


def regular(signal: Signal) -> pd.DataFrame:
    """The signal on an even 50 Hz grid, gaps bridged by straight lines (no window lies in them)."""
    began = signal.timestamps[0].astype("datetime64[us]")
    seconds = (signal.timestamps.astype("datetime64[us]") - began) / np.timedelta64(1, "s")
    grid = np.arange(0, seconds[-1], 0.02)
    axes = [f"{sensor}_{axis}" for sensor in ("back", "thigh") for axis in "xyz"]
    values = {name: np.interp(grid, seconds, signal.acceleration[:, i]) for i, name in enumerate(axes)}
    return pd.DataFrame(values).assign(time=began + np.round(grid * 1e6).astype("timedelta64[us]"))


def at_windows(found: pd.DataFrame, person: LabeledPerson) -> np.ndarray:
    """The most frequent of the five seconds of each window."""
    times = pd.DatetimeIndex(found["time"])
    times = times.tz_localize(None) if times.tz is not None else times
    codes = found["activity"].map(PEER_ACTIVITIES).fillna(0).to_numpy(dtype=np.int64)
    starts = person.signal.timestamps[person.starts].astype("datetime64[us]")
    middles = starts[:, None] + (np.arange(5) * 1_000_000 + 500_000).astype("timedelta64[us]")
    second = np.searchsorted(times.to_numpy().astype("datetime64[us]"), middles, side="right") - 1
    votes = codes[np.clip(second, 0, len(codes) - 1)]
    counts = np.stack([(votes == code).sum(axis=1) for code in range(7)], axis=1)
    return np.asarray(counts.argmax(axis=1).astype(np.uint8))


def week(people: list[LabeledPerson]) -> Signal:
    """Seven days of signal, made of the recordings in turn."""
    samples = 7 * 86_400 * 50
    joined = np.concatenate([each.signal.acceleration for each in people])
    times = np.datetime64("2018-01-01", "ms") + np.arange(samples) * np.timedelta64(20, "ms")
    return Signal(times, np.resize(joined, (samples, 6)))


def time_week(signal: Signal) -> None:
    """Print the seconds of one core that each step of a week takes."""
    model = load_model()
    clock = time.process_time
    marks = [clock()]
    starts = window_starts(signal.timestamps)
    X = np.concatenate([features(windows) for windows in chunks(signal.acceleration, starts)])
    marks.append(clock())
    follows = continues(signal.timestamps, starts)
    activity, _, _ = decide(model.probabilities(X, follows))
    marks.append(clock())
    walking = np.flatnonzero(activity == ActivityCode.WALKING)
    walking_pace(signal, starts, follows, walking)
    marks.append(clock())
    steps = np.diff(marks)
    print(
        f"7 days, {len(starts)} epochs: features {steps[0]:.2f} s, prediction {steps[1]:.2f} s; "
        f"pace of {len(walking)} walking epochs {steps[2]:.2f} s"
    )


def main() -> None:
    """Print everything."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    default = Path(os.environ.get("STEGVIS_REAL_DATA", "../shared/data"))
    parser.add_argument("--data", type=Path, default=default, help="folder with harth, har70plus and selfback_thigh")
    parser.add_argument("--peer", help="interpreter of an environment with acti-motus")
    arguments = parser.parse_args()

    people = read_people([arguments.data / "harth", arguments.data / "har70plus"], lambda _: None)
    models = cross_validate(people, lambda _: None)
    predicted = [predict(model, each) for model, each in zip(models, people, strict=True)]
    print(
        f"{'':34} {'acc %':>6} {'F1':>7} {'stairs':>7} {'sens':>6} {'PPV':>6} {'bias %':>7} {'MAE %':>6} {'worst':>6}"
    )
    ours = results(people, predicted, set())
    line(f"{len(people)} people, cross-validated", ours)
    line("without S009", results(people, predicted, {"S009"}))
    line("without S009, S025 and 514", results(people, predicted, {"S009", "S025", "514"}))

    interpreter = arguments.peer or (sys.executable if importlib.util.find_spec("actimotus") else None)
    if interpreter is None:
        print("ActiMotus is not installed: name an interpreter that has it with --peer")
    else:
        codes, seconds = peer_results(people, interpreter)
        single = [
            person_agreement(each.person, each.dataset.name, each.activity, found, each.labeled_walking_minutes)
            for each, found in zip(people, codes, strict=True)
        ]
        labeled = np.concatenate([each.activity for each in people])
        line("ActiMotus, the same people", agreement(single, labeled, np.concatenate(codes)))
        kept = [i for i, each in enumerate(people) if each.person != "S009"]
        labeled = np.concatenate([people[i].activity for i in kept])
        line(
            "ActiMotus, without S009",
            agreement([single[i] for i in kept], labeled, np.concatenate([codes[i] for i in kept])),
        )
        began = time.process_time()
        for each in people:
            classify_checked(each.signal)
        print(f"seconds for all of them: ours {time.process_time() - began:.1f}, ActiMotus {seconds:.1f}")

    print("\nsensors worn otherwise")
    for turn in judge_turned(people, models):
        print(
            f"  {turn.sensor:6} {turn.worn:24} accuracy {100 * turn.accuracy:5.1f}  "
            f"flagged {turn.flagged} of {turn.people}"
        )

    if (arguments.data / "selfback_thigh").exists():
        pace = evaluate_pace(arguments.data / "selfback_thigh")
        print(
            f"\nself-paced walking, {pace.people} people: ordered {pace.ordered}, leave-one-out accuracy "
            f"{pace.accuracy:.3f}, MET error {pace.met_error:.3f}, by the protocol's cuts {pace.protocol_accuracy:.3f}"
        )
    print()
    time_week(week(people))


if __name__ == "__main__":
    main()
