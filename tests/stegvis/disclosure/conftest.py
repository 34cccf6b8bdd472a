"""A wave of made-up people and its tables."""

import pytest

from tests.stegvis.conftest import analysis_set_of
from tests.stegvis.disclosure.made_tables import FIXED, tables_of


@pytest.fixture(scope="session")
def people():
    return analysis_set_of(1600, seed=4, of=FIXED)


@pytest.fixture(scope="session")
def computed(people):
    return tables_of(people)
