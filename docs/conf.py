"""Settings of the documentation's site: the pages of docs/ and of the repository's top, as they are on GitHub."""

from __future__ import annotations

from pathlib import Path

from stegvis.version import version as installed_version

ROOT = Path(__file__).parents[1]
# A release, in a folder "demo" below this one.
DEMO = ROOT / "build" / "extra"

project = "Stegvis"
author = "The Stegvis developers"
release = installed_version()
copyright = author

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.viewcode"]
include_patterns = [
    "README.md",
    "GLOSSARY.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "docs/**",
    "stegvis/**/*_card.md",
]
root_doc = "docs/index"

# Headings have the anchors that GitHub gives them, so a link works in both places.
myst_heading_anchors = 4
myst_enable_extensions = ["colon_fence"]

# A notebook is run when the site is built, and an error in it ends the build.
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_timeout = 120

autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_preserve_defaults = True

html_theme = "furo"
html_title = "Stegvis"
# index.html, which opens the first page; and the demo's release, where "make docs" has put it.
html_extra_path = ["site"]
if DEMO.exists():
    html_extra_path.append("../build/extra")
    tags.add("demo")  # noqa: F821  (Sphinx gives it)
