"""A wave of made-up people, its tables, and who is behind them."""

import pytest

from tests.stegvis.conftest import analysis_set_of
from tests.stegvis.disclosure.made_tables import ANALYSES, computed_of


@pytest.fixture(scope="session")
def people():
    return analysis_set_of(1600, seed=4)


@pytest.fixture(scope="session")
def computed(people):
    return computed_of(people, analyses=ANALYSES)


@pytest.fixture(scope="session")
def few_computed(people):
    """Of a few analyses."""
    return computed_of(people)
