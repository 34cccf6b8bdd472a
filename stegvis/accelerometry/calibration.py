"""Gravity calibration: a still sensor reads 1 g, whichever way it lies.

Offset and gain of each axis are fitted so that the means of still windows lie on the unit sphere: the criterion of van
Hees et al., J Appl Physiol 2014;117(7):738-744, doi 10.1152/japplphysiol.00421.2014 (without its temperature term),
solved by Gauss-Newton. A sensor worn on thigh or back for a week rarely lies in enough directions; the still windows of
several recordings of the same device, pooled, may.

Belongs here: still windows and the fit. Does not belong here: applying it to samples (``resampling``), keeping still
windows between recordings.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from stegvis.accelerometry.summaries import Summary
from stegvis.study.protocol import protocol

Floats = NDArray[np.float64]
Outcome = Literal["calibrated", "too_few_directions", "sphere_not_covered", "error_too_large", "not_plausible"]

STEPS = 20


@dataclass(frozen=True)
class Calibration:
    """What to make of a device's readings: g = ``offset`` + ``gain`` * measured g.

    Attributes:
        outcome: ``calibrated``, or why not.
        offset, gain: (3,); 0 and 1 unless calibrated.
        error_before_g, error_after_g: mean distance of the still windows from 1 g; NaN if there are none. After equals
            before unless calibrated.
        cells: directions in which the device lay still.
    """

    outcome: Outcome
    offset: Floats = field(default_factory=lambda: np.zeros(3))
    gain: Floats = field(default_factory=lambda: np.ones(3))
    error_before_g: float = np.nan
    error_after_g: float = np.nan
    cells: int = 0

    @property
    def calibrated(self) -> bool:
        return self.outcome == "calibrated"


def still_directions(summary: Summary) -> Floats:
    """Mean readings (k, 3) in g of still windows, averaged by cell of direction: small enough to keep.

    Cells weigh the same in the fit, so a night in one position does not outweigh everything else.
    """
    rules = protocol().calibration
    still = (summary.sd < rules.still_sd_g).all(axis=1)
    mean = summary.mean[still].astype(np.float64)
    # Far from gravity it is falling, a blow, or a broken sensor.
    mean = mean[np.abs(np.linalg.norm(mean, axis=1) - 1) < rules.sphere_g]
    return _by_cell(mean, rules.cell_g)


def pooled(recordings: Iterable[Floats]) -> Floats:
    """The still directions (k, 3) of several recordings of one device as one set."""
    together = [np.empty((0, 3)), *recordings]
    return _by_cell(np.concatenate(together), protocol().calibration.cell_g)


def calibrate(directions: Floats) -> Calibration:
    """Fit offset and gain to still directions.

    Args:
        directions: (k, 3) g, of ``still_directions`` or ``pooled``.

    Returns:
        A calibration that changes nothing unless the directions reach far enough along every axis, the error afterwards
        is small and smaller than before, and the correction is one that a sound sensor may need.
    """
    rules = protocol().calibration
    cells = len(directions)
    before = _error(directions) if cells else float("nan")

    def refused(outcome: Outcome) -> Calibration:
        return Calibration(outcome, error_before_g=before, error_after_g=before, cells=cells)

    if cells < rules.fewest_cells:
        return refused("too_few_directions")
    reach = np.stack([-directions.min(axis=0), directions.max(axis=0)])
    if (reach < rules.sphere_g).any():
        return refused("sphere_not_covered")
    offset, gain = _fit(directions)
    after = _error(offset + gain * directions)
    if not (after < before and after <= rules.largest_error_g):
        return refused("error_too_large")
    if np.abs(offset).max() > rules.largest_offset_g or np.abs(gain - 1).max() > rules.largest_gain_error:
        return refused("not_plausible")
    return Calibration("calibrated", offset, gain, before, after, cells)


def _fit(directions: Floats) -> tuple[Floats, Floats]:
    """Offset and gain (3,) that bring the lengths of directions (k, 3) nearest to 1, in least squares."""
    offset, gain = np.zeros(3), np.ones(3)
    for _ in range(STEPS):
        corrected = offset + gain * directions
        length = np.linalg.norm(corrected, axis=1)
        slope = corrected / length[:, None]
        step = np.linalg.lstsq(np.hstack([slope, slope * directions]), 1 - length, rcond=None)[0]
        offset, gain = offset + step[:3], gain + step[3:]
        if np.abs(step).max() < 1e-9:
            break
    return offset, gain


def _error(directions: Floats) -> float:
    return float(np.abs(np.linalg.norm(directions, axis=1) - 1).mean())


def _by_cell(mean: Floats, width: float) -> Floats:
    """Average (m, 3) of points (k, 3) by cubic cell."""
    cell = np.round(mean / width).astype(np.int64)
    # One number per cell: readings within +-2 g are within +-100 cells.
    key = (cell + 512) @ np.array([1 << 20, 1 << 10, 1])
    _, which, counts = np.unique(key, return_inverse=True, return_counts=True)
    sums = [np.bincount(which, weights=mean[:, axis], minlength=len(counts)) for axis in range(3)]
    return np.stack(sums, axis=1) / counts[:, None]
