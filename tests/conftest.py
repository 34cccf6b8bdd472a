"""How many examples are drawn, and which files of tests start first."""

from __future__ import annotations

import pytest
from hypothesis import settings

from tests.sizes import examples

settings.register_profile("stegvis", max_examples=examples(100))
settings.load_profile("stegvis")

# A file of tests runs in one process: those that take longest start first, or the last one would run alone. The first
# file builds the home that the others of its folder copy; meanwhile the other process runs tests that need no home.
LONGEST_FIRST = (
    "orchestration/test_accept.py",
    "attacks",
    "stegvis/analyses",
    "orchestration",
    "stegvis/disclosure",
    "stegvis/deliveries",
    "stegvis/storage",
    "expectations",
)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    def place(item: pytest.Item) -> int:
        file = item.path.relative_to(config.rootpath / "tests")
        places = [LONGEST_FIRST.index(each) for each in (str(file), str(file.parent)) if each in LONGEST_FIRST]
        return min(places, default=len(LONGEST_FIRST))

    items.sort(key=place)
