"""Raw pairs of the twin: speed, similarity to the published spectra of HUNT4, and their classification.

    python benchmarks/raw_twin.py [--pairs 3] [--days 1]

The classifier was trained on real people only, so its accuracy on the twin shows that the twin is realistic, not that
the classifier is accurate. The pairs are read back and put on a common 50 Hz clock by their true offsets and drifts.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from stegvis.accelerometry.activity import ActivityCode
from stegvis.accelerometry.classifier import classify_signal
from stegvis.accelerometry.cwa import read_cwa
from stegvis.accelerometry.method import Method
from stegvis.study.study import Study
from stegvis.twin.gait_parameters import AXES
from stegvis.twin.raw import RawTruth, SensorTruth, write_raw_pair
from stegvis.twin.spectra import Spectra, hunt4_spectra, spectra


def on_true_time(file: Path, sensor: SensorTruth, start: np.datetime64, seconds: np.ndarray) -> np.ndarray:
    """The sensor's signal (n, 3) at true times (n,), nearest sample, its clock corrected by the truth."""
    recording = read_cwa(file)
    shown = (recording.times - start) / np.timedelta64(1, "s")
    drift = sensor.clock_drift_seconds_per_day / 86400
    position = np.interp((seconds * (1 + drift) + sensor.clock_offset_seconds), shown, np.arange(len(shown)))
    return recording.acceleration()[np.rint(position).astype(int)]


def synchronized(folder: Path, truth: RawTruth, days: int) -> np.ndarray:
    """Both sensors (n, 6) on an exact 50 Hz clock."""
    seconds = np.arange(days * 86400 * 50) / 50
    sides = [on_true_time(folder / side.file, side, truth.start, seconds) for side in (truth.back, truth.thigh)]
    return np.hstack(sides)


def classified(signal: np.ndarray, truth: RawTruth, method: Method) -> pd.DataFrame:
    """True and found activity of each epoch, true speed and found speed class."""
    times = truth.start.astype("datetime64[us]") + np.arange(len(signal)) * np.timedelta64(20_000, "us")
    found = classify_signal(times, signal, method)
    size = method.epochs.seconds
    # True time: the signal is on an exact clock.
    seconds = np.arange(len(found)) * size // truth.sequence.step_seconds
    true = truth.activity_of(found["epoch_start"].to_numpy(), size)
    return pd.DataFrame(
        {
            "true": [ActivityCode(code).name.lower() for code in true],
            "found": [ActivityCode(code).name.lower() for code in found["activity"]],
            "km_per_hour": truth.sequence.speed_km_per_hour[seconds + size // 2 // truth.sequence.step_seconds],
            "speed": found["speed"].to_numpy(),
        }
    )


def print_ratios(found: list[Spectra]) -> None:
    """Simulated over published, by axis, at some frequencies."""
    mean = np.mean([each.mean for each in found], axis=0)
    spread = np.sqrt(np.mean([each.sd**2 + each.mean**2 for each in found], axis=0) - mean**2)
    published = hunt4_spectra()
    for name, ratio in (("mean", mean / published.mean), ("SD", spread / published.sd)):
        inside = ((ratio >= 0.5) & (ratio <= 2)).mean()
        print(
            f"\n{name} |STFT| by HUNT4's: {inside:.0%} of 156 within 0.5-2, from {ratio.min():.2f} to {ratio.max():.2f}"
        )
        hertz = [1, 2, 4, 6, 8, 10, 12, 16, 20, 25]
        print(pd.DataFrame(ratio[:, hertz], index=list(AXES), columns=[f"{h} Hz" for h in hertz]).round(2).to_string())


def main() -> None:
    """Write pairs, read them back, classify, compare spectra, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--days", type=int, default=1)
    arguments = parser.parse_args()
    protocol = Study.shipped().protocol
    method = Method.of(protocol)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        wall, processor = time.perf_counter(), time.process_time()
        truths = [
            write_raw_pair(folder, f"P{n}", arguments.days, seed=1, protocol=protocol) for n in range(arguments.pairs)
        ]
        wall, processor = time.perf_counter() - wall, time.process_time() - processor
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        made = f"{arguments.pairs} pairs of {arguments.days} d"
        print(f"{made}: {wall:.1f} s ({processor:.1f} s of one core), peak {peak:.0f} MB")
        tables, found = [], []
        for truth in truths:
            signal = synchronized(folder, truth, arguments.days)
            found.append(spectra(signal))
            tables.append(classified(signal, truth, method))
    table = pd.concat(tables)
    print(f"\nclassifier: {(table['true'] == table['found']).mean():.1%} of epochs")
    print(pd.crosstab(table["true"], table["found"]).to_string())
    true, seen = ((table[column] == "walking").sum() / 12 for column in ("true", "found"))
    print(f"walking minutes: true {true:.1f}, found {seen:.1f} ({seen / true - 1:+.1%})")
    walking = table[table["true"] == "walking"]
    cuts = method.epochs
    classes = pd.cut(walking["km_per_hour"], [0, cuts.slow_up_to_km_per_hour, cuts.moderate_up_to_km_per_hour, 99])
    named = classes.cat.rename_categories(["slow", "moderate", "brisk"])
    print("\nspeed class of walking epochs (0: not classified as walking, 1 slow, 2 moderate, 3 brisk)")
    print(pd.crosstab(named, walking["speed"]).to_string())
    print_ratios(found)


if __name__ == "__main__":
    main()
