"""The house keeps its rules: who may know whom, one name through every room, nothing of the machine it was built on."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from assets.building.graph import STAGES, recipes
from study.dictionary import dictionary

ROOT = Path(__file__).parents[1]
ROOMS = ("orchestration", "assets", "expectations", "storage", "study")
MODULES = {file.relative_to(ROOT).as_posix(): file for room in ROOMS for file in sorted((ROOT / room).rglob("*.py"))}
SELECTS = sorted((ROOT / "sql").glob("*.sql"))

# What each room may import of the others.
MAY_KNOW = {
    "orchestration": {"assets", "expectations", "storage", "study"},
    "assets": {"expectations", "storage", "study"},
    "storage": {"study"},
    "expectations": {"study.protocol"},
    "study": set(),
}
# What each room must not import of the outside.
MUST_NOT_KNOW = {
    "storage": {"dagster"},
    "expectations": {"dagster", "duckdb"},
    "study": {"dagster", "duckdb"},
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
    """The imports of a module that its room does not allow."""
    room = module.split("/")[0]
    foreign = {other for other in ROOMS if other != room}
    return [
        name
        for name in imported(ast.parse(source))
        if (within(name, foreign) and not within(name, MAY_KNOW[room])) or within(name, MUST_NOT_KNOW.get(room, set()))
    ]


@pytest.mark.parametrize("module", MODULES)
def test_a_module_knows_only_the_rooms_below_it(module: str) -> None:
    assert breaches(module, MODULES[module].read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("study/x.py", "import duckdb"),
        ("study/x.py", "from dagster import asset"),
        ("study/x.py", "def f():\n    from storage.home import Home"),
        ("storage/x.py", "from expectations import rules"),
        ("storage/x.py", "import dagster as dg"),
        ("expectations/x.py", "from study import codebook"),
        ("expectations/x.py", "import study.claims"),
        ("assets/x.py", "if TYPE_CHECKING:\n    from orchestration.plan import plan"),
    ],
)
def test_the_rule_would_see_a_breach(module: str, source: str) -> None:
    assert len(breaches(module, source)) == 1


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("study/x.py", "from study.protocol import protocol\nimport pandas"),
        ("storage/x.py", "import duckdb\nfrom study.codebook import codebook"),
        ("expectations/x.py", "from expectations.rules import Rule\nfrom study.protocol import Protocol"),
        ("assets/x.py", "import dagster\nfrom storage.home import Home\nfrom expectations.judge import judge"),
        ("orchestration/x.py", "from assets.building.graph import recipes"),
    ],
)
def test_the_rule_lets_pass_what_is_allowed(module: str, source: str) -> None:
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
    assert not {name for name in names if within(name, {*HEAVY, "expectations.judge"})}


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
