"""Gravity calibration: a stationary sensor reads 1 g in every orientation.

Offset and gain of each axis are fitted so that the means of stationary windows fall on the unit sphere: the criterion
of van Hees et al., J Appl Physiol 2014;117(7):738-744, doi 10.1152/japplphysiol.00421.2014 (without its temperature
term), solved by Gauss-Newton. A sensor worn on thigh or back for a week is rarely stationary in enough orientations;
several recordings of the same device, pooled, often cover them. ``resampling`` applies the calibration to samples.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from stegvis.accelerometry.summaries import Summary
from stegvis.study.protocol import CalibrationRules

Floats = NDArray[np.float64]
Outcome = Literal["calibrated", "too_few_directions", "sphere_not_covered", "error_too_large", "not_plausible"]

ITERATIONS = 20


@dataclass(frozen=True)
class Calibration:
    """The correction of a device's readings: g = ``offset`` + ``gain`` * measured g.

    Attributes:
        outcome: ``calibrated``, or why not.
        offset, gain: (3,); 0 and 1 unless calibrated.
        error_before_g, error_after_g: mean distance of the stationary windows from 1 g; NaN if there are none. Equal
            unless calibrated.
        cells: number of directions in which the device was stationary.
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


def still_directions(summary: Summary, rules: CalibrationRules) -> Floats:
    """Mean readings (k, 3) in g of stationary windows, averaged within cells of direction.

    Each cell has the same weight in the fit, so a night in one position does not dominate. The result is small enough
    to store with the recording.
    """
    still = (summary.sd < rules.still_sd_g).all(axis=1)
    mean = summary.mean[still].astype(np.float64)
    # Readings far from 1 g come from a fall, a blow or a broken sensor.
    mean = mean[np.abs(np.linalg.norm(mean, axis=1) - 1) < rules.sphere_g]
    return _by_cell(mean, rules.cell_g)


def pooled(recordings: Iterable[Floats], rules: CalibrationRules) -> Floats:
    """The still directions (k, 3) of several recordings of one device as one set."""
    together = [np.empty((0, 3)), *recordings]
    return _by_cell(np.concatenate(together), rules.cell_g)


def calibrate(directions: Floats, rules: CalibrationRules) -> Calibration:
    """Fit offset and gain to still directions.

    Args:
        directions: (k, 3) g, from ``still_directions`` or ``pooled``.
        rules: when a fit is accepted.

    Returns:
        A calibration that changes nothing unless the directions cover every axis, the remaining error is small and
        smaller than before, and the correction is plausible for an intact sensor.
    """
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
    """Offset and gain (3,) that bring the lengths of directions (k, 3) closest to 1 in the least-squares sense."""
    offset, gain = np.zeros(3), np.ones(3)
    for _ in range(ITERATIONS):
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
