"""Classify the raw pairs and signals of a batch, each once, in worker processes.

Finds the recordings that have no processing record yet, pools the calibration of devices over the batch, distributes
the work and reports progress. Calibrations are pooled within a batch and never beyond it, so that a batch does not
depend on what was delivered before or after it.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stegvis.accelerometry.calibration import Calibration, calibrate, pooled
from stegvis.accelerometry.cwa_format import CwaError
from stegvis.accelerometry.cwa_header import read_header
from stegvis.accelerometry.method import Method
from stegvis.storage.classification import (
    ClassificationTask,
    DirectionsTask,
    classify_recording,
    find_still_directions,
    keep_classified,
    refused,
)
from stegvis.storage.fan_out import fan_out
from stegvis.storage.lake import EpochLake
from stegvis.storage.landing import LandedFile
from stegvis.storage.recording_records import RecordingRecord, RecordingRecords
from stegvis.storage.remote_files import FaultyObjectError, FaultyObjectsError
from stegvis.storage.tasks import LostTaskError
from stegvis.study.codebook import Layout
from stegvis.study.protocol import Protocol

SECONDS_BETWEEN_REPORTS = 5.0


@dataclass(frozen=True)
class Source:
    """A recording to classify.

    Attributes:
        person: the identifier as it is stored.
        level: ``raw`` or ``signal``.
        files: back before thigh.
        delivered_as: the identifier as delivered, in canonical form; of a home that stores pseudonyms.
    """

    person: str
    level: str
    files: tuple[LandedFile, ...]
    delivered_as: str = ""


@dataclass(frozen=True)
class Outcome:
    """The result of a recording: the name of its shard in the lake, and its record (``classify_recording``)."""

    shard: str
    record: RecordingRecord


@dataclass
class RecordingBatch:
    """The recordings of one batch.

    Attributes:
        lake: where shards are staged.
        records: the processing records of the batch.
        name: makes the name of a record from its kind (``raw``, ``signal`` or ``still``) and its own parts; it must
            depend on everything else that decides the record (``stegvis.accelerometry.method``).
        report: called with one line of progress at a time.
        protocol: the settings of the classification.
        layout: the codebook's layout of a signal.
        used_records: the names of all records that were needed; others belong to earlier deliveries or methods.
    """

    lake: EpochLake
    records: RecordingRecords
    name: Callable[[str, Mapping[str, str]], str]
    report: Callable[[str], None]
    protocol: Protocol
    layout: Layout
    used_records: set[str] = field(default_factory=set)

    @cached_property
    def method(self) -> Method:
        """The settings of the classification."""
        return Method.of(self.protocol)

    def classify(self, sources: Sequence[Source]) -> list[Outcome]:
        """The result of each recording, in the same order; recordings that have a record are not read again.

        Raises:
            stegvis.storage.tasks.ClusterLostError: the workers disappeared; completed recordings are kept.
            stegvis.storage.tasks.StopTasksError: object storage or scratch cannot be used; the same.
            stegvis.storage.remote_files.FaultyObjectsError: objects are not those of ``drop.json``; the rest is kept.
            stegvis.accelerometry.epoch_model.ModelError: the classifier cannot be used.
        """
        calibrations = self._calibrations(sources)
        tasks = [self._task(source, calibrations) for source in sources]
        self.used_records |= {task.name for task in tasks}
        known = {task.name: self._known(task) for task in tasks}
        for source, task in zip(sources, tasks, strict=True):
            if known[task.name] is None and source.delivered_as:
                before = self._task(replace(source, person=source.delivered_as), calibrations)
                known[task.name] = self._taken_over(before, task)
        new = [task for task in tasks if known[task.name] is None]
        if new:
            # An unusable model is a fault of the installation and not of a recording, so it is found here first.
            from stegvis.accelerometry.epoch_model import load_model
            from stegvis.accelerometry.thigh_model import THIGH_MODELS, load_thigh_model

            load_model()
            for model_file in THIGH_MODELS.values():
                load_thigh_model(model_file)
        results = fan_out(
            classify_recording,
            new,
            self._progress("recordings classified", lambda found: int(found.record.get("epochs", 0))),
            keep=lambda task, found: keep_classified(task.name, found, self.lake, self.records),
            report=self.report,
        )
        _no_faulty_objects(results)
        for task, result in zip(new, results, strict=True):
            # A recording whose task was lost has no stored record, so it is tried again the next time.
            known[task.name] = refused("lost", str(result)) if isinstance(result, LostTaskError) else result.record
        return [Outcome(task.name, known[task.name] or {}) for task in tasks]

    def _task(self, source: Source, calibrations: Mapping[str, tuple[int, Calibration]]) -> ClassificationTask:
        own = dict(calibrations[file.sha256] for file in source.files if file.sha256 in calibrations)
        parts = {"person": source.person, "files": " ".join(file.sha256 for file in source.files)}
        parts |= {f"device {device}": _as_text(calibration) for device, calibration in own.items()}
        return ClassificationTask(
            name=self.name(source.level, parts),
            person=source.person,
            level=source.level,
            files=tuple(file.content for file in source.files),
            method=self.method,
            layout=self.layout,
            calibrations=own,
        )

    def _known(self, task: ClassificationTask) -> RecordingRecord | None:
        """The record of a recording that is complete; a shard that was stored as rows of epochs becomes bouts."""
        if record := self.records.read(task.name):
            there = self.lake.shard(task.name) or self.lake.convert(task.name, self.method.epochs.seconds)
            return record if record["rule"] is not None or there else None
        return None

    def _taken_over(self, before: ClassificationTask, task: ClassificationTask) -> RecordingRecord | None:
        """The record of a recording that was classified before the home stored pseudonyms, and its shard with one."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        record, shard = self._known(before), self.lake.shard(before.name)
        if record is None:
            return None
        if shard is not None:  # of a refused recording there is none
            bouts = pq.read_table(shard, partitioning=None)
            person = pa.repeat(pa.scalar(task.person, pa.string()), bouts.num_rows)
            self.lake.write_bouts(task.name, [bouts.set_column(0, "person", person)])
        self.records.write(task.name, record)
        return record

    def _calibrations(self, sources: Sequence[Source]) -> dict[str, tuple[int, Calibration]]:
        """Device and pooled calibration by file hash, for files that cannot be calibrated alone but pooled.

        Only files of devices with several recordings in the batch are read.
        """
        files = {file.sha256: file for source in sources if source.level == "raw" for file in source.files}
        by_device: dict[int, list[str]] = defaultdict(list)
        for sha256, file in sorted(files.items()):
            device = _device(file)
            if device is not None:
                by_device[device].append(sha256)
        shared = {device: hashes for device, hashes in by_device.items() if len(hashes) > 1}
        directions = self._directions([files[sha256] for hashes in shared.values() for sha256 in hashes])
        rules = self.method.calibration
        found: dict[str, tuple[int, Calibration]] = {}
        for device, hashes in shared.items():
            uncalibrated = [sha256 for sha256 in hashes if not calibrate(directions[sha256], rules).calibrated]
            together = calibrate(pooled((directions[sha256] for sha256 in hashes), rules), rules)
            if together.calibrated:
                found |= dict.fromkeys(uncalibrated, (device, together))
        return found

    def _directions(self, files: Sequence[LandedFile]) -> dict[str, NDArray[np.float64]]:
        """The directions (k, 3) of each file's device while stationary, by the file's hash."""
        tasks = [DirectionsTask(self.name("still", {"file": file.sha256}), file.content, self.method) for file in files]
        self.used_records |= {task.name for task in tasks}
        known = {task.name: self.records.read(task.name) for task in tasks}
        new = [task for task in tasks if known[task.name] is None]
        results = fan_out(
            find_still_directions,
            new,
            self._progress("files read for calibration", lambda found: 0),
            keep=lambda task, record: self.records.write(task.name, record),
            report=self.report,
        )
        _no_faulty_objects(results)
        for task, result in zip(new, results, strict=True):
            known[task.name] = None if isinstance(result, LostTaskError) else result
        records = [known[task.name] for task in tasks]
        return {
            file.sha256: np.array(record["directions"] if record else [], dtype=np.float64).reshape(-1, 3)
            for file, record in zip(files, records, strict=True)
        }

    def _progress(self, what: str, epochs_of: Callable[[Any], int]) -> Callable[[int, int, Any], None]:
        started = reported = time.monotonic()
        epochs = 0

        def progress(done: int, total: int, result: Any) -> None:
            nonlocal reported, epochs
            now = time.monotonic()
            epochs += 0 if isinstance(result, LostTaskError) else epochs_of(result)
            if done in (1, total) or now - reported >= SECONDS_BETWEEN_REPORTS:
                reported = now
                seconds = now - started
                line = f"{done} of {total} {what}"
                if epochs:
                    line += f", {epochs / seconds:,.0f} epochs per second"
                if done < total:
                    line += f", about {_duration(seconds / done * (total - done))} left"
                self.report(line)

        return progress


def _no_faulty_objects(results: Sequence[object]) -> None:
    faulty = [result.file for result in results if isinstance(result, FaultyObjectError)]
    if faulty:
        raise FaultyObjectsError(faulty)


def _device(file: LandedFile) -> int | None:
    try:
        return read_header(file.path).device_id
    except (CwaError, OSError):
        # The reason is reported when the recording is classified.
        return None


def _as_text(calibration: Calibration) -> str:
    return repr([*calibration.offset.tolist(), *calibration.gain.tolist()])


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
