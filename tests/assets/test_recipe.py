"""A recipe's method changes with whatever decides the result, and with nothing else."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from stegvis.assets.building import code, recipe
from stegvis.assets.building.graph import STAGES, recipes
from stegvis.assets.building.recipe import code_digest, fingerprint, normalized_sql
from stegvis.study.protocol import Protocol, protocol

# ---- the text of a SELECT ----

QUERY = """
-- what it is for
select person, 'a -- b' as label /* why */
from cohort
where age > 64.5 and sex = 'it''s  female' and "odd -- name" is null
"""


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("-- what it is for", "-- what it was for"),
        ("-- what it is for\n", ""),
        ("/* why */", "/* because\n   of that */"),
        (" /* why */", ""),
        ("\nfrom cohort", "\n\n    from   cohort"),
        ("from cohort\nwhere", "from cohort -- everyone\nwhere"),
        (" and sex", "\n\tand sex"),
    ],
    ids=["comment", "comment gone", "block comment", "block comment gone", "spacing", "end of line", "tab"],
)
def test_an_edited_comment_or_spacing_is_not_an_edited_query(old: str, new: str) -> None:
    assert old in QUERY
    assert normalized_sql(QUERY.replace(old, new)) == normalized_sql(QUERY)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("> 64.5", ">= 64.5"),
        ("64.5", "65.5"),
        ("'a -- b'", "'a -- c'"),
        ("'a -- b'", "'a'"),
        ("it''s", "it''S"),
        ('"odd -- name"', '"odd"'),
        ("and sex", "or sex"),
        ("is null", "isnull"),
    ],
    ids=[
        "operator",
        "number",
        "after dashes in text",
        "dashes in text",
        "letter case",
        "name",
        "logic",
        "joined words",
    ],
)
def test_an_edited_literal_name_or_logic_is(old: str, new: str) -> None:
    assert old in QUERY
    assert normalized_sql(QUERY.replace(old, new)) != normalized_sql(QUERY)


def test_the_spaces_inside_a_literal_count() -> None:
    assert normalized_sql("select 'a  b'") != normalized_sql("select 'a b'")


def test_dashes_inside_a_literal_are_not_a_comment() -> None:
    assert normalized_sql("select 'a -- b' as x -- c\n, 1") == "select 'a -- b' as x , 1"


# ---- the code ----

ASSET = '''
"""What it makes."""
from stegvis.study.adding import add
RECIPE = "its name"
def make(x: int) -> int:
    """Returns."""
    return add(x, 1)  # one more
'''
ADDING = '''
"""Adds."""
from stegvis.study.protocol import protocol
WORDS = data_file("words.toml")
def add(x: int, y: int) -> int:
    return x + y + protocol()
'''
PROTOCOL = "def protocol() -> int:\n    return 0\n"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of three modules: an asset, the science that it uses and the protocol."""
    for file, text in {
        "assets/sum.py": ASSET,
        "stegvis/study/adding.py": ADDING,
        "stegvis/study/protocol.py": PROTOCOL,
        "stegvis/words.toml": "yes = 'ja'",
    }.items():
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text(text)
    monkeypatch.setattr(code, "PACKAGE", tmp_path / "stegvis")
    return tmp_path


def digest_after(project: Path, file: str, old: str, new: str) -> str:
    text = (project / file).read_text()
    assert old in text
    (project / file).write_text(text.replace(old, new))
    return code_digest("stegvis.assets.sum")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("  # one more", ""),
        ('"""Returns."""', '"""Returns the sum."""'),
        ('"""What it makes."""\n', ""),
        ("add(x, 1)", "add(\n        x,\n        1,\n    )"),
        ('RECIPE = "its name"', 'RECIPE = "another name"'),
    ],
    ids=["comment", "docstring", "no docstring", "layout", "recipe"],
)
def test_comments_docstrings_layout_and_the_recipe_are_not_code(project: Path, old: str, new: str) -> None:
    before = code_digest("stegvis.assets.sum")
    assert digest_after(project, "assets/sum.py", old, new) == before


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("assets/sum.py", "add(x, 1)", "add(x, 2)"),
        ("assets/sum.py", "return add", "x = 0\n    return add"),
        ("stegvis/study/adding.py", "x + y", "x - y"),
    ],
    ids=["number", "statement", "imported science"],
)
def test_code_counts_also_that_which_it_imports(project: Path, file: str, old: str, new: str) -> None:
    before = code_digest("stegvis.assets.sum")
    assert digest_after(project, file, old, new) != before


