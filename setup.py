"""Writes the commit into a wheel as it is built; everything else about the build is in pyproject.toml."""

from __future__ import annotations

import runpy
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).parent


class BuildWithCommit(build_py):
    """Copies the package and adds ``stegvis/commit.txt``, from which ``stegvis --version`` reads the commit."""

    def run(self) -> None:
        super().run()
        if self.editable_mode:  # a checkout asks git
            return
        commit = runpy.run_path(str(ROOT / "stegvis" / "version.py"))["commit"](ROOT / "stegvis")
        if commit:
            file = Path(self.build_lib) / "stegvis" / "commit.txt"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(commit + "\n", encoding="utf-8")


setup(cmdclass={"build_py": BuildWithCommit})
