"""The epoch classifier on people it was not fitted on, compared with ActiMotus, and its time for a week.

    python -m benchmarks.classifier [FOLDER ...] [--peer PYTHON]
    python -m benchmarks.classifier --model shipped FOLDER ... [--peer PYTHON]

The first form evaluates training: each person by a model fitted without the people of their group (about fifteen
seconds for each of five groups). The second evaluates a finished model - `shipped`, or a .npz file - on labeled
recordings of people it was not fitted on. Folders are laid out as for `stegvis train`: one .parquet or .csv per person
with timestamp, back_x..z, thigh_x..z and label (NTNU codes).
--peer names the interpreter of an environment with `pip install acti-motus`.

Prints agreement with the labels, walking minutes, ActiMotus in the same run, rotated sensors, and the time for a 7-day
pair on one core (processor time; set OMP_NUM_THREADS=1). Then each limit with PASS or FAIL; exits with 1 if one is
missed. The limits of agreement apply only to a finished model on new people.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from stegvis.accelerometry.activity import ActivityCode
from stegvis.accelerometry.classifier import classify_checked, signal_pace
from stegvis.accelerometry.epoch_columns import decide, decide_by_second
from stegvis.accelerometry.epoch_model import MODEL_FILE, EpochModel, load_model
from stegvis.accelerometry.evaluation import Agreement, RotatedSensorAgreement, agreement, person_agreement
from stegvis.accelerometry.features import features
from stegvis.accelerometry.labeled_people import LabeledPerson, read_people
from stegvis.accelerometry.method import Method
from stegvis.accelerometry.mixed_epochs import may_be_mixed, probabilities_by_second, second_follows
from stegvis.accelerometry.processes import single_thread_processes
from stegvis.accelerometry.signal import Signal
from stegvis.accelerometry.smoothing import smooth, smooth_seconds
from stegvis.accelerometry.training import (
    ROTATIONS,
    Predicted,
    agreement_of,
    evaluate_rotated,
    individual_agreement,
    leave_folds_out,
    predict,
)
from stegvis.accelerometry.windows import chunks, continues, signal_windows, window_starts
from stegvis.study.protocol import Epochs
from stegvis.study.study import Study

# ActiMotus names of the activities; any other name counts as an error.
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

# Runs in the peer's interpreter, which does not need this package. ActiMotus expects x near +1 g while standing; of the
# rotations that do this, this one gave it the best results, better than its own detection of orientation.
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


class Bar(NamedTuple):
    """A limit for the classifier: the value found, the value required, and whether it is met."""

    what: str
    found: float
    required: float
    passed: bool


def at_least(what: str, found: float | None, required: float) -> Bar:
    """A lower limit."""
    return Bar(what, np.nan if found is None else found, required, found is not None and found >= required)


def at_most(what: str, found: float | None, required: float) -> Bar:
    """An upper limit."""
    return Bar(what, np.nan if found is None else found, required, found is not None and found <= required)


def agreement_bars(found: Agreement) -> Iterator[Bar]:
    """Limits for the agreement of a finished model on new people."""
    walking = found.classes[ActivityCode.WALKING - 1]
    yield at_least("accuracy, %", 100 * found.accuracy, 97.0)
    yield at_least("macro F1", found.macro_f1, 0.978)
    yield at_least("macro F1 with stairs apart", found.macro_f1_with_stairs, 0.955)
    yield at_least("walking sensitivity, %", 100 * (walking.recall or 0), 97.0)
    yield at_least("walking predictive value, %", 100 * (walking.precision or 0), 96.5)
    yield at_most("pooled walking bias, absolute %", abs(found.walking_bias_percent or 0), 1.5)
    yield at_most("walking bias per person, mean absolute %", found.mean_absolute_person_bias_percent, 4.5)
    yield at_most("walking bias per person, largest %", found.largest_absolute_person_bias_percent, 15.0)


def rotation_bars(turned: tuple[RotatedSensorAgreement, ...]) -> Iterator[Bar]:
    """A sensor rotated by 180 degrees changes almost nothing and is flagged; other angles cost little."""
    prescribed = turned[0].accuracy
    halves = [turn for turn in turned if turn.worn in [str(each) for each in ROTATIONS]]
    yield at_most("rotated: loss of accuracy, points", max(100 * (prescribed - t.accuracy) for t in halves), 1.0)
    yield at_least("rotated: fewest people flagged, %", min(100 * t.flagged / t.people for t in halves), 85)
    tilted = [turn for turn in turned[1:] if turn not in halves]
    yield at_least("tilted or rolled: accuracy, %", min(100 * t.accuracy for t in tilted), 96.0)


def peer_bars(ours: Agreement, seconds: float, peer: Agreement, peer_seconds: float) -> Iterator[Bar]:
    """Limits relative to ActiMotus on the same recordings in the same run."""
    yield at_least("points of accuracy ahead of ActiMotus", 100 * (ours.accuracy - peer.accuracy), 5.0)
    pooled = abs(ours.walking_bias_percent or 0) / abs(peer.walking_bias_percent or np.nan)
    yield at_most("pooled walking bias / ActiMotus", pooled, 1.0)
    single = (ours.mean_absolute_person_bias_percent or np.nan) / (peer.mean_absolute_person_bias_percent or np.nan)
    yield at_most("walking bias per person / ActiMotus", single, 1.0)
    yield at_most("processor time / ActiMotus", seconds / peer_seconds, 1.0)


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


def print_bars(bars: list[Bar]) -> None:
    """Print whether each limit is met."""
    print()
    for bar in bars:
        print(f"{'PASS' if bar.passed else 'FAIL'}  {bar.what:46} {bar.found:8.3f}  required {bar.required:g}")


def of_some(people: list[LabeledPerson], predicted: list[Predicted], excluded: set[str]) -> Agreement:
    """Agreement over the people who are not excluded."""
    single = individual_agreement(people, predicted)
    return agreement_of(people, predicted, single, excluded)


def of_peer(people: list[LabeledPerson], codes: list[np.ndarray], epoch_rules: Epochs) -> Agreement:
    """Agreement of ActiMotus. It has its own definition of stairs, so stairs are not compared."""
    single = [
        person_agreement(
            each.person,
            each.dataset.name,
            each.activity,
            found,
            each.labeled_walking_minutes,
            float((found == ActivityCode.WALKING).sum()) * epoch_rules.seconds / 60,
        )
        for each, found in zip(people, codes, strict=True)
    ]
    return agreement(single, np.concatenate([each.activity for each in people]), np.concatenate(codes))


def peer_results(people: list[LabeledPerson], interpreter: str) -> tuple[list[np.ndarray], float]:
    """The predictions of ActiMotus for each person's windows, and its total processor seconds."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for number, person in enumerate(people):
            regular(person.signal).to_parquet(folder / f"signal_{number:03}.parquet")
        subprocess.run([interpreter, "-W", "ignore", "-c", PEER, str(folder)], check=True)
        found = [pd.read_parquet(folder / f"found_{number:03}.parquet") for number in range(len(people))]
    codes = [at_windows(table, person) for table, person in zip(found, people, strict=True)]
    return codes, float(sum(table["seconds"].iloc[0] for table in found))


