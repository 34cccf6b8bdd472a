"""The house keeps its rules: who may know whom, one name through every room, nothing of the machine it was built on."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from stegvis.assets.building.graph import STAGES, recipes

from stegvis.study.dictionary import dictionary

ROOT = Path(__file__).parents[1]
FOLDERS = ("orchestration", "assets", "expectations", "sql", "stegvis")
MODULES = {
    file.relative_to(ROOT).as_posix(): file for folder in FOLDERS for file in sorted((ROOT / folder).rglob("*.py"))
}
SELECTS = sorted((ROOT / "sql").glob("*.sql"))

# What each folder may import of the package, and of the outside. Of nested folders the innermost counts.
LIBRARY = {"stegvis.data_files", "stegvis.accelerometry", "stegvis.analyses", "stegvis.claims", "stegvis.deliveries", "stegvis.disclosure",
           "stegvis.release", "stegvis.reporting", "stegvis.reproduction", "stegvis.statistics", "stegvis.study",
           "stegvis.twin"}  # fmt: skip
MAY_IMPORT = {
    "orchestration": {"stegvis"},
    "assets": {"stegvis.assets", "stegvis.expectations", "stegvis.sql", "stegvis.storage", *LIBRARY},
    "expectations": {"stegvis.expectations", "stegvis.study"},
    "sql": set(),
    "stegvis/storage": {"stegvis.storage", *LIBRARY},
    "stegvis": LIBRARY,
}
MUST_NOT_IMPORT = {
    "expectations": {"dagster", "duckdb"},
    "stegvis/storage": {"dagster"},
    "stegvis": {"dagster", "duckdb"},
}
# Packages that take a second or more, or are rarely needed: imported where they are used.
HEAVY = {"altair", "statsmodels", "great_tables", "great_expectations", "pyreadstat", "numba", "vl_convert"}


def imported(tree: ast.AST) -> Iterator[str]:
    """The dotted names that a tree imports, anywhere in it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "a relative import hides which room it enters"
            assert node.module is not None
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def within(name: str, packages: set[str]) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def breaches(module: str, source: str) -> list[str]:
    """The imports of a module that its folder does not allow."""
    folder = max((each for each in MAY_IMPORT if module.startswith(f"{each}/")), key=len)
    return [
        name
        for name in imported(ast.parse(source))
        if (within(name, {"stegvis"}) and not within(name, MAY_IMPORT[folder]))
        or within(name, MUST_NOT_IMPORT.get(folder, set()))
    ]


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_only_what_its_folder_may(module: str) -> None:
    assert breaches(module, MODULES[module].read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("stegvis/statistics/x.py", "import duckdb"),
        ("stegvis/statistics/x.py", "from dagster import asset"),
        ("stegvis/reporting/x.py", "def f():\n    from stegvis.storage.home import Home"),
        ("stegvis/storage/x.py", "from stegvis.expectations import expectation"),
        ("stegvis/storage/x.py", "import dagster as dg"),
        ("expectations/x.py", "from stegvis.storage import home"),
        ("expectations/x.py", "import stegvis.claims.evaluation"),
        ("assets/x.py", "if TYPE_CHECKING:\n    from stegvis.orchestration.plan import plan"),
    ],
)
def test_the_search_would_find_a_forbidden_import(module: str, source: str) -> None:
    assert len(breaches(module, source)) == 1


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("stegvis/analyses/x.py", "from stegvis.study.protocol import Protocol\nimport pandas"),
        ("stegvis/storage/x.py", "import duckdb\nfrom stegvis.study.codebook import Codebook"),
        ("expectations/x.py", "from stegvis.study.protocol import Protocol"),
        ("assets/x.py", "import dagster\nfrom stegvis.storage.home import Home\nimport stegvis.expectations.evaluate"),
        ("orchestration/x.py", "from stegvis.assets.cohort import cohort"),
    ],
)
def test_the_search_passes_what_is_allowed(module: str, source: str) -> None:
    assert breaches(module, source) == []


def at_import(tree: ast.Module) -> Iterator[str]:
    """What a module imports as it is itself imported: outside functions and ``if TYPE_CHECKING``."""
    for node in tree.body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield from imported(node)


@pytest.mark.parametrize("module", [module for module in MODULES if module != "expectations/judge.py"])
def test_a_module_is_cheap_to_import(module: str) -> None:
    """The judge is the one module that is itself imported late."""
    names = set(at_import(ast.parse(MODULES[module].read_text(encoding="utf-8"))))
    assert not {name for name in names if within(name, {*HEAVY, "stegvis.expectations.judge"})}


@pytest.mark.parametrize("module", MODULES)
def test_a_module_says_what_it_is_for(module: str) -> None:
    assert ast.get_docstring(ast.parse(MODULES[module].read_text(encoding="utf-8")))


