"""The plots of a stage, and what happens where one cannot be drawn."""

from __future__ import annotations

import logging
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from stegvis.assets.building import pictures
from stegvis.study.protocol import protocol


def a_build(stage: str) -> Any:
    return SimpleNamespace(
        recipe=SimpleNamespace(name=stage),
        landing=SimpleNamespace(synthetic=True),
        protocol=protocol(),
        log=logging.getLogger("a stage"),
    )


def test_a_plot_of_synthetic_people_says_so_and_small_bins_are_left_out() -> None:
    minutes = pd.DataFrame({"walking_minutes": [*[55.0] * 30, *[65.0] * 40, 250.0]})
    (plot,) = pictures.pictures_of(minutes, {}, a_build("walking_exposures")).values()
    assert plot.value.startswith("![plot of synthetic data](data:image/png;base64,")
    few = pd.DataFrame({"walking_minutes": [250.0]})
    assert pictures.pictures_of(few, {}, a_build("walking_exposures")) == {}


def test_a_plot_that_cannot_be_drawn_is_said_and_fails_nothing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: Any) -> dict[str, str]:
        raise ValueError("person 123456 walks 250 minutes")

    monkeypatch.setitem(pictures.PICTURES, "walking_exposures", broken)
    assert pictures.pictures_of(pd.DataFrame(), {}, a_build("walking_exposures")) == {}
    assert "the plots of walking_exposures could not be drawn: ValueError" in caplog.text
    assert "123456" not in caplog.text
