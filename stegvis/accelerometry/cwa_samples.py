"""Decode the samples of CWA sectors."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from stegvis.accelerometry.cwa_format import DATA_BYTES, DATA_OFFSET, HEADER_BYTES, SECTOR_BYTES
from stegvis.accelerometry.cwa_sectors import Layout

# Sectors decoded at a time, so that their samples stay in the processor's cache.
SLAB = 256


def decode(
    content: NDArray[np.uint8],
    sectors: NDArray[Any],
    good: NDArray[np.int64],
    counts: NDArray[np.int64],
    layout: Layout,
) -> tuple[NDArray[np.int16], NDArray[np.int16] | None]:
    """Samples of the good sectors in order: accelerometer (n, 3), and gyroscope (n, 3) or ``None``.

    Each axis is contiguous in memory, which makes later steps faster.

    Args:
        content: the bytes of the file.
        sectors: the heads of all sectors.
        good: (k,) numbers of the good sectors.
        counts: (k,) samples of each.
        layout: how samples are stored.
    """
    capacity = layout.capacity
    axes = layout.axes >> 4
    decoded = np.empty((axes, len(good), capacity), dtype=np.int16)
    # Data begin at an odd multiple of two bytes, where 32-bit words can be read by a strided view but not by a cast.
    width: tuple[int, str] = (4, "<u4") if layout.packed else (2, "<i2")
    words = np.ndarray(
        (len(sectors), DATA_BYTES // width[0]),
        dtype=width[1],
        buffer=content.data,
        offset=HEADER_BYTES + DATA_OFFSET,
        strides=(SECTOR_BYTES, width[0]),
    )
    unbroken = len(good) == good[-1] - good[0] + 1
    for begin in range(0, len(good), SLAB):
        which = good[begin : begin + SLAB]
        slab = words[which[0] : which[-1] + 1] if unbroken else words[which]
        if layout.packed:
            _unpack(slab, decoded[:, begin : begin + SLAB])
        else:
            decoded[:, begin : begin + SLAB] = slab[:, : capacity * axes].reshape(-1, capacity, axes).transpose(2, 0, 1)
    full = counts == capacity
    flat = decoded.reshape(axes, -1)
    if not full.all():
        # Usually only the last sector is incomplete; then a slice suffices.
        flat = flat[:, : counts.sum()] if full[:-1].all() else flat[:, (np.arange(capacity) < counts[:, None]).ravel()]
    return flat[-3:].T, (flat[:3].T if axes == 6 else None)


def _unpack(slab: NDArray[np.uint32], into: NDArray[np.int16]) -> None:
    """Words ``eezzzzzz zzzzyyyy yyyyyyxx xxxxxxxx``: three 10-bit numbers, each times two to the power of e."""
    words = np.ascontiguousarray(slab)
    signed = words.view(np.int32)
    exponent = words >> 30
    # The exponent depends on the range, so it is nearly always the same.
    shift = exponent.flat[0] if (exponent == exponent.flat[0]).all() else exponent
    for axis, left in enumerate((22, 12, 2)):
        into[axis] = ((signed << left) >> 22) << shift.astype(np.int32)
