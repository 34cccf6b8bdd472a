"""Walking speed of simulated people, classified from raw pairs, compared with the truth of the twin.

    python -m benchmarks.walking_speed [--people 16] [--days 1]

Prints for two twins the error of speed, the confusion of the classes, and the error of a person's mean walking METs. In
the first, people differ as in the shipped twin. In the second, the size of movement follows the same relation for
everyone (cadence still differs by 5 %). The error in the second twin is that of the method itself; the difference
between the two cannot be avoided without a calibration of each person. Both twins follow the relations that the
estimate inverts, the first with differences between people as seen in real recordings. They therefore check the method
and are no evidence about real km/h; such evidence is in the model card, as far as it exists.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stegvis.accelerometry.activity import ActivityCode
from stegvis.accelerometry.evaluation import speed_agreement, walking_mets
from stegvis.accelerometry.method import Method
from stegvis.accelerometry.pair_classification import classify_pair
from stegvis.accelerometry.walking_speed import speed_class
from stegvis.study.protocol import Protocol
from stegvis.study.study import Study
from stegvis.twin.gait_parameters import GaitParameters, gait_parameters
from stegvis.twin.raw import write_raw_pair

BAR_METRES_PER_SECOND, BAR_METS = 0.10, 0.03


@dataclass(frozen=True)
class Walker:
    """One simulated person: true and estimated km/h, and its SD, of walking epochs that were classified as such;
    mean METs of all walking epochs, and of all epochs classified as walking.
    """

    true: NDArray[np.float32]
    found: NDArray[np.float32]
    sd: NDArray[np.float32]
    true_mets: float
    found_mets: float


def walker(person: str, days: int, parameters: GaitParameters, seed: int, protocol: Protocol) -> Walker:
    """Simulate a person's raw pair and classify it."""
    with tempfile.TemporaryDirectory() as folder:
        truth = write_raw_pair(Path(folder), person, days, seed, protocol=protocol, parameters=parameters)
        files = (Path(folder) / f"{person}_{place}.cwa" for place in ("back", "thigh"))
        epochs = classify_pair(*files, Method.of(protocol)).epochs
    true = truth.sequence.speed_km_per_hour
    middle = np.timedelta64(500 * protocol.epochs.seconds, "ms")
    then = true[truth.steps_at(epochs["epoch_start"].to_numpy() + middle)]
    found = epochs["speed_km_per_hour"].to_numpy()
    both = (epochs["activity"].to_numpy() == ActivityCode.WALKING) & (then > 0)
    return Walker(
        true=then[both],
        found=found[both],
        sd=epochs["speed_sd_km_per_hour"].to_numpy()[both],
        true_mets=mean_mets(true[true > 0], protocol),
        found_mets=mean_mets(found[epochs["activity"] == ActivityCode.WALKING], protocol),
    )


def mean_mets(km_per_hour: NDArray[np.float32], protocol: Protocol) -> float:
    """Mean METs of walking epochs, by their classes of speed."""
    return float(walking_mets(protocol.exposures)[speed_class(km_per_hour, protocol.epochs) - 1].mean())


def report(title: str, people: list[Walker], protocol: Protocol) -> None:
    """Print the results."""
    person = np.repeat(np.arange(len(people)), [len(each.true) for each in people])
    true, found, sd = (np.concatenate([getattr(each, name) for each in people]) for name in ("true", "found", "sd"))
    error = (found - true) / 3.6
    bias = np.array([((each.found - each.true) / 3.6).mean() for each in people])
    mets = np.array([each.found_mets - each.true_mets for each in people])
    agreement = speed_agreement(person, true, found, protocol)
    print(f"\n{title}: {len(people)} people, {len(true)} walking epochs")
    print(
        f"  speed, m/s: mean absolute error {np.abs(error).mean():.3f} (bar {BAR_METRES_PER_SECOND:.2f}), "
        f"root mean square {np.sqrt(np.square(error).mean()):.3f}, bias {error.mean():+.3f}, "
        f"SD of people's biases {bias.std(ddof=1):.3f}"
    )
    print(f"  within one / two of its standard deviations: {np.mean(np.abs(found - true) < sd):.1%} / ", end="")
    print(f"{np.mean(np.abs(found - true) < 2 * sd):.1%}")
    print(f"  correct classes {agreement.accuracy:.1%}; true \\ found     slow moderate    brisk")
    for name, row in zip(("slow", "moderate", "brisk"), agreement.confusion, strict=True):
        print(f"    {name:36}" + "".join(f"{each:9d}" for each in row))
    print(
        f"  a person's mean walking METs: mean absolute error {np.abs(mets).mean():.3f} (bar {BAR_METS:.2f}), largest "
        f"{np.abs(mets).max():.3f}; mean error {mets.mean():+.3f}"
    )


def main() -> None:
    """Simulate, evaluate, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=16)
    parser.add_argument("--days", type=int, default=1)
    arguments = parser.parse_args()
    protocol = Study.shipped().protocol
    parameters = gait_parameters()
    one_law = parameters.model_copy(update={"walking": parameters.walking.model_copy(update={"amplitude_sd": 0.0})})
    for title, twin in (("people differ as in the twin", parameters), ("the same relation for everyone", one_law)):
        numbers = range(arguments.people)
        walkers = [walker(f"P{number:03d}", arguments.days, twin, seed=1, protocol=protocol) for number in numbers]
        report(title, walkers, protocol)


if __name__ == "__main__":
    main()
