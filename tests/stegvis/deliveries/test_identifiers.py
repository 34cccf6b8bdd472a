"""Which characters may surround an identifier."""

import sys
import unicodedata

from stegvis.deliveries.identifiers import INVISIBLE


def test_every_space_control_and_format_character_of_unicode_is_invisible() -> None:
    """The module looks for them in some planes only."""
    kinds = {"Cc", "Cf", "Zs", "Zl", "Zp"}
    found = {letter for letter in map(chr, range(sys.maxunicode + 1)) if unicodedata.category(letter) in kinds}
    assert len(found) > 200
    assert found <= set(INVISIBLE)
    assert {unicodedata.category(letter) for letter in set(INVISIBLE) - found} <= {"Lo", "Mn", "So", "Cf"}
