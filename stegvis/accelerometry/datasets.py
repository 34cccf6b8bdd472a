"""The description of a folder of labeled recordings: name, licence and source.

The public datasets that the shipped model was trained on are listed here; other folders have a ``dataset.toml``.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

DESCRIPTION_FILE = "dataset.toml"


class DatasetError(ValueError):
    """A folder's ``dataset.toml`` cannot be understood."""


class Dataset(BaseModel):
    """A labeled dataset. Participants of a dataset that is not ``public`` are never listed individually.

    ``layout`` is the layout of its files: ``ntnu`` is read by ``recording.read_labeled`` and ``walking_speeds`` by
    ``walking_speed_set.read_walking_speeds``; ``thigh_paces`` is not used for training, only to evaluate walking pace
    (``pace_evaluation``).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    licence: str = "not stated"
    citation: str = "not stated"
    remark: str = ""
    public: bool = False
    layout: Literal["ntnu", "walking_speeds", "thigh_paces"] = "ntnu"


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
    "har_ws_adults": Dataset(
        name="NTNU walking speeds",
        licence="CC BY 4.0",
        citation="Hugging Face, josefheidler/har_ws_adults_2025-harth",
        remark="24 adults walking and running at set speeds",
        public=True,
        layout="walking_speeds",
    ),
    "selfback_thigh": Dataset(
        name="selfBACK",
        licence="not confirmed: not redistributed",
        citation="Sani et al. 2017, KSEM",
        remark="one sensor on the thigh; used to evaluate walking pace, not for training",
        layout="thigh_paces",
    ),
    "sens_thigh": Dataset(
        name="SENS",
        licence="BSD-3-Clause (acti-motus repository)",
        citation="github.com/acti-motus/acti-motus",
        remark="one patch on the side of the thigh, 12.5 samples per second; used to evaluate walking pace, not for "
        "training",
        public=True,
        layout="thigh_paces",
    ),
}


def describe(folder: Path) -> Dataset:
    """The dataset in a folder: from its ``dataset.toml``, else the public dataset of that name, else only a name.

    Raises:
        DatasetError: ``dataset.toml`` is not TOML, or a key is unknown or missing.
    """
    description = folder / DESCRIPTION_FILE
    if description.exists():
        try:
            return Dataset.model_validate(tomllib.loads(description.read_text(encoding="utf-8")))
        except (tomllib.TOMLDecodeError, ValidationError) as error:
            raise DatasetError(f"{description.name} in {folder.name}: {error}") from error
    for name, dataset in PUBLIC_SETS.items():
        if folder.name == name or folder.name.startswith(name + "_"):
            return dataset
    return Dataset(name=folder.name)
