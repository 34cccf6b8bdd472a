"""``storage.toml`` in the home: which parts of it are in object storage. Without the file, none is.

    landing = "s3://bucket/landing"       # read from; never written to
    lake = "s3://bucket/lake"             # a copy of the lake, kept equal

    [s3]
    endpoint = "https://s3.example.org"   # else as AWS_ENDPOINT_URL says
    attempts = 5
    wait = 1.0                            # seconds before the second attempt, then twice as long each time
    seconds = 60.0                        # time limit of one request

Secrets do not belong here: they are where every program of S3 finds them (``AWS_ACCESS_KEY_ID``, a profile, a role).
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from stegvis.storage.objects import ObjectStorageError, ObjectStore

FILE = "storage.toml"
_URL = r"^s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[^/?#\s]+)*$"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class S3Settings(_Strict):
    """How the server is reached; as in ``ObjectStore``."""

    endpoint: str = Field(default="", pattern=r"^(https?://\S+)?$")
    attempts: int = Field(default=5, ge=1, le=20)
    wait: float = Field(default=1.0, gt=0, le=60)
    seconds: float = Field(default=60.0, gt=0, le=3600)


class StorageSettings(_Strict):
    """The content of the file. ``landing`` and ``lake`` are addresses, or null for folders of the home."""

    landing: str | None = Field(default=None, pattern=_URL)
    lake: str | None = Field(default=None, pattern=_URL)
    s3: S3Settings = S3Settings()

    def store(self, url: str) -> ObjectStore:
        """The folder at this address."""
        return ObjectStore(url, self.s3.endpoint, self.s3.attempts, self.s3.wait, self.s3.seconds)


def storage_settings(root: Path) -> StorageSettings:
    """The settings of the home at ``root``.

    Raises:
        ObjectStorageError: the file is not of this form; the message names it and each fault.
    """
    file = root / FILE
    try:
        content: dict[str, Any] = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return StorageSettings()
    except (OSError, ValueError) as error:
        raise ObjectStorageError(f"{file} cannot be read: {error}") from None
    try:
        found = StorageSettings.model_validate(content)
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
        raise ObjectStorageError(
            f"{file}: {faults}. It may have landing and lake, both s3://bucket/prefix, and a section [s3] with "
            "endpoint, attempts, wait and seconds"
        ) from None
    if found.landing and found.lake and (_below(found.landing, found.lake) or _below(found.lake, found.landing)):
        raise ObjectStorageError(f"{file}: landing and lake must be beside each other, not one within the other")
    return found


def _below(one: str, other: str) -> bool:
    return f"{one}/".startswith(f"{other}/")
