"""What counts as a change of the code that makes a table."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from stegvis.assets.graph import tables
from stegvis.provenance import code, libraries
from stegvis.provenance.code import code_parts
from stegvis.storage import tables as tables_module
from stegvis.study.study import Study
from tests.study import PROTOCOL, STUDY

MODULE = "stegvis.assets.total"
ASSET = '''
"""What it makes."""
from stegvis.assets.other import other
from stegvis.assets.table import table
from stegvis.study.adding import add
@table(deps=[other], kinds={"python"})
def total(x: int) -> int:
    """Returns."""
    return add(x, 1)  # one more
'''
OTHER = """
from stegvis.assets.table import table
@table(deps=[], kinds={"python"})
def other() -> int:
    return 1
"""
ADDING = '''
"""Adds."""
from stegvis.study.protocol import read
WORDS = data_file("words.toml")
def add(x: int, y: int) -> int:
    return x + y + read()
'''
READING = "def read() -> int:\n    return 0\n"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project: an asset, the asset it depends on, the arithmetic that it uses, and the protocol."""
    for file, text in {
        "assets/total.py": ASSET,
        "assets/other.py": OTHER,
        "stegvis/study/adding.py": ADDING,
        "stegvis/study/protocol.py": READING,
        "stegvis/words.toml": "yes = 'ja'",
    }.items():
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text(text)
    monkeypatch.setattr(code, "PACKAGE", tmp_path / "stegvis")
    return tmp_path


def parts_after(project: Path, file: str, old: str, new: str) -> dict[str, str]:
    text = (project / file).read_text()
    assert old in text
    (project / file).write_text(text.replace(old, new))
    return code_parts(MODULE)


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("assets/total.py", "  # one more", ""),
        ("assets/total.py", '"""Returns."""', '"""Returns the sum."""'),
        ("assets/total.py", '"""What it makes."""\n', ""),
        ("assets/total.py", "add(x, 1)", "add(\n        x,\n        1,\n    )"),
        ("assets/total.py", 'kinds={"python"}', 'kinds={"numpy"}'),
        ("assets/other.py", "return 1", "return 2"),
        ("stegvis/study/protocol.py", "return 0", "return 1"),
    ],
    ids=["comment", "docstring", "no docstring", "layout", "decorator", "table upstream", "protocol"],
)
def test_what_decides_no_row_is_no_change(project: Path, file: str, old: str, new: str) -> None:
    """A table upstream counts by its rows, and the protocol by the values that are read."""
    before = code_parts(MODULE)
    assert parts_after(project, file, old, new) == before


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("assets/total.py", "add(x, 1)", "add(x, 2)"),
        ("assets/total.py", "return add", "x = 0\n    return add"),
        ("stegvis/study/adding.py", "x + y", "x - y"),
        ("stegvis/words.toml", "ja", "jo"),
    ],
    ids=["number", "statement", "imported code", "data file"],
)
def test_what_decides_a_row_is_a_change(project: Path, file: str, old: str, new: str) -> None:
    before = code_parts(MODULE)
    assert parts_after(project, file, old, new) != before


def test_a_cached_digest_belongs_to_its_text(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that changed within a tick of the clock, or came with an old time stamp, is another text all the same."""
    before = code_parts(MODULE)
    code._parsed.cache_clear()
    monkeypatch.setattr(code, "_parse", lambda text: pytest.fail("it was parsed again"))
    assert code_parts(MODULE) == before
    monkeypatch.undo()
    monkeypatch.setattr(code, "PACKAGE", project / "stegvis")
    times = (project / "stegvis/study/adding.py").stat()
    (project / "stegvis/study/adding.py").write_text(ADDING.replace("x + y", "x - y"))
    os.utime(project / "stegvis/study/adding.py", ns=(times.st_atime_ns, times.st_mtime_ns))
    code._parsed.cache_clear()
    assert code_parts(MODULE) != before


@pytest.mark.parametrize(
    ("table", "file"),
    [
        ("baseline_questionnaire", "storage/drops.py"),
        ("followup_questionnaire", "storage/drops.py"),
        ("epoch_classification", "storage/drops.py"),
        ("withdrawals", "storage/drops.py"),
        ("release", "storage/report_inputs.py"),
        ("risk_ratios", "statistics/poisson.py"),
    ],
)
def test_code_shared_by_tables_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, table: str, file: str) -> None:
    for folder in ("assets", "stegvis"):
        source = code.PACKAGE.parent / folder
        shutil.copytree(source, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__", "*.npz"))
    shutil.copytree(
        code.PACKAGE / "accelerometry" / "model", tmp_path / "stegvis/accelerometry/model", dirs_exist_ok=True
    )
    monkeypatch.setattr(code, "PACKAGE", tmp_path / "stegvis")
    before = code_parts(f"stegvis.assets.{table}")
    with (tmp_path / "stegvis" / file).open("a") as handle:
        handle.write("\nCHANGED = True\n")
    assert code_parts(f"stegvis.assets.{table}") != before


DECIDES_NO_RESULT = {
    # Descriptions of columns in the UI and the documentation.
    "study/dictionary.toml",
    # What was measured of the shipped classifier: a document.
    "accelerometry/model/model_card.json",
    "accelerometry/model/model_card.md",
    "accelerometry/model/thigh_50hz_card.json",
    "accelerometry/model/thigh_50hz_card.md",
    "accelerometry/model/thigh_12hz_card.json",
    "accelerometry/model/thigh_12hz_card.md",
    # The twin writes deliveries, whose hashes count.
    "twin/gait.toml",
    "twin/hunt4_spectra.toml",
    "twin/parameters.toml",
}


def test_every_data_file_that_decides_a_result_is_watched_by_a_table() -> None:
    kinds = {".toml", ".j2", ".css", ".npz", ".R", ".json", ".md"}
    files = {
        file.relative_to(code.PACKAGE).as_posix()
        for file in code.PACKAGE.rglob("*")
        if file.suffix in kinds and "__pycache__" not in file.parts
    }
    named = {
        part.removeprefix("file ")
        for table in tables().values()
        for part in table.method(Study.shipped())
        if part.startswith("file ")
    }
    watched = {file for file in files if any(file == name or file.startswith(f"{name.rstrip('/')}/") for name in named)}
    assert files - watched == DECIDES_NO_RESULT - watched
    assert {"reporting/texts/nb.toml", "reproduction/repeat.R"} <= watched


@pytest.mark.parametrize("library", libraries.COMPUTE)
def test_another_version_of_a_library_makes_every_table_stale(library: str, monkeypatch: pytest.MonkeyPatch) -> None:
    study = Study.shipped()
    before = {name: table.method(study) for name, table in tables().items()}
    versions = libraries.library_versions() | {f"library {library}": "another"}
    monkeypatch.setattr(tables_module, "library_versions", lambda: versions)
    assert not [name for name, table in tables().items() if table.method(study) == before[name]]


def test_a_threshold_of_another_table_changes_nothing() -> None:
    values = PROTOCOL.model_dump(mode="json")
    values["checks"]["plausible_risk"] = [0.03, 0.6]
    before = {name: table.method(STUDY) for name, table in tables().items()}
    edited = replace(STUDY, protocol=type(PROTOCOL).model_validate(values))
    changed = [name for name, table in tables().items() if table.method(edited) != before[name]]
    assert changed == ["outcome_questionnaire"]