def regular(signal: Signal) -> pd.DataFrame:
    """The signal on an even 50 Hz grid, interpolated linearly across gaps (which contain no window)."""
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
    """Seven days of signal, made by repeating the recordings."""
    samples = 7 * 86_400 * 50
    joined = np.concatenate([each.signal.acceleration for each in people])
    times = np.datetime64("2018-01-01", "ms") + np.arange(samples) * np.timedelta64(20, "ms")
    return Signal(times, np.resize(joined, (samples, 6)))


def time_week(signal: Signal, model: EpochModel, method: Method) -> float:
    """Print the processor seconds of each step for a week; return those of features and both predictions."""
    clock = time.process_time
    marks = [clock()]
    starts = window_starts(signal.timestamps, method.epochs)
    size, rate = method.epochs.samples_per_epoch, method.epochs.sampling_rate_hz
    X = np.concatenate([features(windows, rate) for windows in chunks(signal.acceleration, starts, size)])
    marks.append(clock())
    follows = continues(signal.timestamps, starts, method.epochs)
    alone = model.network.probabilities(X, model.nthread)
    best, confidence, _ = decide(smooth(alone, follows, model.transitions))
    marks.append(clock())
    which = may_be_mixed(best, confidence, follows)
    windows = signal_windows(signal.acceleration, starts, size)
    by_second = probabilities_by_second(windows, which, follows, alone, model.network, method.epochs)
    seconds = second_follows(follows, method.epochs.seconds)
    walking = decide_by_second(smooth_seconds(by_second, seconds, model.second_transitions)).with_walking
    marks.append(clock())
    signal_pace(signal, starts, follows, walking, method)
    marks.append(clock())
    steps = np.diff(marks)
    print(
        f"\n7 days, {len(starts)} epochs: features {steps[0]:.2f} s, prediction {steps[1]:.2f} s; "
        f"{len(which)} epochs by the second {steps[2]:.2f} s; pace of {len(walking)} walking epochs {steps[3]:.2f} s"
    )
    return float(steps[:3].sum())


