"""The header of a CWA file: what the device recorded about itself."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl

import numpy as np
from numpy.typing import NDArray

from stegvis.accelerometry.cwa_format import (
    AX6_HARDWARE,
    HEADER,
    HEADER_BYTES,
    HEADER_LENGTH,
    HEADER_MAGIC,
    SMALLEST_RATE_CODE,
    CwaError,
    decode_stamps,
    range_g,
    rate_hz,
)

# Serial numbers of a device whose own was erased: all bits clear or set.
WIPED = (0, 0xFFFF, 0xFFFFFFFF)


@dataclass(frozen=True)
class CwaHeader:
    """What the device recorded about itself. Times are device-local; ``None`` if unset or impossible.

    Attributes:
        hardware: ``AX3`` or ``AX6``.
        device_id: serial number.
        recording_id: number of the recording (session), set by whoever configured the device.
        rate_hz: nominal sampling rate.
        range_g: largest acceleration in either direction.
        firmware: revision of the firmware.
        annotations: free text by key (``_p`` body location, ``_sc`` subject code ...); may identify a person.
    """

    hardware: str
    device_id: int
    recording_id: int
    rate_hz: float
    range_g: int
    firmware: int
    logging_start: np.datetime64 | None
    logging_end: np.datetime64 | None
    last_change: np.datetime64 | None
    annotations: dict[str, str]

    @property
    def identified(self) -> bool:
        """Whether the device has a serial number; some were wiped before the files were shared."""
        return self.device_id not in WIPED


def read_header(path: Path) -> CwaHeader:
    """Read only the header of a CWA file.

    Raises:
        CwaError: the file is empty, cut off within its header or not a CWA file, or its sampling rate is impossible.
        OSError: the file cannot be opened.
    """
    return parse_header(np.fromfile(path, dtype=np.uint8, count=HEADER_BYTES))


def parse_header(content: NDArray[np.uint8]) -> CwaHeader:
    """The header at the beginning of a file's bytes.

    Raises:
        CwaError: as ``read_header``.
    """
    if len(content) == 0:
        raise CwaError("the file is empty")
    if len(content) < 4 or content[:4].view("<u2").tolist() != [HEADER_MAGIC, HEADER_LENGTH]:
        raise CwaError("not a CWA file: it does not begin with a CWA header")
    if len(content) < HEADER_BYTES:
        raise CwaError("the file is cut off within its header")
    raw = content[:HEADER_BYTES].view(HEADER)[0]
    code = int(raw["rate_code"])
    if code & 15 < SMALLEST_RATE_CODE:
        raise CwaError("the header's sampling rate is none that a device has")
    stamps = decode_stamps(np.array([raw["logging_start"], raw["logging_end"], raw["last_change"]], dtype=np.uint32))
    start, end, change = (None if np.isnat(stamp) else stamp for stamp in stamps)
    high = int(raw["device_high"])
    return CwaHeader(
        hardware="AX6" if raw["hardware"] == AX6_HARDWARE else "AX3",
        device_id=int(raw["device_low"]) + (0 if high == 0xFFFF else high << 16),
        recording_id=int(raw["recording"]),
        rate_hz=rate_hz(code),
        range_g=range_g(code),
        firmware=int(raw["firmware"]),
        logging_start=start,
        logging_end=end,
        last_change=change,
        annotations=_annotations(bytes(raw["annotation"])),
    )


def _annotations(raw: bytes) -> dict[str, str]:
    text = raw.rstrip(b"\xff\x00 ").decode("latin-1")
    return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=None, errors="replace"))
