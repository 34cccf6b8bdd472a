"""The codebook: what it promises, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from stegvis.study.codebook import (
    LAYOUTS,
    CodebookError,
    Column,
    LayoutName,
    levels,
    normal_code,
    read_codebook,
)
from tests.stegvis.conftest import CODEBOOK
from tests.study import CODEBOOK_FILE

PAGE = Path(__file__).parents[3] / "docs" / "deliveries.md"


def edited(tmp_path: Path, old: str, new: str) -> Path:
    text = CODEBOOK_FILE.read_text(encoding="utf-8")
    assert old in text
    file = tmp_path / "codebook.toml"
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    return file


def test_every_layout_has_its_columns_in_the_order_of_the_file() -> None:
    assert list(CODEBOOK["withdrawals"].columns) == ["person"]
    assert list(CODEBOOK["questionnaire"].columns)[:2] == ["person", "answer_date"]
    assert all(CODEBOOK[name].columns for name in LAYOUTS)


def test_an_unknown_layout_is_named() -> None:
    with pytest.raises(KeyError, match="no layout 'blood'"):
        CODEBOOK["blood"]  # type: ignore[index]


def test_each_level_is_listed_once_with_the_reference_first() -> None:
    participants = CODEBOOK["participants"]
    assert levels(participants, "smoking") == ("never", "former", "current")
    assert levels(participants, "employment") == ("employed", "non-employed")
    assert levels(participants, "education")[0] == "primary"


def test_a_column_without_codes_has_no_levels() -> None:
    with pytest.raises(KeyError, match="age"):
        levels(CODEBOOK["participants"], "age")


def test_activities_are_words_or_ntnu_numbers() -> None:
    codes = CODEBOOK["epochs"].columns["activity"].codes
    assert codes is not None
    assert {codes["walking"], codes["1"], codes["4"], codes["5"]} == {"walking"}  # 4 and 5 are stairs
    assert codes["3"] == codes["6"] == "standing"  # 3 is shuffling
    assert {codes[c] for c in ("13", "14", "130", "140")} == {"cycling"}


@pytest.mark.parametrize(
    ("spelling", "code"),
    [("1", "1"), ("01", "1"), ("1.0", "1"), (" 1 ", "1"), ("0", "0"), ("00.0", "0"), ("-9", "-9"), ("10", "10")],
)
def test_spellings_of_a_code(spelling: str, code: str) -> None:
    assert normal_code(spelling) == code


def test_a_word_or_a_fraction_is_not_a_spelling_of_a_number() -> None:
    assert normal_code(" walking") == "walking"
    assert normal_code("1.5") == "1.5"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('type = "date"', 'type = "date", requird = true', "requird"),
        ("[withdrawals]", "[withdrawal]", "withdrawal"),
        (', codes = { 0 = "female", 1 = "male" }', "", "codes"),
        ('codes = { 0 = "female", 1 = "male" }', 'codes = { 1 = "female", 01 = "male" }', "same code"),
        ('source = ["Sex"]', 'source = ["PID"]', "used twice: PID"),
        ("range = [0, 21]", "range = [21, 0]", "range"),
        ('type = "tick", required = true', 'type = "tick"', "tick"),
        ('key = ["person", "epoch_start"]', 'key = ["person", "start"]', "key"),
        ("[participants.columns]", "[participants.columns", "not valid TOML"),
    ],
)
def test_an_invalid_codebook_is_refused_with_its_key(tmp_path: Path, old: str, new: str, message: str) -> None:
    with pytest.raises(CodebookError, match=message):
        read_codebook(edited(tmp_path, old, new))


@pytest.mark.parametrize("content", ["# å".encode("latin-1"), "a = 1".encode("utf-16"), b"a = " + b"[" * 100_000])
def test_a_codebook_in_another_encoding_or_nested_without_end_is_refused_in_one_line(
    tmp_path: Path, content: bytes
) -> None:
    file = tmp_path / "codebook.toml"
    file.write_bytes(content)
    with pytest.raises(CodebookError, match=r"^codebook.toml is not [^\n]*$"):
        read_codebook(file)


def test_an_absent_codebook_is_named(tmp_path: Path) -> None:
    with pytest.raises(CodebookError, match=r"codebook\.toml cannot be opened: no such file"):
        read_codebook(tmp_path / "codebook.toml")


def page_row(name: str, column: Column) -> str:
    """The row of a column in the tables of the page for those who deliver."""
    sources = " or ".join(f"`{source}`" for source in column.source)
    allowed = "; ".join(f"{code} {level}" if code != level else code for code, level in (column.codes or {}).items())
    if column.range:
        allowed = f"{column.range[0]:g} to {column.range[1]:g} {column.unit}".strip()
    if column.dates:
        allowed = f"{column.dates[0]:%Y-%m-%d} to {column.dates[1]:%Y-%m-%d}"
    must = "column and every cell" if column.filled else "column" if column.required else ""
    return f"| {sources} | {column.type} | {must} | {allowed} | {name} |"


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_page_on_deliveries_has_every_column(layout: LayoutName) -> None:
    page = PAGE.read_text(encoding="utf-8")
    missing = [row for name, column in CODEBOOK[layout].columns.items() if (row := page_row(name, column)) not in page]
    assert not missing, "docs/deliveries.md lacks:\n" + "\n".join(missing)
