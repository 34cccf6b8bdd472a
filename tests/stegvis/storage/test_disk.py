"""A disk that refuses is distinguished from every other error, and no file is named."""

from __future__ import annotations

import errno
import sqlite3

import duckdb
import pytest

from stegvis.storage.disk import refusal


def chained(cause: BaseException) -> BaseException:
    try:
        try:
            raise cause
        except BaseException as inner:
            raise RuntimeError("something went wrong") from inner
    except RuntimeError as outer:
        return outer


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "P1_back.cwa"), "no space left on device"),
        (OSError(errno.EROFS, "Read-only file system", "P1_back.cwa"), "read-only file system"),
        (sqlite3.OperationalError("database or disk is full"), "no space left on device"),
        (sqlite3.OperationalError("attempt to write a readonly database"), "read-only file system"),
        (duckdb.IOException('IO Error: Could not write file "P1": No space left on device'), "no space left on device"),
    ],
)
def test_a_refusal_is_reported_without_the_file(error: BaseException, said: str) -> None:
    for each in (error, chained(error)):
        assert refusal(each) == f"the disk refuses: {said}"


@pytest.mark.parametrize("error", [FileNotFoundError(errno.ENOENT, "gone"), ValueError("disk is full"), KeyError("x")])
def test_another_error_is_none(error: BaseException) -> None:
    assert refusal(error) is None
