"""Walking speed of simulated people, by the whole path from raw pairs, beside the twin's own truth.

    python -m benchmarks.walking_speed [--people 16] [--days 1]

Prints for two twins the error of speed, the confusion of the classes and how far a person's mean walking METs are off.
In the first, people differ as in the twin in force. In the second, the size of movement follows one law for everyone
(cadence still differs by 5 %). What is left in the second is the error of the path itself; the difference between the
two is what no estimate can know without a calibration of each person. The second twin obeys the very relations that the
estimate inverts, the first does but for the differences between people, which are those seen in real recordings: both
check the path and are no evidence about people's km/h. Evidence is in the model card, as far as there is any.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stegvis.accelerometry.activity import ActivityCode
from stegvis.accelerometry.evaluation import speed_agreement
from stegvis.accelerometry.pair_classification import process_pair
from stegvis.accelerometry.walking_speed import speed_class
from stegvis.study.protocol import protocol
from stegvis.twin.gait_parameters import GaitParameters, gait_parameters
from stegvis.twin.raw import write_raw_pair

BAR_METRES_PER_SECOND, BAR_METS = 0.10, 0.03


@dataclass(frozen=True)
class Walker:
    """One simulated person: true and estimated km/h and its SD of the epochs found and truly walking; mean METs of all
    epochs truly walking, and of all found walking."""

    true: NDArray[np.float32]
    found: NDArray[np.float32]
    sd: NDArray[np.float32]
    true_mets: float
    found_mets: float


def walker(person: str, days: int, parameters: GaitParameters, seed: int) -> Walker:
    """Simulate a person's raw pair and take it through the path."""
    with tempfile.TemporaryDirectory() as folder:
        truth = write_raw_pair(Path(folder), person, days, seed, protocol=protocol(), parameters=parameters)
        epochs = process_pair(Path(folder) / f"{person}_back.cwa", Path(folder) / f"{person}_thigh.cwa").epochs
    true = truth.sequence.speed_km_per_hour
    then = true[truth.epochs_at(epochs["epoch_start"].to_numpy())]
    found = epochs["speed_km_per_hour"].to_numpy()
    both = (epochs["activity"].to_numpy() == ActivityCode.WALKING) & (then > 0)
    return Walker(
        true=then[both],
        found=found[both],
        sd=epochs["speed_sd_km_per_hour"].to_numpy()[both],
        true_mets=mean_mets(true[true > 0]),
        found_mets=mean_mets(found[epochs["activity"] == ActivityCode.WALKING]),
    )


def mean_mets(km_per_hour: NDArray[np.float32]) -> float:
    """Mean METs of walking epochs, by their classes."""
    exposures = protocol().exposures
    mets = np.array([exposures.met_slow, exposures.met_moderate, exposures.met_brisk])
    return float(mets[speed_class(km_per_hour) - 1].mean())


def report(title: str, people: list[Walker]) -> None:
    """Print what is found."""
    person = np.repeat(np.arange(len(people)), [len(each.true) for each in people])
    true, found, sd = (np.concatenate([getattr(each, name) for each in people]) for name in ("true", "found", "sd"))
    error = (found - true) / 3.6
    bias = np.array([((each.found - each.true) / 3.6).mean() for each in people])
    mets = np.array([each.found_mets - each.true_mets for each in people])
    agreement = speed_agreement(person, true, found)
    print(f"\n{title}: {len(people)} people, {len(true)} walking epochs")
    print(
        f"  speed, m/s: mean absolute error {np.abs(error).mean():.3f} (bar {BAR_METRES_PER_SECOND:.2f}), "
        f"root mean square {np.sqrt(np.square(error).mean()):.3f}, bias {error.mean():+.3f}, "
        f"SD of people's biases {bias.std(ddof=1):.3f}"
    )
    print(f"  within one / two of its standard deviations: {np.mean(np.abs(found - true) < sd):.1%} / ", end="")
    print(f"{np.mean(np.abs(found - true) < 2 * sd):.1%}")
    print(f"  classes right {agreement.accuracy:.1%}; true \\ found     slow moderate    brisk")
    for name, row in zip(("slow", "moderate", "brisk"), agreement.confusion, strict=True):
        print(f"    {name:36}" + "".join(f"{each:9d}" for each in row))
    print(
        f"  a person's mean walking METs off by {np.abs(mets).mean():.3f} (bar {BAR_METS:.2f}), at most "
        f"{np.abs(mets).max():.3f}; mean of the errors {mets.mean():+.3f}"
    )


def main() -> None:
    """Simulate, judge, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=16)
    parser.add_argument("--days", type=int, default=1)
    arguments = parser.parse_args()
    parameters = gait_parameters()
    one_law = parameters.model_copy(update={"walking": parameters.walking.model_copy(update={"amplitude_sd": 0.0})})
    for title, twin in (("people differ as in the twin", parameters), ("one law of movement for everyone", one_law)):
        report(title, [walker(f"P{number:03d}", arguments.days, twin, seed=1) for number in range(arguments.people)])


if __name__ == "__main__":
    main()
