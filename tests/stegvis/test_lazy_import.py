"""A module that is loaded when it is first used: loaded late, and then the same as ever."""

from __future__ import annotations

import subprocess
import sys

import pytest

from stegvis.lazy_import import load_when_used

CODE = """
import sys
import stegvis.expectations.evaluate
print("scipy.stats._stats_py" in sys.modules)
from scipy import stats
print(stats.norm.cdf(0), "scipy.stats._stats_py" in sys.modules)
import scipy.stats
print(scipy.stats is stats)
"""


@pytest.mark.slow
def test_great_expectations_does_not_load_what_is_not_used_and_others_still_can() -> None:
    shown = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    assert shown.stdout.splitlines() == ["False", "0.5 True", "True"]


def test_a_module_that_does_not_exist_is_named() -> None:
    with pytest.raises(ModuleNotFoundError, match=r"no module named 'json\.nothing'"):
        load_when_used("json", "nothing")