def already_seen(people: list[LabeledPerson], model_file: Path) -> int:
    """How many of the people the model was fitted on, according to its card."""
    card = json.loads(model_file.with_name("model_card.json").read_text(encoding="utf-8"))
    return len({each.person for each in people}.intersection(each["person"] for each in card["people"]))


def main() -> None:
    """Print everything; exit with 1 if a limit is not met."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    data = Path(os.environ.get("STEGVIS_REAL_DATA", "../shared/data"))
    defaults = [data / "harth", data / "har70plus"]
    parser.add_argument("folders", nargs="*", type=Path, default=defaults, help="folders of labeled recordings")
    parser.add_argument("--model", help="'shipped' or a .npz file; without it, five groups are left out in turn")
    parser.add_argument("--peer", help="interpreter of an environment with acti-motus")
    arguments = parser.parse_args()

    protocol = Study.shipped().protocol
    method = Method.of(protocol)
    people = read_people(arguments.folders, protocol, lambda _: None)
    model_file = Path(arguments.model) if arguments.model and arguments.model != "shipped" else MODEL_FILE
    if arguments.model:
        seen = already_seen(people, model_file)
        if seen:
            parser.error(
                f"the model was fitted on {seen} of these {len(people)} people and cannot be evaluated on them"
            )
        models = [load_model(model_file)] * len(people)
    else:
        with single_thread_processes() as pool:
            models = leave_folds_out(people, pool, lambda text: print(text, file=sys.stderr))
    predicted = [predict(model, each, method.epochs) for model, each in zip(models, people, strict=True)]
    print(
        f"{'':34} {'acc %':>6} {'F1':>7} {'stairs':>7} {'sens':>6} {'PPV':>6} {'bias %':>7} {'MAE %':>6} {'worst':>6}"
    )
    ours = of_some(people, predicted, set())
    line(f"{len(people)} people, not fitted on", ours)
    for odd in ({"S009"}, {"S009", "S025", "514"}):
        if odd < {each.person for each in people}:
            line(f"without {', '.join(sorted(odd))}", of_some(people, predicted, odd))
    bars = list(agreement_bars(ours)) if arguments.model else []

    interpreter = arguments.peer or (sys.executable if importlib.util.find_spec("actimotus") else None)
    if interpreter is None:
        print("ActiMotus is not installed: name an interpreter that has it with --peer")
    else:
        codes, peer_seconds = peer_results(people, interpreter)
        peer = of_peer(people, codes, method.epochs)
        line("ActiMotus, the same people", peer)
        began = time.process_time()
        for each in people:
            classify_checked(each.signal, method, model_file=model_file)
        seconds = time.process_time() - began
        print(f"processor seconds: ours {seconds:.1f}, ActiMotus {peer_seconds:.1f}")
        bars.extend(peer_bars(ours, seconds, peer, peer_seconds))

    print("\nrotated sensors")
    turned = evaluate_rotated(people, models, method.epochs)
    for turn in turned:
        accuracy = f"accuracy {100 * turn.accuracy:5.1f}"
        print(f"  {turn.sensor:6} {turn.worn:24} {accuracy}  flagged {turn.flagged} of {turn.people}")
    bars.extend(rotation_bars(turned))

    bars.append(at_most("features and prediction of 7 days, s", time_week(week(people), models[0], method), 3.0))
    print_bars(bars)
    sys.exit(0 if all(bar.passed for bar in bars) else 1)


if __name__ == "__main__":
    main()
