"""Files in object storage (S3), through fsspec and s3fs.

Every request is tried a stated number of times, with growing pauses, and has a time limit; what fails after that is one
line: which object, what happened, what to do. s3fs and botocore retry nothing themselves, so that the number is true.
An object is written in one request, so it is there as a whole or not at all.

Names of recordings are names of people, so messages name the folder of a recording only.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass, replace
from functools import cache
from mmap import mmap
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

from stegvis.storage.tasks import StopTasksError

Found = TypeVar("Found")

# Bytes of one request. A raw file of a week has 250 MB.
BLOCK = 16 << 20
# Bytes that are written with one request.
_ONE_REQUEST = 100 << 20


class ObjectStorageError(StopTasksError):
    """The object storage cannot be used. The message names no person."""


class ObjectGoneError(ObjectStorageError):
    """There is no such object, or no such bucket."""


@dataclass(frozen=True)
class ObjectState:
    """What a listing says of an object: its size in bytes, its entity tag, its time of change (seconds since 1970)."""

    size: int
    etag: str
    modified: float


@dataclass(frozen=True)
class ObjectStore:
    """A folder in object storage. It is picklable, and has no secret in it.

    Attributes:
        url: ``s3://bucket/prefix``.
        endpoint: address of the server; blank for the one in the environment or the configuration of AWS.
        attempts: how often a request is tried.
        wait: seconds before the second attempt; each further pause is twice as long.
        seconds: time limit of one request.
    """

    url: str
    endpoint: str = ""
    attempts: int = 5
    wait: float = 1.0
    seconds: float = 60.0

    def within(self, folder: str) -> ObjectStore:
        """A folder of this one."""
        return replace(self, url=f"{self.url}/{folder}")

    def objects(self) -> dict[str, ObjectState]:
        """Every object below, by its name relative to this folder."""
        root = self._path("").rstrip("/")
        # One request for each thousand objects, whatever folders they are in.
        found = self._tried("", lambda: self._fs()._lsdir(root, delimiter=""))
        return {
            info["name"][len(root) + 1 :]: ObjectState(
                int(info["size"]), str(info["ETag"]).strip('"'), info["LastModified"].timestamp()
            )
            for info in found
            if not info["name"].endswith("/")
        }

    def read(self, name: str, begin: int, end: int) -> bytes:
        """The bytes of an object from ``begin`` to before ``end``, which it has.

        Raises:
            ObjectStorageError: it cannot be read.
        """
        if begin == end:
            return b""

        async def read() -> bytes:
            found: bytes = await self._fs()._cat_file(self._path(name), start=begin, end=end)
            if len(found) != end - begin:
                raise _ShortAnswerError
            return found

        return self._tried(name, read)

    def fetch(self, name: str, size: int, target: Path) -> str:
        """Write an object of this size in bytes to a file, block by block; returns its sha256.

        Raises:
            ObjectStorageError: it cannot be read; no file is left.
        """
        digest = hashlib.sha256()
        try:
            with target.open("wb") as file:
                for begin in range(0, size, BLOCK):
                    block = self.read(name, begin, min(begin + BLOCK, size))
                    digest.update(block)
                    file.write(block)
        except BaseException:
            target.unlink(missing_ok=True)
            raise
        return digest.hexdigest()

    def write(self, name: str, content: bytes | mmap) -> None:
        """Create or replace an object, as a whole: parts of a large one are put together by the server at the end."""
        whole = content if len(content) > _ONE_REQUEST else bytes(content)
        limit = self.seconds * (1 + len(content) // BLOCK)
        self._tried(name, lambda: self._fs()._pipe_file(self._path(name), whole, chunksize=_ONE_REQUEST // 2), limit)

    def delete(self, name: str) -> None:
        """Delete an object, if there is one."""
        self._tried(name, lambda: self._fs()._rm_file(self._path(name)))

    def shown(self, name: str) -> str:
        """The address of an object for messages; of a recording, the address of its folder."""
        path = PurePosixPath(f"{self.url.removeprefix('s3://')}/{name}")
        if "recordings" in path.parts[:-1] and path.suffix.lower() in (".cwa", ".csv", ".parquet"):
            path = path.parent / f"*{path.suffix.lower()}"
        return f"s3://{path}"

    def _path(self, name: str) -> str:
        return f"{self.url.removeprefix('s3://')}/{name}"

    def _fs(self) -> Any:
        return _filesystem(self.endpoint, self.seconds)

    def _tried(self, name: str, request: Callable[[], Coroutine[Any, Any, Found]], limit: float = 0.0) -> Found:
        """The answer to a request with this time limit in seconds, after as many attempts as there are.

        Raises:
            ObjectGoneError: there is no such object.
            ObjectStorageError: it was refused, or failed each time.
        """
        from fsspec.asyn import sync

        async def within_limit() -> Found:
            return await asyncio.wait_for(request(), limit or self.seconds)

        begin, loop = time.monotonic(), self._fs().loop
        for attempt, pause in enumerate(self._pauses(), start=1):
            try:
                return sync(loop, within_limit)
            except (FileNotFoundError, PermissionError) as error:
                raise _final(self.shown(name), error) from None
            except Exception as error:
                if type(error).__name__ == "NoCredentialsError":
                    raise _final(self.shown(name), error) from None
                what = self._what(error)
                if attempt < self.attempts:
                    time.sleep(pause)
        raise ObjectStorageError(
            f"{self.shown(name)}: {what}, tried {self.attempts} times in {time.monotonic() - begin:.0f} s. Nothing of "
            "it was kept; when the object storage answers again, stegvis refresh goes on from there"
        ) from None

    def _pauses(self) -> Iterator[float]:
        yield from (self.wait * 2**number for number in range(self.attempts))

    def _what(self, error: BaseException) -> str:
        if isinstance(error, TimeoutError):
            return f"no answer within {self.seconds:g} s"
        if type(error).__name__ in _CUT_SHORT or type(error.__cause__).__name__ in _CUT_SHORT:
            return "the answer was cut short"
        if code := _status(error):
            return f"the object storage answered {code}"
        name = type(error.__cause__ or error).__name__
        return f"the object storage cannot be reached ({name})"


_CUT_SHORT = {"_ShortAnswerError", "ContentLengthError", "ClientPayloadError", "IncompleteRead", "IncompleteReadError"}


class _ShortAnswerError(Exception):
    """Fewer bytes than were asked for."""


def _final(shown: str, error: BaseException) -> ObjectStorageError:
    """What trying again does not help against."""
    if isinstance(error, FileNotFoundError):
        return ObjectGoneError(f"{shown}: there is no such object or bucket; correct storage.toml, or upload it again")
    return ObjectStorageError(
        f"{shown}: access was refused. Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile of AWS, on this "
        "machine and on each worker"
    )


def _status(error: BaseException | None) -> int | None:
    """The HTTP status in the error of botocore behind this one."""
    while error is not None:
        response = getattr(error, "response", None)
        if isinstance(response, dict):
            code = response.get("ResponseMetadata", {}).get("HTTPStatusCode")
            return int(code) if code else None
        error = error.__cause__ or error.__context__
    return None


@cache
def _filesystem(endpoint: str, seconds: float) -> Any:
    """The filesystem of s3fs, without retries of its own and without a cache of listings.

    Raises:
        ObjectStorageError: its packages are not installed.
    """
    try:
        import s3fs
    except ImportError:
        raise ObjectStorageError(
            "object storage needs the packages of the extra cluster: pip install 'stegvis[cluster]', or in a checkout "
            "pip install --no-deps -r requirements-cluster.lock, on this machine and on each worker"
        ) from None
    limits = {"connect_timeout": min(seconds, 10), "read_timeout": seconds, "retries": {"total_max_attempts": 1}}
    fs = s3fs.S3FileSystem(
        endpoint_url=endpoint or None, use_listings_cache=False, skip_instance_cache=True, config_kwargs=limits
    )
    fs.retries = 1
    return fs
