"""A recipe's method changes with whatever decides the result, and with nothing else."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from stegvis.assets.building import code
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
def add(x: int, y: int) -> int:
    return x + y + protocol()
'''
PROTOCOL = "def protocol() -> int:\n    return 0\n"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of three modules: an asset, the science that it uses and the protocol."""
    for file, text in {
        "assets/sum.py": ASSET,
        "study/adding.py": ADDING,
        "stegvis/study/protocol.py": PROTOCOL,
    }.items():
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).write_text(text)
    monkeypatch.setattr(code, "ROOT", tmp_path)
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
        ("study/adding.py", "x + y", "x - y"),
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
    monkeypatch.setattr(code, "ROOT", project)
    times = (project / "study/adding.py").stat()
    (project / "study/adding.py").write_text(ADDING.replace("x + y", "x - y"))
    os.utime(project / "study/adding.py", ns=(times.st_atime_ns, times.st_mtime_ns))
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
    for room in ("assets", "study", "storage"):
        shutil.copytree(code.ROOT / room, tmp_path / room, ignore=shutil.ignore_patterns("__pycache__", "*.npz"))
    monkeypatch.setattr(code, "ROOT", tmp_path)
    before = code_digest(f"assets.{stage}")
    with (tmp_path / file).open("a") as handle:
        handle.write("\nCHANGED = True\n")
    assert code_digest(f"assets.{stage}") != before


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
