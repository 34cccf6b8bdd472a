"""How many examples are drawn, and which files of tests start first."""

from __future__ import annotations

import pytest
from hypothesis import settings

from tests.sizes import examples

settings.register_profile("stegvis", max_examples=examples(100))
settings.load_profile("stegvis")

# A file of tests runs in one process: those that take longest start first, or the last one would run alone.
LONGEST_FIRST = (
    "orchestration",
    "attacks",
    "stegvis/disclosure",
    "stegvis/deliveries",
    "stegvis/storage",
    "expectations",
)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    def place(item: pytest.Item) -> int:
        folder = item.path.parent.relative_to(config.rootpath / "tests").as_posix()
        return LONGEST_FIRST.index(folder) if folder in LONGEST_FIRST else len(LONGEST_FIRST)

    items.sort(key=place)
