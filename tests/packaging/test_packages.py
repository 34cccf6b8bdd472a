"""pyproject.toml lists every package of the tree."""

from __future__ import annotations

import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
SETUPTOOLS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]


def packages(root: Path, folders: dict[str, str]) -> set[str]:
    """The packages below mapped folders (folder by package); each folder that holds a module is one."""
    return {
        ".".join([package, *module.parent.relative_to(root / folder).parts])
        for package, folder in folders.items()
        for module in (root / folder).rglob("*.py")
    }


def test_every_package_is_listed() -> None:
    assert set(SETUPTOOLS["packages"]) == packages(ROOT, SETUPTOOLS["package-dir"])
    assert SETUPTOOLS["packages"] == sorted(set(SETUPTOOLS["packages"]))


def test_every_package_has_an_init_file() -> None:
    """Without one an editable install does not find a mapped folder, and mypy passes over it."""
    for package in SETUPTOOLS["packages"]:
        top = max((each for each in SETUPTOOLS["package-dir"] if f"{package}.".startswith(f"{each}.")), key=len)
        folder = ROOT / SETUPTOOLS["package-dir"][top] / package.removeprefix(top).removeprefix(".").replace(".", "/")
        assert (folder / "__init__.py").is_file(), package


def test_the_search_would_find_a_package_that_is_missing(tmp_path: Path) -> None:
    for folder in ("library", "library/inner", "tables/deep"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "__init__.py").touch()
    (tmp_path / "library" / "data").mkdir()
    found = packages(tmp_path, {"stegvis": "library", "stegvis.assets": "tables"})
    assert found == {"stegvis", "stegvis.inner", "stegvis.assets.deep"}
