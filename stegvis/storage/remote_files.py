"""Recordings that stay in object storage: a worker fetches those of its task into its own scratch.

The sha256 in ``drop.json`` is compared with what was fetched: the scan of the landing zone does not read recordings.
"""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from stegvis.storage.objects import ObjectGoneError, ObjectStore
from stegvis.storage.tasks import LostTaskError, StopTasksError, UnfitWorkerError

# Where a worker puts what it fetches; else the folder of the Dask worker, else that of the system for temporary files.
SCRATCH_VARIABLE = "STEGVIS_SCRATCH"
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_IS_FULL = f"the scratch disk is full; free space there, or name another folder in {SCRATCH_VARIABLE}"


@dataclass(frozen=True)
class RemoteFile:
    """A file in object storage: its name in the landing zone, its size in bytes, its entity tag, its sha256."""

    store: ObjectStore
    name: str
    size: int
    etag: str
    sha256: str


class FaultyObjectError(LostTaskError):
    """The object is gone, or is not the one that ``drop.json`` describes."""

    def __init__(self, file: RemoteFile) -> None:
        super().__init__(file)
        self.file = file

    def __str__(self) -> str:
        return "an object is gone, or not the file that drop.json describes"


class FaultyObjectsError(StopTasksError):
    """Recordings in object storage are gone, or not what ``drop.json`` describes; ``files`` are these."""

    def __init__(self, files: Sequence[RemoteFile]) -> None:
        super().__init__(
            f"{len(files)} recordings in object storage are gone, or not the files that drop.json describes. Their "
            "drop is rejected until they are uploaded again; stegvis status names them"
        )
        self.files = tuple(files)


@contextmanager
def local_files(files: Sequence[Path | RemoteFile]) -> Iterator[tuple[Path, ...]]:
    """The files on a disk of this machine, as long as they are needed.

    Raises:
        FaultyObjectError: an object is gone or another.
        UnfitWorkerError: the scratch of this worker is full or cannot be written to.
        stegvis.storage.objects.ObjectStorageError: the object storage does not answer.
    """
    if not any(isinstance(file, RemoteFile) for file in files):
        yield tuple(file for file in files if isinstance(file, Path))
        return
    with scratch() as folder:
        # Not under the names of the objects, which are people's.
        yield tuple(_fetched(file, folder / str(number)) for number, file in enumerate(files))


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder in the scratch of this worker, as long as it is needed.

    Raises:
        UnfitWorkerError: the scratch is full or cannot be written to.
    """
    try:
        folder = Path(tempfile.mkdtemp(prefix="stegvis-", dir=_scratch()))
    except OSError as error:
        if error.errno in _FULL:
            raise UnfitWorkerError(_IS_FULL) from None
        raise UnfitWorkerError(
            f"the scratch folder cannot be written to; correct it, or name another in {SCRATCH_VARIABLE}"
        ) from None
    try:
        yield folder
    except OSError as error:
        if error.errno in _FULL:
            raise UnfitWorkerError(_IS_FULL) from None
        raise
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _fetched(file: Path | RemoteFile, target: Path) -> Path:
    if isinstance(file, Path):
        return file
    target = target.with_suffix(PurePosixPath(file.name).suffix.lower())
    try:
        sha256 = file.store.fetch(file.name, file.size, target)
    except ObjectGoneError:
        raise FaultyObjectError(file) from None
    if sha256 != file.sha256:
        raise FaultyObjectError(file)
    return target


def _scratch() -> str | None:
    named = os.environ.get(SCRATCH_VARIABLE)
    if named:
        return named
    from distributed import get_worker

    try:
        return str(get_worker().local_directory)
    except ValueError:  # not in a worker
        return None
