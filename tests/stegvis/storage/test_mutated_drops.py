"""Whole mutated drops through ``validate`` and ``refresh``: the two agree, and nothing fails or changes anybody.

``make fuzz`` runs 200; ``STEGVIS_FUZZ_DROPS`` gives another number.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from stegvis.study.codebook import read_codebook
from tests.sizes import FUZZ_DROPS
from tests.stegvis.storage import drop_mutations
from tests.stegvis.storage.drop_cases import FILE, LAYOUTS, MANIFEST, SPECIAL, TABLE, long_days, make
from tests.stegvis.storage.test_mutated_files import summaries
from tests.study import CODEBOOK_FILE


@pytest.mark.slow
def test_validate_and_refresh_agree_on_every_mutated_drop(tmp_path: Path) -> None:
    found = summaries(0, FUZZ_DROPS, tmp_path, drop_mutations.__name__)
    assert [each["wrong"] for each in found] == [{}] * len(found)
    assert sum(each["drops"] for each in found) == FUZZ_DROPS
    assert max(each["slowest"] for each in found) < drop_mutations.SECONDS
    assert max(each["megabytes"] for each in found) < drop_mutations.MEGABYTES


@pytest.mark.slow
def test_the_drops_have_every_layout_and_every_mutation() -> None:
    cases = [make(np.random.default_rng(number), number) for number in range(600)]
    assert {case.layout for case in cases} == set(LAYOUTS)
    what = {case.what for case in cases} | {case.what.rsplit(" ", 1)[0].removesuffix(" in") for case in cases}
    assert what >= {*FILE, *TABLE, *MANIFEST, *SPECIAL}


def test_the_study_with_a_row_for_each_day_differs_only_there(tmp_path: Path) -> None:
    text = CODEBOOK_FILE.read_text(encoding="utf-8")
    (tmp_path / "codebook.toml").write_text(long_days(text), encoding="utf-8")
    changed, shipped = read_codebook(tmp_path / "codebook.toml"), read_codebook(CODEBOOK_FILE)
    assert "day" in changed["days"].columns
    assert all(changed[name] == shipped[name] for name in ("participants", "questionnaire", "epochs", "signal"))
