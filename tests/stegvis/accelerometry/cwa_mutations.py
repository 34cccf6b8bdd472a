"""Mutations of CWA files, for the tests of damaged files: of the header and sectors, or of the bytes of the file."""

from __future__ import annotations

import numpy as np

from stegvis.accelerometry.cwa_format import HEADER_BYTES, SECTOR, SECTOR_BYTES
from stegvis.twin.cwa import with_checksums


def run_of(sectors: np.ndarray, rng: np.random.Generator) -> slice:
    first = rng.integers(len(sectors))
    return slice(first, first + rng.choice([1, 1, 1, 2, 3, 6]))


def repaired(sectors: np.ndarray, which: slice) -> None:
    sectors[which] = with_checksums(sectors[which].copy())


def bytes_of_fields(header, sectors, rng):
    """Random bytes in the fields of some sectors."""
    which = run_of(sectors, rng)
    raw = sectors.view(np.uint8).reshape(-1, SECTOR_BYTES)
    raw[which, rng.integers(0, 30, rng.integers(1, 4))] = rng.integers(0, 256)
    repaired(sectors, which)


def special_values(header, sectors, rng):
    """A field at its smallest or largest value."""
    which = run_of(sectors, rng)
    name = rng.choice(
        ["count", "axes", "rate_code", "sequence", "recording", "stamp", "fraction", "stamp_index", "length"]
    )
    kind = sectors.dtype[name]
    choices = [0, 1, np.iinfo(kind).max, np.iinfo(kind).min, np.iinfo(kind).max // 2 + 1, *rng.integers(0, 128, 3)]
    sectors[name][which] = np.array(rng.choice(choices)).astype(kind)
    repaired(sectors, which)


def wrong_clock(header, sectors, rng):
    """Stamps off by seconds, minutes or days."""
    which = run_of(sectors, rng)
    seconds = int(rng.choice([1, 2, 5, 64, 3600, 86400, rng.integers(1, 10_000)])) * int(rng.choice([-1, 1]))
    field = rng.choice([1, 64, 4096, 1 << 17])  # of the packed stamp: second, minute, hour, day
    change = seconds if rng.random() < 0.5 else field * int(rng.choice([-1, 1]))
    sectors["stamp"][which] = (sectors["stamp"][which].astype(np.int64) + change).astype(np.uint32)
    repaired(sectors, which)


def wrong_fraction(header, sectors, rng):
    """Stamps off by a few samples, up to several sectors."""
    which = run_of(sectors, rng)
    if rng.random() < 0.5:
        sectors["stamp_index"][which] += rng.integers(-200, 200).astype(np.int16) // rng.choice([1, 10, 40])
    else:
        sectors["fraction"][which] ^= rng.integers(0, 1 << 16, dtype=np.uint16)
    repaired(sectors, which)


def wrong_count(header, sectors, rng):
    which = run_of(sectors, rng)
    sectors["count"][which] = rng.integers(0, 122)
    repaired(sectors, which)


def rates(header, sectors, rng):
    """Another rate or range in the header, in the sectors, or in both."""
    code = rng.integers(0, 256)
    if rng.random() < 0.6:
        header[36] = code
    if rng.random() < 0.6:
        which = slice(None) if rng.random() < 0.5 else run_of(sectors, rng)
        sectors["rate_code"][which] = code
        repaired(sectors, which)


def header_bytes(header, sectors, rng):
    header[rng.integers(0, HEADER_BYTES, rng.integers(1, 6))] = rng.integers(0, 256)


def exchanged(header, sectors, rng):
    a, b = rng.integers(0, len(sectors), 2)
    sectors[[a, b]] = sectors[[b, a]]


def shuffled(header, sectors, rng):
    which = slice(*np.sort(rng.integers(0, len(sectors) + 1, 2)))
    sectors[which] = sectors[which][rng.permutation(len(sectors[which]))]


def lost_or_doubled(header, sectors, rng):
    sectors[:] = sectors[np.sort(rng.integers(0, len(sectors), len(sectors)))]


def copied(header, sectors, rng):
    """A stretch of sectors that occurs twice, as after a failed write."""
    length = rng.integers(1, 7)
    source, target = rng.integers(0, max(1, len(sectors) - length), 2)
    sectors[target : target + length] = sectors[source : source + length].copy()


def blank(header, sectors, rng):
    which = run_of(sectors, rng)
    sectors.view(np.uint8).reshape(-1, SECTOR_BYTES)[which] = rng.choice([0, 255])


def samples_changed(header, sectors, rng):
    which = run_of(sectors, rng)
    raw = sectors.view(np.uint8).reshape(-1, SECTOR_BYTES)
    raw[which, rng.integers(30, 510, rng.integers(1, 30))] = rng.integers(0, 256)
    if rng.random() < 0.5:
        repaired(sectors, which)


OF_SECTORS = (
    bytes_of_fields, special_values, wrong_clock, wrong_fraction, wrong_count, rates, header_bytes, exchanged, shuffled,
    lost_or_doubled, copied, blank, samples_changed,
)  # fmt: skip


def flipped(content: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    where = rng.integers(0, len(content), rng.integers(1, 20))
    content[where] ^= (1 << rng.integers(0, 8, len(where))).astype(np.uint8)
    return content


def cut(content: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return content[: rng.integers(0, len(content))]


def bytes_lost(content: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    first = rng.integers(0, len(content))
    return np.delete(content, slice(first, first + rng.integers(1, 600)))


def bytes_put_in(content: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return np.insert(content, rng.integers(0, len(content)), rng.integers(0, 256, rng.integers(1, 600), dtype=np.uint8))


OF_BYTES = (flipped, cut, bytes_lost, bytes_put_in)


def mutated(content: bytes, seed: int) -> bytes:
    """One to three mutations of sectors, and sometimes one of the bytes of the file."""
    rng = np.random.default_rng(seed)
    everything = np.frombuffer(content, np.uint8).copy()
    header, sectors = everything[:HEADER_BYTES], everything[HEADER_BYTES:].view(SECTOR)
    for number in rng.integers(0, len(OF_SECTORS), rng.integers(1, 4)):
        OF_SECTORS[number](header, sectors, rng)
    if rng.random() < 0.25:
        everything = OF_BYTES[rng.integers(len(OF_BYTES))](everything, rng)
    return everything.tobytes()
