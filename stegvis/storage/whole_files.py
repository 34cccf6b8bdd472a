"""Files as a whole: replaced at once, copied with their hash, known to be on the disk."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

_BLOCK = 1 << 20


def write_whole(file: Path, text: str) -> None:
    """Replace a file at once, and wait until it is on the disk."""
    file.parent.mkdir(parents=True, exist_ok=True)
    unfinished = file.with_name(f".{file.name}.{os.getpid()}")
    with unfinished.open("w", encoding="utf-8") as opened:
        opened.write(text)
        opened.flush()
        os.fsync(opened.fileno())
    unfinished.replace(file)


def copy_whole(source: Path, target: Path) -> tuple[os.stat_result, int, str]:
    """Copy a file with its time of change and permissions, and wait until it is on the disk.

    Of a file of JSON lines only whole lines are copied, because one may be being written.

    Returns:
        The state of the source when it was opened, and the size in bytes and the sha256 of what was copied.
    """
    digest, size = hashlib.sha256(), 0
    with source.open("rb") as opened, target.open("wb") as written:
        state = os.fstat(opened.fileno())
        if source.suffix == ".jsonl":
            blocks: Iterator[bytes] = iter([_whole_lines(opened.read())])
        else:
            blocks = iter(lambda: opened.read(_BLOCK), b"")
        for block in blocks:
            digest.update(block)
            size += written.write(block)
        written.flush()
        os.fsync(written.fileno())
    os.utime(target, ns=(state.st_atime_ns, state.st_mtime_ns))
    target.chmod(state.st_mode & 0o777)
    return state, size, digest.hexdigest()


def sha256_of(file: Path) -> str:
    """The sha256 of a file, in hexadecimal digits."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def sync_folder(folder: Path) -> None:
    """Wait until a folder's entries are on the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _whole_lines(content: bytes) -> bytes:
    return content[: content.rfind(b"\n") + 1]
