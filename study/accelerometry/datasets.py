"""What is known about a folder of labeled recordings: its name, licence and source.

Belongs here: the public sets the shipped model was trained on, and ``dataset.toml`` of other folders. Does not belong
here: the recordings themselves.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

DESCRIPTION_FILE = "dataset.toml"


class DatasetError(ValueError):
    """A folder's ``dataset.toml`` cannot be understood."""


class Dataset(BaseModel):
    """A labeled set. People of a set that is not ``public`` are never listed one by one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    licence: str = "not stated"
    citation: str = "not stated"
    remark: str = ""
    public: bool = False


PUBLIC_SETS: dict[str, Dataset] = {
    "harth": Dataset(
        name="HARTH v2.0",
        licence="MIT (NTNU AI lab)",
        citation="Logacjov et al. 2021, Sensors 21(23):7853, doi 10.3390/s21237853; data doi 10.24432/C5NC90",
        remark="31 adults in all, about an hour of daytime activities each, labeled from video",
        public=True,
    ),
    "har70plus": Dataset(
        name="HAR70+",
        licence="CC BY 4.0",
        citation="Ustad et al. 2023, Sensors 23(5):2368, doi 10.3390/s23052368; data doi 10.24432/C5CW3D",
        remark="18 adults aged 70 to 95 in all, some with walking aids; no running and no cycling",
        public=True,
    ),
}


def describe(folder: Path) -> Dataset:
    """The set in a folder: what its ``dataset.toml`` says, else a public set by the folder's name, else only a name.

    Raises:
        DatasetError: ``dataset.toml`` is not TOML, or a key is unknown or missing.
    """
    description = folder / DESCRIPTION_FILE
    if description.exists():
        try:
            return Dataset.model_validate(tomllib.loads(description.read_text(encoding="utf-8")))
        except (tomllib.TOMLDecodeError, ValidationError) as error:
            raise DatasetError(f"{description.name} in {folder.name}: {error}") from error
    return PUBLIC_SETS.get(folder.name, Dataset(name=folder.name))
