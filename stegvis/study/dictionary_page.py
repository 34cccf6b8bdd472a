"""The data dictionary as a page for users: ``docs/data_dictionary.md``.

``python -m stegvis.study.dictionary_page`` writes it; a test fails when it is not up to date.
"""

from __future__ import annotations

from pathlib import Path

from stegvis.study.dictionary import dictionary

PAGE = Path(__file__).parents[2] / "docs" / "data_dictionary.md"


def render() -> str:
    """The page's text."""
    lines = ["# Data dictionary", "", "Every table of the warehouse. Made from `stegvis/study/dictionary.toml`.", ""]
    for table, columns in dictionary().items():
        lines += [f"## {table}", "", "| column | meaning |", "|---|---|"]
        lines += [f"| `{name}` | {meaning} |" for name, meaning in columns.items()]
        lines.append("")
    return "\n".join(lines)


if __name__ == "__main__":
    PAGE.write_text(render(), encoding="utf-8")
