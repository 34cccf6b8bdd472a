"""No committed text names the machine it was written on, and the words are the glossary's."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

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
def test_no_file_contains(what: str) -> None:
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


# ---- words ----

# Words that the glossary replaces, with what it says instead. They are looked for in names too: ``_`` parts words.
# Only words that hardly occur in another sense; GLOSSARY.md has them all.
REPLACED = {
    r"told|tells?|telling": "reported, published, recorded, shown",
    r"taken out|takes out|taking out|held back|holds? (?:it|them) back": "suppressed, excluded",
    r"what leaves|leaving": "disclosure control, published tables",
    r"kept counts": "carried forward",
    r"judg(?:e|es|ed|ing|e?ment)s?": "evaluate",
    r"situation": "home state",
    r"remember(?:s|ed|ing)?": "recorded, stored",
    r"(?:in|out of) step(?!\.)": "up to date, stale",
    r"l(?:ies?|ay|ain|ying) still": "stationary",
    r"puts? right|putting right": "correct",
    r"(?:becomes|became|become) of": "status, outcome",
    r"batter(?:y|ies)": "suite",
    r"thin levels?": "sparse level",
    r"whole days?": "24-hour day",
    r"stands? (?:once|twice|for)": "is, means",
    r"rooms?|house": "package, folder",
    r"thereof|whence|henceforth|wherein|hereby|nought|lest|ere": "plain English",
}
WORDS = {re.compile(rf"(?<![^\W_])(?:{words})(?![^\W_])", re.IGNORECASE): use for words, use in REPLACED.items()}
# Nearly every line has none of them: one search instead of one for each.
ANY_WORD = re.compile("|".join(words.pattern for words in WORDS), re.IGNORECASE)
READ = (".py", ".md", ".toml", ".sql", ".j2", ".R", ".css", ".cff", "Makefile", ".ci/run", ".yaml")
# Texts, and folders with a slash at their end, in which a replaced word may occur, and why.
MEANT = {
    "GLOSSARY.md": "says which words are replaced",
    "tests/test_committed_text.py": "so does this file",
    "stegvis/reporting/texts/nb.toml": "Norwegian",
}

_ACTIVITIES = r"(?:lying|sitting|standing|walking|running|cycling|\{\w+\})"
_RECORDINGS = (
    "stegvis/accelerometry/", "stegvis/twin/", "tests/stegvis/accelerometry/", "tests/stegvis/twin/",
    "tests/real_data/", "benchmarks/",
)  # fmt: skip
_ESTIMATES = ("stegvis/analyses/", "stegvis/disclosure/", "tests/stegvis/analyses/")
# Identifiers and texts that stay although they have a replaced word, where, and why.
ALLOWED: list[tuple[str, tuple[str, ...], str]] = [
    (rf"(?:valid_)?whole_days?(?:_{_ACTIVITIES}_minutes|_(?=\"))?", ("",), "columns of tables; a value of days.rule"),
    (r"[\"`]held_back[\"`]", ("",), "a key of disclosure.json"),
    (r"release\.kept_counts_share", ("CHANGELOG.md", "docs/operations.md"), "the former name of a key"),
    (r"at least one whole day", ("stegvis/analyses/time_use.py",), "a population in results.csv"),
    (
        r"people without a whole day\)? left out",
        ("stegvis/analyses/", "stegvis/disclosure/", "tests/stegvis/analyses/"),
        "a note",
    ),
    (r"what it judges could not be made", ("stegvis/analyses/diagnostics.py",), "a note in results.csv"),
    (r"(?:include_)?battery(?:_volt(?:_per_day)?)?", _RECORDINGS, "the battery of a sensor"),
    (r"room(?:_temperature)?|ROOM", _RECORDINGS, "the room in which a sensor lies"),
    (r"\w+\.tell\(\)", ("",), "the method of an open file"),
]


def without_allowed(name: str, line: str) -> str:
    for what, places, _ in ALLOWED:
        if name.startswith(places):
            line = re.sub(rf"(?<!\w){what}(?!\w)", "", line)
    return line


def replaced_words(name: str, text: str) -> Iterator[str]:
    """Each replaced word of a text, with its place and what to write."""
    meant = name in MEANT or any(name.startswith(each) for each in MEANT if each.endswith("/"))
    if meant or not name.endswith(READ):
        return
    for number, line in enumerate(text.splitlines(), start=1):
        if not ANY_WORD.search(line.replace("_", " ")):
            continue
        read = without_allowed(name, line).replace("_", " ")
        for words, use in WORDS.items():
            for hit in words.finditer(read):
                yield f"{name}:{number}: {hit.group()} (write: {use})"


def test_the_words_are_the_glossarys() -> None:
    assert [hit for name, text in committed_texts() for hit in replaced_words(name, text)] == []


@pytest.mark.parametrize(
    ("line", "count"),
    [
        ("def test_what_was_told(): ...", 1),
        ("# Judged by the whole day it stands for.", 3),
        ("untold households, a battery_voltage, a step in it", 1),
        ("a person sitting or standing, misjudged, lost to follow-up", 0),
    ],
)
def test_the_search_would_find_a_replaced_word(line: str, count: int) -> None:
    assert len(list(replaced_words("a.py", line))) == count


@pytest.mark.parametrize(
    ("name", "line", "count"),
    [
        ("sql/a.sql", "whole_days, whole_day_lying_minutes, valid_whole_day", 0),
        ("sql/a.sql", "def test_a_whole_day(): whole_day_rule", 2),
        ("stegvis/twin/a.py", "battery_volt at room temperature", 0),
        ("stegvis/analyses/a.py", "battery_volt of the battery in a room", 3),
        ("a.py", '{"held_back": held_back}', 1),
    ],
)
def test_only_the_exact_identifiers_are_allowed(name: str, line: str, count: int) -> None:
    assert len(list(replaced_words(name, line))) == count
