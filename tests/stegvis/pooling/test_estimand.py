"""Which releases estimate the same thing."""

from typing import Any

import pandas as pd
import pytest

from stegvis.pooling.cohorts import Cohort, PoolError
from stegvis.pooling.estimand import must_agree
from stegvis.study.protocol import Protocol
from tests.stegvis.conftest import PROTOCOL, protocol_of


def cohort(name: str, protocol: Protocol, **changed: Any) -> Cohort:
    values = protocol.model_dump(mode="json")
    values["exposures"] |= changed
    return Cohort(name, name, {}, name, values, "2024", pd.DataFrame({"name": [name]}), pd.DataFrame())


@pytest.mark.parametrize(("volume", "intensity"), [(4, None), (3, None), (3, 6), (6, 2)])
def test_other_categories_or_no_intensity_refuse_only_what_uses_them(volume: int, intensity: int | None) -> None:
    must_agree([cohort("a", PROTOCOL), cohort("b", protocol_of(volume, intensity))])
    must_agree([cohort("a", protocol_of(volume, intensity)), cohort("b", PROTOCOL)])


def test_other_mets_of_two_studies_of_intensity_are_refused() -> None:
    with pytest.raises(PoolError, match=r"the METs of walking \(exposures\.met_brisk: 4\.8 and 5\.0"):
        must_agree([cohort("a", PROTOCOL), cohort("b", PROTOCOL, met_brisk=5.0)])