# ---- one name through every room ----


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_has_its_asset_its_expectations_and_its_table_in_the_dictionary(stage: str) -> None:
    assert (ROOT / "assets" / f"{stage}.py").is_file()
    assert (ROOT / "expectations" / f"{stage}.py").is_file()
    assert dictionary()[stage]


def test_every_asset_and_every_suite_of_expectations_is_a_stage() -> None:
    assert {file.stem for file in (ROOT / "assets").glob("*.py")} == {*STAGES, "__init__"}
    assert {file.stem for file in (ROOT / "expectations").glob("*.py")} == {*STAGES, "__init__", "rules", "judge"}


def test_a_stage_uses_the_select_of_its_name_and_every_select_is_used() -> None:
    files = {file.stem for file in SELECTS}
    read = {stage: {*recipe.sql} for stage, recipe in recipes().items()}
    assert all(names <= {stage} for stage, names in read.items())
    watched = {Path(name).stem for recipe in recipes().values() for name in recipe.files if name.endswith(".sql")}
    assert set().union(*read.values()) | watched == files


def test_every_file_that_a_stage_watches_is_there() -> None:
    for recipe in recipes().values():
        for name in recipe.files:
            assert (ROOT / name).is_file(), f"{recipe.name} watches {name}"


# ---- how SQL is written ----

NOT_SQL = re.compile(r"'(?:[^']|'')*'|\"[^\"]*\"|--[^\n]*|/\*.*?\*/", re.DOTALL)


@pytest.mark.parametrize("file", SELECTS, ids=lambda file: file.name)
def test_sql_is_written_in_lower_case(file: Path) -> None:
    assert re.findall(r"\w*[A-Z]\w*", NOT_SQL.sub(" ", file.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize("file", SELECTS, ids=lambda file: file.name)
def test_a_select_begins_by_saying_what_its_rows_are(file: Path) -> None:
    assert file.read_text(encoding="utf-8").startswith(f"-- {file.stem}: ")


# ---- nothing of the machine it was built on ----

NOT_COMMITTED = {".git", ".venv", ".stegvis", ".hypothesis", ".pytest_cache", ".mypy_cache", ".ruff_cache", "build"}
# Put together here, so that this file does not hold what it forbids.
BESIDE = "sha" + "red"
INDEX = "py" + "pi"
OPTIONS = "|".join("-".join(words) for words in (("index", "url"), ("find", "links"), ("trusted", "host")))
FORBIDDEN = {
    "a package index address": re.compile(rf"{OPTIONS}|https?://[^\s\"')]*(?:{INDEX}|/simple/)", re.IGNORECASE),
    "a machine path": re.compile(r"(?<![\w.~}-])/(?:work|root|Users)/[\w.]"),
    # The optional folder of real recordings is the one thing there that may be named.
    "the folder beside the project": re.compile(rf"(?<![\w-])(?<!\.\./){BESIDE}/|\.\./{BESIDE}/(?!data\b)"),
}


def committed_texts() -> Iterator[tuple[str, str]]:
    for file in sorted(ROOT.rglob("*")):
        parts = file.relative_to(ROOT).parts
        ours = not any(p in NOT_COMMITTED or p == "__pycache__" or p.endswith(".egg-info") for p in parts)
        if ours and not any(p.startswith(("tmp", ".tmp")) for p in parts) and file.is_file():
            try:
                yield "/".join(parts), file.read_text(encoding="utf-8")
            except UnicodeDecodeError:
                continue  # a model, an image


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_file_tells_of(what: str) -> None:
    found = [
        f"{name}:{number}"
        for name, text in committed_texts()
        for number, line in enumerate(text.splitlines(), start=1)
        if FORBIDDEN[what].search(line)
    ]
    assert found == []


@pytest.mark.parametrize(
    ("what", "line"),
    [
        ("a package index address", f"--{'index'}-url https://packages.example/"),
        ("a package index address", f"see https://{INDEX}.org/project/duckdb"),
        ("a package index address", f"https://packages.example{'/'}simple/duckdb"),
        ("a machine path", f"open('/{'work'}/main/x.py')"),
        ("a machine path", f"/{'root'}/.cache"),
        ("the folder beside the project", f"see {BESIDE}/reference/study.md"),
        ("the folder beside the project", f"{BESIDE}/data without the folder above"),
        ("the folder beside the project", f"../{BESIDE}/reference"),
    ],
)
def test_the_search_would_find_it(what: str, line: str) -> None:
    assert FORBIDDEN[what].search(line)


@pytest.mark.parametrize(
    ("what", "line"),
    [
        ("a machine path", "recordings/work/north, ~/work/today and ${HOME}/root/of"),
        ("the folder beside the project", f"STEGVIS_REAL_DATA or ../{BESIDE}/data"),
        ("the folder beside the project", f'what is {BESIDE} between stages, "{BESIDE}" / "data", dagster_{BESIDE}/x'),
    ],
)
def test_the_search_lets_pass_what_is_allowed(what: str, line: str) -> None:
    assert not FORBIDDEN[what].search(line)
