"""Where a text may name a person: the parts of file names and messages that could be an identifier.

An identifier has no fixed form, so every run of characters between separators is a candidate, alone and joined with its
neighbors: ``P-17_back.cwa`` may name ``P``, ``P-17``, ``P-17_back`` and more. Numbers, plain words in lower case, and
one or two letters are everywhere in a text; they count only where a file name begins with them: ``1001_back.cwa``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

# Longer names are not identifiers with something around them.
MOST_PARTS = 8
_RUN = re.compile(r"[^\s\"'`/\\<>(){}\[\]:;=|,]+")
_SEPARATOR = re.compile(r"([^\w]|_)")
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_COMMON = re.compile(r"[0-9]+|[a-z_]+|.{1,2}", re.DOTALL)
_FILE_LIKE = re.compile(r"[._-][A-Za-z]")
_SHORT = 200


def spans(text: str) -> Iterator[str]:
    """Every part of a text that could be an identifier; a short text also as a whole, and without its ending."""
    if len(text) <= _SHORT:
        name = text.rsplit("/", 1)[-1]
        yield from dict.fromkeys((text, name, name.rpartition(".")[0] or name))
    for run in runs(text):
        yield from spans_of_run(run)


def runs(text: str) -> set[str]:
    """The words of a text, as long as no blank, quote, bracket or slash interrupts them; UUIDs are left out."""
    return set(_RUN.findall(_UUID.sub(" ", text)))


def spans_of_run(run: str) -> Iterator[str]:
    """The parts of one word that could be an identifier."""
    parts = _SEPARATOR.split(run)
    for first in range(0, len(parts), 2):
        for last in range(first, min(first + 2 * MOST_PARTS, len(parts)), 2):
            span = "".join(parts[first : last + 1])
            if not span:
                continue
            begins_a_file_name = first == 0 and _FILE_LIKE.match(run[len(span) :])
            if begins_a_file_name or not _COMMON.fullmatch(span):
                yield span
