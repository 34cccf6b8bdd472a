"""The models of the reference answers, as terms."""

from __future__ import annotations

from stegvis.statistics.terms import Categorical, Linear
from tests.stegvis.conftest import PROTOCOL

HC0 = PROTOCOL.models.model_copy(update={"variance": "hc0"})
STATA = PROTOCOL.models.model_copy(update={"variance": "stata"})
VOLUME = Categorical("vol_cat", (1, 2, 3, 4))
COVARIATES = [
    Linear("age"),
    Linear("women"),
    Categorical("edu", (1, 2, 3)),
    Categorical("smoke", ("never", "former", "current")),
    Linear("bmi"),
]
VOLUME_LEVELS = {1: None} | {level: VOLUME.coefficient(level) for level in (2, 3, 4)}
