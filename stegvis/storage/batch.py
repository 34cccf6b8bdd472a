"""The raw pairs and signals of a batch: each classified once, by worker processes, and remembered.

Belongs here: which recordings are new, the calibration of devices by all their recordings of the batch, handing the
work out and telling how far it is. Does not belong here: one recording (``stegvis/storage/classification.py``), processes
(``stegvis/storage/fan_out.py``), the table of recordings (``assets/recordings.py``).

A device's recordings are pooled within the batch and never beyond it, so that a batch is the same whatever was
delivered before or after it.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from stegvis.accelerometry.calibration import Calibration, calibrate, pooled
from stegvis.accelerometry.cwa import CwaError, read_header
from stegvis.storage.classification import RawFile, Recording, classify, lay_still, refused
from stegvis.storage.fan_out import LostTaskError, fan_out
from stegvis.storage.lake import EpochLake
from stegvis.storage.landing import LandedFile
from stegvis.storage.recording_records import Note, RecordingNotes

# Seconds between two lines of progress.
TELL_EVERY = 5.0


@dataclass(frozen=True)
class Source:
    """A recording to classify: whose it is, ``raw`` or ``signal``, and its files, back before thigh."""

    person: str
    level: str
    files: tuple[LandedFile, ...]


@dataclass(frozen=True)
class Outcome:
    """What became of a recording: the name of its shard in the lake, and its note (``classification.classify``)."""

    shard: str
    note: Note


@dataclass
class RecordingBatch:
    """The batch's recordings in the making.

    Attributes:
        lake: where shards go.
        notes: where notes are.
        name: a name from everything that decides a note; given the kind of note and its parts.
        tell: is told how far the work is.
        asked_for: every note that was needed; the others are of deliveries or methods of the past.
    """

    lake: EpochLake
    notes: RecordingNotes
    name: Callable[[str, Mapping[str, str]], str]
    tell: Callable[[str], None]
    asked_for: set[str] = field(default_factory=set)

    def classify(self, sources: Sequence[Source]) -> list[Outcome]:
        """What became of each recording, in their order; those that are remembered are not read again.

        Raises:
            stegvis.storage.fan_out.ClusterLostError: the workers went away; what they did is kept.
            stegvis.accelerometry.classifier.ModelError: the classifier cannot be used.
        """
        calibrations = self._calibrations(sources)
        recordings = []
        for source in sources:
            mine = dict(calibrations[file.sha256] for file in source.files if file.sha256 in calibrations)
            decides = {"person": source.person, "files": " ".join(file.sha256 for file in source.files)}
            decides |= {f"device {device}": _as_text(known) for device, known in mine.items()}
            name = self.name(source.level, decides)
            files = tuple(file.path for file in source.files)
            recordings.append(Recording(name, source.person, source.level, files, self.lake, self.notes, mine))
        self.asked_for |= {recording.name for recording in recordings}
        known = {recording.name: self._known(recording) for recording in recordings}
        new = [recording for recording in recordings if known[recording.name] is None]
        if new:
            # A broken model is a fault of the installation, not of a recording: it fails here, before any is blamed.
            from stegvis.accelerometry.classifier import load_model

            load_model()
        for recording, done in zip(new, fan_out(classify, new, self._progress("recordings classified")), strict=True):
            # A recording that was lost is not remembered: it is tried again the next time.
            known[recording.name] = refused("lost", str(done)) if isinstance(done, LostTaskError) else done
        return [Outcome(recording.name, known[recording.name] or {}) for recording in recordings]

    def _known(self, recording: Recording) -> Note | None:
        note = self.notes.read(recording.name)
        complete = note is not None and (note["rule"] is not None or self.lake.shard(recording.name) is not None)
        return note if complete else None

    def _calibrations(self, sources: Sequence[Source]) -> dict[str, tuple[int, Calibration]]:
        """Device and pooled calibration by file hash, of files whose own week cannot tell and whose device's can.

        Only files of devices with several recordings in the batch are looked at.
        """
        files = {file.sha256: file for source in sources if source.level == "raw" for file in source.files}
        by_device: dict[int, list[str]] = defaultdict(list)
        for sha256, file in sorted(files.items()):
            device = _device(file)
            if device is not None:
                by_device[device].append(sha256)
        shared = {device: hashes for device, hashes in by_device.items() if len(hashes) > 1}
        directions = self._directions([files[sha256] for hashes in shared.values() for sha256 in hashes])
        found: dict[str, tuple[int, Calibration]] = {}
        for device, hashes in shared.items():
            wanting = [sha256 for sha256 in hashes if not calibrate(directions[sha256]).calibrated]
            together = calibrate(pooled(directions[sha256] for sha256 in hashes))
            if together.calibrated:
                found |= dict.fromkeys(wanting, (device, together))
        return found

    def _directions(self, files: Sequence[LandedFile]) -> dict[str, np.ndarray]:
        """The directions (k, 3) each file's device lay still in, by the file's hash."""
        asked = [RawFile(self.name("still", {"file": file.sha256}), file.path, self.notes) for file in files]
        self.asked_for |= {raw.name for raw in asked}
        known = {raw.name: self.notes.read(raw.name) for raw in asked}
        new = [raw for raw in asked if known[raw.name] is None]
        for raw, done in zip(new, fan_out(lay_still, new, self._progress("files read for calibration")), strict=True):
            known[raw.name] = None if isinstance(done, LostTaskError) else done
        notes = [known[raw.name] for raw in asked]
        return {
            file.sha256: np.array(note["directions"] if note else [], dtype=np.float64).reshape(-1, 3)
            for file, note in zip(files, notes, strict=True)
        }

    def _progress(self, what: str) -> Callable[[int, int, Note | LostTaskError], None]:
        started = told = time.monotonic()
        epochs = 0

        def progress(done: int, total: int, note: Note | LostTaskError) -> None:
            nonlocal told, epochs
            now = time.monotonic()
            epochs += note.get("epochs", 0) if isinstance(note, dict) else 0
            if done == total or done == 1 or now - told >= TELL_EVERY:
                told = now
                seconds = now - started
                line = f"{done} of {total} {what}"
                if epochs:
                    line += f", {epochs / seconds:,.0f} epochs per second"
                if done < total:
                    line += f", about {_duration(seconds / done * (total - done))} left"
                self.tell(line)

        return progress


def _device(file: LandedFile) -> int | None:
    try:
        return read_header(file.path).device_id
    except (CwaError, OSError):
        # Why it cannot be read is found out when it is classified.
        return None


def _as_text(calibration: Calibration) -> str:
    return repr([*calibration.offset.tolist(), *calibration.gain.tolist()])


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
