"""Rules that all code keeps: size, public names of Dagster, how data files are opened, and what is never cached."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.package_source import MODULES, ROOT, calls, functions, imported, package_sources, parsed

MODULE_LINES = 400
FUNCTION_LINES = 60
# What else is written in Python and read by people.
OTHERS = {
    file.relative_to(ROOT).as_posix(): file
    for folder in ("benchmarks", "tests")
    for file in sorted((ROOT / folder).rglob("*.py"))
}


def too_long(files: dict[str, Path]) -> list[str]:
    found = []
    for name, file in files.items():
        source = file.read_text(encoding="utf-8")
        lines = len(source.splitlines())
        found += [f"{name}: {lines} lines"] if lines > MODULE_LINES else []
        for function in functions(source):
            # Decorators belong to the next idea up: what makes a command of a function may take many lines.
            lines = (function.end_lineno or 0) - function.lineno + 1
            found += [f"{name}: {function.name} has {lines} lines"] if lines > FUNCTION_LINES else []
    return found


def test_no_module_and_no_function_of_the_package_is_too_long() -> None:
    assert too_long(MODULES) == []


def test_no_test_and_no_benchmark_is_too_long() -> None:
    assert too_long(OTHERS) == []


def test_the_search_would_find_what_is_too_long(tmp_path: Path) -> None:
    body = "    pass\n" * FUNCTION_LINES
    (tmp_path / "a.py").write_text(f"def f():\n{body}")
    (tmp_path / "b.py").write_text("x = 1\n" * (MODULE_LINES + 1))
    found = too_long({name: tmp_path / name for name in ("a.py", "b.py")})
    assert found == [f"a.py: f has {FUNCTION_LINES + 1} lines", f"b.py: {MODULE_LINES + 1} lines"]


# ---- Dagster's public names only ----


# Modules that may, and why: each does without where a later version of Dagster has these names no more.
MAY_BE_PRIVATE = {
    "orchestration/sqlite.py": "Dagster makes an engine for each event it stores; nothing public keeps one",
    "tests/orchestration/test_sqlite.py": "tests these two",
    "orchestration/migration_scripts.py": "the scripts of these files, which alembic reads anew for every run",
}


def private_imports(files: dict[str, Path]) -> list[str]:
    found = []
    for name, file in files.items():
        for target in imported(parsed(file.read_text(encoding="utf-8"))):
            package, *parts = target.split(".")
            if package.startswith("dagster") and any(part.startswith("_") for part in parts):
                found.append(f"{name}: {target}")
    return found


def test_nothing_private_of_dagster_is_imported() -> None:
    found = private_imports(MODULES | OTHERS)
    assert {each.partition(":")[0] for each in found} == MAY_BE_PRIVATE.keys()


def test_the_search_would_find_a_private_import(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("from dagster._core.events import X\nimport dagster\nfrom dagster import _y\n")
    assert private_imports({"a.py": tmp_path / "a.py"}) == ["a.py: dagster._core.events.X", "a.py: dagster._y"]


# ---- data files ----

# Modules of stegvis/ that use ``__file__``, and why they may.
MAY_USE_FILE = {
    "stegvis/data_files.py": "the function that all others call",
    "stegvis/own_code.py": "finds the module behind a line of a traceback; opens no file",
    "stegvis/provenance/code.py": "a change of its own code makes what it stored about other modules invalid",
    "stegvis/storage/report_inputs.py": "one hash of all source files, for the manifest; decides no number",
    "stegvis/version.py": "asks git for the commit of the checkout it is in; decides no number",
    "stegvis/study/dictionary_page.py": "writes a page of docs/, which is not in the package",
}


def named_data_files(sources: Iterable[str]) -> set[str]:
    """The names that ``data_file`` is called with."""
    names = set()
    for source in sources:
        for call in calls(source, "data_file"):
            assert len(call.args) == 1, ast.unparse(call)
            assert isinstance(call.args[0], ast.Constant), f"{ast.unparse(call)}: the name must be a literal"
            names.add(str(call.args[0].value))
    return names


def test_no_module_looks_for_files_beside_itself() -> None:
    found = [
        module
        for module, file in MODULES.items()
        if module.startswith("stegvis/") and module not in MAY_USE_FILE and "__file__" in file.read_text("utf-8")
    ]
    assert found == []


def test_a_data_file_is_named_by_a_literal_and_is_there() -> None:
    for name in named_data_files(package_sources().values()):
        path = ROOT / "stegvis" / name
        assert path.is_dir() if name.endswith("/") else path.is_file(), name


# Data files that no code names, and why.
NOT_NAMED = {
    "reporting/fonts/LICENSE.txt": "of the fonts beside it",
    "accelerometry/model/model_card.md": "for people; written by model_card.py",
    "accelerometry/model/model_card.json": "for people; written by model_card.py",
    "accelerometry/model/thigh_50hz_card.md": "for people; written by thigh_card.py",
    "accelerometry/model/thigh_50hz_card.json": "for people; written by thigh_card.py",
    "accelerometry/model/thigh_12hz_card.md": "for people; written by thigh_card.py",
    "accelerometry/model/thigh_12hz_card.json": "for people; written by thigh_card.py",
}


def test_every_data_file_is_opened_through_data_file() -> None:
    names = named_data_files(package_sources().values())
    folders = tuple(name for name in names if name.endswith("/"))
    files = [
        file.relative_to(ROOT / "stegvis").as_posix()
        for file in sorted((ROOT / "stegvis").rglob("*"))
        if file.is_file() and file.suffix != ".py" and "__pycache__" not in file.parts
    ]
    unnamed = [name for name in files if name not in {*names, *NOT_NAMED} and not name.startswith(folders or ("/",))]
    assert unnamed == []


def test_a_name_that_is_not_a_literal_is_refused() -> None:
    assert named_data_files(["data_file('a/b.toml')", "files.data_file('a/')"]) == {"a/b.toml", "a/"}
    with pytest.raises(AssertionError, match="literal"):
        named_data_files(["data_file(f'texts/{language}.toml')"])


# ---- no result of a study is cached ----

STUDY_TYPES = re.compile(r"\b(?:Protocol|Codebook|Study|Layout|\w+Rules)\b")
STUDY_READERS = {"protocol", "codebook", "read_protocol", "read_codebook"}


def cached_by_study(source: str) -> list[str]:
    """Cached functions whose result depends on a study: that take one or a part of it, or read one themselves."""
    found = []
    for function in functions(source):
        decorators = {ast.unparse(each).partition("(")[0].rpartition(".")[2] for each in function.decorator_list}
        if not decorators & {"cache", "lru_cache"}:
            continue
        arguments = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
        takes = any(
            each.arg in {"protocol", "codebook", "study"}
            or (each.annotation is not None and STUDY_TYPES.search(ast.unparse(each.annotation)))
            for each in arguments
        )
        reads = any(True for reader in STUDY_READERS for _ in calls(ast.unparse(function), reader))
        found += [function.name] if takes or reads else []
    return found


def test_no_function_of_a_study_is_cached() -> None:
    found = [
        f"{name}: {cached_by_study(source)}" for name, source in package_sources().items() if cached_by_study(source)
    ]
    assert found == []


@pytest.mark.parametrize(
    ("source", "cached"),
    [
        ("@cache\ndef f(rules: WearRules): ...", True),
        ("@functools.lru_cache(maxsize=2)\ndef f(x, *, protocol): ...", True),
        ("@cache\ndef f():\n    return protocol().mode", True),
        ("@cache\ndef f(order: int): ...", False),
        ("def f(protocol: Protocol): ...", False),
    ],
)
def test_the_search_would_find_a_cached_study(source: str, cached: bool) -> None:
    assert bool(cached_by_study(source)) == cached
