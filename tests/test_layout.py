"""The layout of the code: who may import whom, no cycles, one name per table in every folder."""

from __future__ import annotations

import ast
import graphlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from stegvis.assets.graph import TABLES, tables
from stegvis.study.dictionary import dictionary
from tests.package_source import MODULES, ROOT, imported, package_sources, parsed
from tests.study import STUDY

SELECTS = sorted((ROOT / "sql").glob("*.sql"))

# What each folder may import of the package, and of the outside. Of nested folders the innermost counts.
LIBRARY = {
    f"stegvis.{each.stem}"
    for each in (ROOT / "stegvis").iterdir()
    if (each.suffix == ".py" or (each / "__init__.py").is_file()) and each.stem not in {"__init__", "storage"}
}
MAY_IMPORT = {
    "orchestration": {"stegvis"},
    "assets": {"stegvis.assets", "stegvis.expectations", "stegvis.sql", "stegvis.storage", "stegvis.studies", *LIBRARY},
    "expectations": {"stegvis.expectations", "stegvis.lazy_import", "stegvis.study"},
    "sql": set(),
    "studies": set(),
    "stegvis/storage": {"stegvis.storage", "stegvis.sql", "stegvis.studies", *LIBRARY},
    "stegvis": {"stegvis.sql", "stegvis.studies", *LIBRARY},
}
MUST_NOT_IMPORT = {
    "expectations": {"dagster", "duckdb"},
    "stegvis/storage": {"dagster"},
    "stegvis": {"dagster", "duckdb"},
}
# Packages that take a second or more, or are rarely needed: imported where they are used.
HEAVY = {"altair", "statsmodels", "great_tables", "great_expectations", "pyreadstat", "numba", "vl_convert"}


def within(name: str, packages: set[str]) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def breaches(module: str, source: str) -> list[str]:
    """The imports of a module that its folder does not allow."""
    folder = max((each for each in MAY_IMPORT if module.startswith(f"{each}/")), key=len)
    return [
        name
        for name in imported(parsed(source))
        if (within(name, {"stegvis"}) and not within(name, MAY_IMPORT[folder]))
        or within(name, MUST_NOT_IMPORT.get(folder, set()))
    ]


def sources() -> Iterator[tuple[str, str]]:
    """Each module of the package and its text."""
    return ((module, file.read_text(encoding="utf-8")) for module, file in MODULES.items())


def test_a_module_imports_only_what_its_folder_may() -> None:
    found = {module: breaches(module, source) for module, source in sources()}
    assert {module: names for module, names in found.items() if names} == {}


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


def test_a_module_is_cheap_to_import() -> None:
    """``evaluate`` is the one module that is itself imported late."""
    late = {*HEAVY, "stegvis.expectations.evaluate"}
    found = {module: [name for name in at_import(parsed(source)) if within(name, late)] for module, source in sources()}
    del found["expectations/evaluate.py"]
    assert {module: names for module, names in found.items() if names} == {}


def test_the_definitions_load_without_what_only_runs_need() -> None:
    """Dagster loads them in every process that it starts, and most commands do."""
    sources, seen, waiting = package_sources(), set(), ["stegvis.orchestration.definitions"]
    late = {"pandas", "numpy", "pyarrow", "duckdb", "scipy", *HEAVY}
    while waiting:
        module = waiting.pop()
        if module in seen or module not in sources:
            continue
        seen.add(module)
        names = set(imports_by(parsed(sources[module]), inside_functions=False))
        assert not [name for name in names if within(name, late)], module
        waiting += [*names, *(name.rpartition(".")[0] for name in {*names, module})]
    assert "stegvis.storage.warehouse" in seen


def test_a_module_says_what_it_is_for() -> None:
    assert [module for module, source in sources() if not ast.get_docstring(parsed(source))] == []


# ---- one name per table in every folder ----


@pytest.mark.parametrize("name", sorted(TABLES))
def test_a_table_has_its_expectations_and_its_columns_in_the_dictionary(name: str) -> None:
    assert (ROOT / "assets" / f"{TABLES[name].name}.py").is_file()
    assert (ROOT / "expectations" / f"{name}.py").is_file()
    assert dictionary()[name]


def test_every_module_of_a_table_is_in_the_graph_and_every_suite_has_a_table() -> None:
    modules = {file.stem for file in (ROOT / "assets").glob("*.py")}
    assert modules == {*tables(), "__init__", "graph", "home", "table", "ui"}
    suites = {file.stem for file in (ROOT / "expectations").glob("*.py")}
    assert suites == {*TABLES, "__init__", "evaluate", "expectation"}


def test_every_select_is_watched_by_a_table() -> None:
    watched = {name for table in tables().values() for name in table.method(STUDY) if name.startswith("sql/")}
    assert watched == {f"sql/{file.name}" for file in SELECTS}


def test_the_first_table_is_reached_after_few_lines_of_machinery() -> None:
    machinery = ("__init__", "home", "table")
    lines = sum(len((ROOT / "assets" / f"{name}.py").read_text().splitlines()) for name in machinery)
    assert lines <= 250


# ---- how SQL is written ----

NOT_SQL = re.compile(r"'(?:[^']|'')*'|\"[^\"]*\"|--[^\n]*|/\*.*?\*/", re.DOTALL)


@pytest.mark.parametrize("file", SELECTS, ids=lambda file: file.name)
def test_sql_is_written_in_lower_case(file: Path) -> None:
    assert re.findall(r"\w*[A-Z]\w*", NOT_SQL.sub(" ", file.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize("file", SELECTS, ids=lambda file: file.name)
def test_a_select_begins_by_saying_what_its_rows_are(file: Path) -> None:
    assert file.read_text(encoding="utf-8").startswith(f"-- {file.stem}: ")


# ---- no import cycles ----


def imports_by(node: ast.AST, inside_functions: bool) -> Iterator[str]:
    """The dotted names that run-time code imports; what is under ``if TYPE_CHECKING`` never runs."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import | ast.ImportFrom):
            yield from imported(child)
        elif isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            for other in child.orelse:
                yield from imports_by(other, inside_functions)
        elif inside_functions or not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from imports_by(child, inside_functions)


def find_cycle(sources: dict[str, str], inside_functions: bool) -> list[str]:
    """One cycle of imports among modules (source by dotted name); empty where there is none.

    ``from package import name`` counts as an import of the module ``package.name`` where there is one, else of the
    package. That importing a module first imports the packages it is in does not count.
    """
    graph: dict[str, set[str]] = {}
    for module, source in sources.items():
        graph[module] = set()
        for name in imports_by(parsed(source), inside_functions):
            found = name if name in sources else name.rpartition(".")[0]
            graph[module] |= {found} & (sources.keys() - {module})
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        return list(error.args[1])
    return []


def test_modules_do_not_import_each_other_in_a_cycle() -> None:
    assert find_cycle(package_sources(), inside_functions=False) == []


def test_an_import_inside_a_function_does_not_hide_a_cycle() -> None:
    assert find_cycle(package_sources(), inside_functions=True) == []


def test_the_search_would_find_a_cycle() -> None:
    late = {"stegvis.a": "from stegvis.b import x", "stegvis.b": "def f():\n    import stegvis.c", "stegvis.c": ""}
    assert find_cycle(late, inside_functions=True) == []
    late["stegvis.c"] = "from stegvis import a"
    assert find_cycle(late, inside_functions=False) == []
    assert set(find_cycle(late, inside_functions=True)) == set(late)
    late["stegvis.c"] = "if TYPE_CHECKING:\n    from stegvis import a"
    assert find_cycle(late, inside_functions=True) == []