def test_the_protocol_is_compared_by_value_not_as_code(project: Path) -> None:
    before = code_digest("stegvis.assets.sum")
    assert digest_after(project, "stegvis/study/protocol.py", "return 0", "return 1") == before


def test_what_is_kept_holds_for_the_text_it_was_found_for(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that changed within a tick of the clock, or came with an old time stamp, is another text all the same."""
    before = code_digest("stegvis.assets.sum")
    code._normalized.cache_clear()
    monkeypatch.setattr(code, "_parsed", lambda text: pytest.fail("it was parsed again"))
    assert code_digest("stegvis.assets.sum") == before
    monkeypatch.undo()
    monkeypatch.setattr(code, "PACKAGE", project / "stegvis")
    times = (project / "stegvis/study/adding.py").stat()
    (project / "stegvis/study/adding.py").write_text(ADDING.replace("x + y", "x - y"))
    os.utime(project / "stegvis/study/adding.py", ns=(times.st_atime_ns, times.st_mtime_ns))
    code._normalized.cache_clear()
    assert code_digest("stegvis.assets.sum") != before


@pytest.mark.parametrize(
    ("stage", "file"),
    [
        ("baseline_questionnaire", "assets/building/delivered.py"),
        ("followup_questionnaire", "assets/building/delivered.py"),
        ("recordings", "assets/building/delivered.py"),
        ("withdrawals", "assets/building/delivered.py"),
        ("release", "assets/report.py"),
    ],
)
def test_code_shared_by_stages_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stage: str, file: str) -> None:
    for folder in ("assets", "stegvis"):
        source = code.PACKAGE.parent / folder
        shutil.copytree(source, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__", "*.npz"))
    monkeypatch.setattr(code, "PACKAGE", tmp_path / "stegvis")
    before = code_digest(f"stegvis.assets.{stage}")
    with (tmp_path / file).open("a") as handle:
        handle.write("\nCHANGED = True\n")
    assert code_digest(f"stegvis.assets.{stage}") != before


def test_an_edited_data_file_changes_the_digest_of_the_code_that_names_it(project: Path) -> None:
    before = code.data_digests("stegvis.assets.sum")
    assert list(before) == ["words.toml"]
    (project / "stegvis/words.toml").write_text("yes = 'jo'")
    assert code.data_digests("stegvis.assets.sum") != before


DECIDES_NO_RESULT = {
    # Values of these two are compared one by one.
    "study/protocol.toml",
    "study/codebook.toml",
    # Descriptions of columns in the UI and the documentation.
    "study/dictionary.toml",
    # What was measured of the shipped classifier: a document.
    "accelerometry/model/model_card.json",
    "accelerometry/model/model_card.md",
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
    named = {name for stage in STAGES for name in code.data_digests(f"stegvis.assets.{stage}")}
    watched = {file for file in files if any(file == name or file.startswith(f"{name.rstrip('/')}/") for name in named)}
    assert files - watched == DECIDES_NO_RESULT - watched
    assert {"claims/claims.toml", "reporting/texts/nb.toml", "reproduction/repeat.R"} <= watched


@pytest.mark.parametrize("library", recipe.LIBRARIES)
def test_another_version_of_a_library_makes_every_table_stale(library: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = {stage: each.code_version(protocol()) for stage, each in recipes().items()}
    versions = recipe.library_versions() | {f"library {library}": "another"}
    monkeypatch.setattr(recipe, "library_versions", lambda: versions)
    assert not [stage for stage, each in recipes().items() if each.code_version(protocol()) == before[stage]]


# ---- the fingerprint ----


def test_a_fingerprint_does_not_depend_on_the_order_of_its_parts() -> None:
    assert fingerprint({"a": "1", "b": "2"}) == fingerprint({"b": "2", "a": "1"})


@pytest.mark.parametrize("other", [{"a": "1"}, {"a": "2", "b": "1"}, {"a": "1", "c": "2"}, {"a": "12", "b": ""}])
def test_a_fingerprint_changes_with_any_name_or_part(other: dict[str, str]) -> None:
    assert fingerprint(other) != fingerprint({"a": "1", "b": "2"})


# ---- the protocol ----

EDITS: dict[str, Any] = {
    "study.mode": "strict",
    "days.must_be_positive": ["lying"],
    "days.seconds_per_day": 86405,
    "days.days_per_recording": 8,
    "epochs.seconds": 10,
    "walking_speed.cadence_exponent": 0.6,
    "exposures.met_slow": 2.9,
    "exposures.minimum_valid_days": 4,
    "exposures.categories": "fixed_published",
    "covariates.depression_cut": 8,
    "exclusions.complete_case": ["sex"],
    "models.variance": "hc0",
    "disclosure.smallest_count": 6,
    "characteristics.education_groups": {"primary": ["primary"]},
    "checks.plausible_risk": [0.03, 0.6],
}


def edited(name: str) -> Protocol:
    """The protocol in force with one value edited."""
    values = protocol().model_dump(mode="json")
    section, key = name.split(".")
    values[section][key] = EDITS[name]
    return Protocol.model_validate(values)


def names_it(stage: str, name: str) -> bool:
    return any(name == named or name.startswith(f"{named}.") for named in recipes()[stage].protocol_names())


@pytest.mark.parametrize("name", EDITS)
def test_an_edited_value_changes_the_method_of_exactly_the_stages_that_name_it(name: str) -> None:
    for stage, its_recipe in recipes().items():
        before, after = its_recipe.method(protocol()), its_recipe.method(edited(name))
        changed = {part for part in before | after if before.get(part) != after.get(part)}
        rules_differ = repr(its_recipe.rules(protocol())) != repr(its_recipe.rules(edited(name)))
        assert changed - {"expectations"} == {
            f"protocol {named}"
            for named in its_recipe.protocol_names()
            if name == named or name.startswith(f"{named}.")
        }, stage
        assert ("expectations" in changed) == rules_differ, stage
        stale = its_recipe.code_version(protocol()) != its_recipe.code_version(edited(name))
        assert stale == (names_it(stage, name) or rules_differ), stage


@pytest.mark.parametrize(
    ("name", "stage"),
    [
        ("study.mode", "cohort"),
        ("study.mode", "outcome_questionnaire"),
        ("study.mode", "risk_ratios"),
        ("days.must_be_positive", "daily_exposures"),
        ("days.seconds_per_day", "recordings"),
        ("days.days_per_recording", "recordings"),
        ("epochs.seconds", "epoch_classification"),
        ("epochs.seconds", "daily_exposures"),
        ("walking_speed.cadence_exponent", "recordings"),
        ("exposures.met_slow", "walking_exposures"),
        ("exposures.minimum_valid_days", "exclusions"),
        ("exposures.categories", "analysis_set"),
        ("covariates.depression_cut", "cohort"),
        ("exclusions.complete_case", "exclusions"),
        ("models.variance", "risk_ratios"),
        ("models.variance", "pooled_models"),
        ("disclosure.smallest_count", "report"),
        ("disclosure.smallest_count", "release"),
        ("characteristics.education_groups", "characteristics"),
    ],
)
def test_a_stage_names_the_values_that_its_result_depends_on(name: str, stage: str) -> None:
    assert names_it(stage, name)


@pytest.mark.parametrize("stage", ["withdrawals", "cohort", "exclusions", "risk_ratios"])
def test_a_warning_threshold_of_another_table_changes_nothing(stage: str) -> None:
    its_recipe = recipes()[stage]
    assert its_recipe.code_version(protocol()) == its_recipe.code_version(edited("checks.plausible_risk"))


def test_every_name_exists_in_the_protocol() -> None:
    for its_recipe in recipes().values():
        for name in its_recipe.protocol_names():
            protocol().value(name)


def test_the_graph_holds_every_stage_upstream_first() -> None:
    assert tuple(recipes()) == STAGES
    for place, its_recipe in enumerate(recipes().values()):
        assert set(its_recipe.upstream) <= set(STAGES[:place])
