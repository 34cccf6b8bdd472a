"""A codebook to fill in, as text: the columns of the delivered files, beside the layouts that every study has."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from stegvis.study.codebook import Codebook, CodebookError, ColumnType

HEAD = """\
# A codebook to fill in, drafted from the study's own files. To do:
# 1. Give each column the study uses its canonical name (the word before the equals sign), and delete the others.
# 2. Check type, codes and levels; the first level is the reference. Add range and unit to numbers.
# 3. Mark with required = true what a file must have.
# Codes that fewer than ten people have are left out: a codebook is published with each release.
"""
GRAIN = {"participants": "one row per person", "questionnaire": "one row per answer"}


@dataclass(frozen=True)
class DraftColumn:
    """What a file's column is, as far as the file shows.

    Attributes:
        source: its name in the file.
        type: the likely type.
        codes: label of each code that enough people have; the code itself where the file has no label.
        missing: the values that the file declares as missing; they are read as missing.
        rare: whether values were left out because few people have them.
        person: whether it identifies people.
    """

    source: str
    type: ColumnType
    codes: Mapping[str, str] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    rare: bool = False
    person: bool = False


def codebook_text(columns: Mapping[str, Sequence[DraftColumn]], template: Path) -> str:
    """The text of a codebook.

    Args:
        columns: of ``participants`` and ``questionnaire``; a layout that is absent is taken from the template.
        template: a codebook, whose other layouts (days, epochs, signal, withdrawals) are copied.

    Raises:
        CodebookError: a file has no column that identifies people.
    """
    sections = _sections(template.read_text(encoding="utf-8"))
    parts = [HEAD]
    people = [column.source for found in columns.values() for column in found if column.person]
    for layout, text in sections.items():
        if layout in columns:
            if not any(column.person for column in columns[layout]):
                raise CodebookError(f"no column of the {layout} identifies people: its cells must be filled and differ")
            parts.append(_layout(layout, columns[layout]))
        else:
            parts.append(_with_person(text, people))
    text = "\n".join(part.strip("\n") + "\n" for part in parts)
    Codebook.model_validate(tomllib.loads(text))
    return text


def _sections(text: str) -> dict[str, str]:
    """The text of each layout of a codebook, with the comments before it."""
    starts = [(match[1], match.start()) for match in re.finditer(r"^\[(\w+)\]$", text, re.MULTILINE)]
    ends = [start for _, start in starts[1:]] + [len(text)]
    return {name: text[start:end] for (name, start), end in zip(starts, ends, strict=True)}


def _layout(layout: str, columns: Sequence[DraftColumn]) -> str:
    lines = [f"[{layout}]", f'file = "{layout}"', f'grain = "{GRAIN[layout]}"', "", f"[{layout}.columns]"]
    names: set[str] = set()
    for column in columns:
        name = "person" if column.person else _canonical(column.source, names | {"person"})
        names.add(name)
        lines += [*_remarks(column), f"{name} = {{ {', '.join(_keys(column))} }}"]
    return "\n".join(lines)


def _canonical(source: str, taken: set[str]) -> str:
    name = re.sub(r"[^0-9a-z]+", "_", source.casefold()).strip("_") or "column"
    number = 1
    unique = name
    while unique in taken:
        number += 1
        unique = f"{name}_{number}"
    return unique


def _remarks(column: DraftColumn) -> list[str]:
    remarks = []
    if column.missing:
        remarks.append(f"declared missing in the file: {', '.join(column.missing)}")
    if column.rare:
        remarks.append("values that fewer than ten people have are left out")
    return [f"# {_one_line(column.source)}: {'; '.join(remarks)}"] if remarks else []


def _keys(column: DraftColumn) -> list[str]:
    keys = [f"source = [{_quoted(column.source)}]", f'type = "{column.type}"']
    if column.person:
        keys.append("required = true, filled = true, unique = true")
    if column.type == "tick":
        keys.append("required = true")
    if column.codes:
        codes = ", ".join(f"{_quoted(code)} = {_quoted(_one_line(label))}" for code, label in column.codes.items())
        keys.append(f"codes = {{ {codes} }}")
    return keys


def _with_person(text: str, people: Sequence[str]) -> str:
    """A layout of the template that also knows the names under which this study's files have the person."""
    known = json.dumps(list(dict.fromkeys([*people, "person", "PID"])), ensure_ascii=False)
    return re.sub(r'(?m)^(person = \{ source = )\["person", "PID"\]', lambda match: match[1] + known, text)


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
