"""An error is placed in our own code, even where a library raised it."""

from __future__ import annotations

import traceback

import pytest

from stegvis.own_code import own_place, own_place_in
from stegvis.storage.hash_chain import read_lines


class Deceiving:
    """Looks like a file whose reading fails in a library."""

    def exists(self) -> bool:
        return True

    def read_text(self, encoding: str) -> str:
        return bytes([255]).decode(encoding)


def test_the_last_place_in_our_code_is_named_without_the_errors_text() -> None:
    try:
        read_lines(Deceiving())  # type: ignore[arg-type]
    except UnicodeDecodeError as error:
        place = own_place(error)
        stack = traceback.format_tb(error.__traceback__)
    assert place.startswith("stegvis.storage.hash_chain line ")
    assert place.endswith(", read_lines")
    assert own_place_in(stack) == place


def test_without_our_code_the_place_is_the_last_of_all() -> None:
    with pytest.raises(ValueError, match="invalid literal") as caught:
        int("x")
    assert own_place(caught.value).startswith("test_own_code.py line ")
    assert own_place(ValueError("never raised")) == ""
