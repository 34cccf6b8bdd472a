"""A stub of a recording before or after its clock was set, or lost: it is left out, and the rest is used.

A device whose battery ran down or that was configured again may record minutes more, dated years back. Only the clock
orders the samples of two sensors, so time on the wrong side of such a jump cannot be used.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from stegvis.accelerometry.cwa import CwaRecording
from stegvis.accelerometry.resampling import ClockError

# No recording pauses for longer than this; so the clock was set.
LONGEST_PAUSE = np.timedelta64(30, "D")
# A larger share of the recording than this is no stub.
LARGEST_STUB = 0.1


def without_stubs(recording: CwaRecording) -> CwaRecording:
    """The longest part of a recording between two settings of its clock; the same recording if there were none.

    Sectors of the other parts are as if masked, but keep their ``status``; ``stub_seconds`` says how long they are.

    Raises:
        ClockError: the others are too long to be stubs.
    """
    start, end = (np.array([getattr(each, name) for each in recording.segments]) for name in ("start", "end"))
    set_back, set_ahead = start[1:] <= end[:-1], start[1:] - end[:-1] > LONGEST_PAUSE
    part = np.append(0, np.cumsum(set_back | set_ahead))
    if part[-1] == 0:
        return recording
    seconds = np.bincount(part, weights=(end - start) / np.timedelta64(1, "s"))
    kept = int(seconds.argmax())
    others = float(seconds.sum() - seconds[kept])
    if others > LARGEST_STUB * seconds.sum():
        how = "back" if set_back.any() else "ahead by more than a month"
        raise ClockError(f"its clock was set {how} during the recording")
    blocks = recording.blocks.copy()
    inside = np.isin(blocks["segment"], np.flatnonzero(part == kept))
    good = (blocks["first_sample"] >= 0).to_numpy()
    blocks.loc[~inside, ["segment", "first_sample", "samples"]] = -1, -1, 0
    return replace(
        recording,
        blocks=blocks,
        segments=tuple(each for each, number in zip(recording.segments, part, strict=True) if number == kept),
        sample_seconds=recording.sample_seconds[inside[good]],
        stub_seconds=others,
    )
