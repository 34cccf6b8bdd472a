"""One rule for identifiers: whatever a file type made of it, the same person, or a refusal that names the problem.

``1001`` is the same person as text, as a whole number of any width, as ``1001.0`` in floating point or as a decimal, as
bytes, and with white space or invisible characters around it. Leading zeros distinguish people. What may have lost or
changed a digit on the way is refused.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd

LONGEST = 200  # characters of an identifier

# From an identifier in canonical form to what is stored in its place (``stegvis/storage/stored_identifiers.py``).
Stored = Callable[[str], str]

# Letters and marks that are drawn as nothing, beside the spaces, controls and format characters of Unicode.
_DRAWN_AS_NOTHING = "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0" + "".join(
    map(chr, range(0xFE00, 0xFE10))
)
# Where such characters are: planes 2 to 13 of Unicode have none, and 15 and 16 are for private use. Looking at all
# million characters would take a fifth of the time in which the definitions load.
_PLACES = (*range(0x20000), *range(0xE0000, 0xE1000))
# Every character that may surround a cell without being part of it.
INVISIBLE = _DRAWN_AS_NOTHING + "".join(
    letter for letter in map(chr, _PLACES) if unicodedata.category(letter) in ("Cc", "Cf", "Zs", "Zl", "Zp")
)
_INSIDE = re.compile("[" + re.escape(INVISIBLE.replace(" ", "")) + "]")

# The largest whole numbers below which every one has its own floating-point number. In single precision the limit is
# that of 7 decimal digits, beyond which a decimal number need not come back.
_EXACT = {np.float16: 2**11, np.float32: 10**7, np.float64: 2**53}

_WHOLE = re.compile(r"(-?)([0-9]+)(?:\.0*)?")
_SCIENTIFIC = re.compile(r"[+-]?(?:[0-9]+[.,]?[0-9]*|[.,][0-9]+)[eE][+-]?[0-9]+")
_COMMA = re.compile(r"[+-]?(?:[0-9]+,0+|[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]*)?)")
_SPREADSHEET_TEXT = re.compile(r"'[0-9]+(?:\.0*)?|\"[0-9]+(?:\.0*)?\"")
_SPREADSHEET_ERROR = re.compile(r"#(?:N/A|NAME\?|REF!|VALUE!|DIV/0!|NUM!|NULL!)")

_TEXT_OR_WHOLE = "the identifier must be text or a whole number"
NOT_TEXT = f"{_TEXT_OR_WHOLE}, not a truth value, a date or a time"
NESTED = f"{_TEXT_OR_WHOLE}, not a list or a structure"
FRACTION = f"{_TEXT_OR_WHOLE}, not a number with decimals"
INEXACT = f"{_TEXT_OR_WHOLE}; in floating point it has at most 15 digits, in single precision 7"
SCIENTIFIC = f"{_TEXT_OR_WHOLE}, not a number in scientific notation such as 1.2E+05, which may have lost digits"
SPREADSHEET = (
    f"{_TEXT_OR_WHOLE} as it is, not a spreadsheet's formula, quoted number or error such as =\"0042\", '0042 or #N/A"
)
DECIMAL_COMMA = f"{_TEXT_OR_WHOLE}; this is a number with a decimal comma or a comma between thousands"
NEGATIVE_ZERO = f"{_TEXT_OR_WHOLE}, not a zero with a minus sign"
PLUS = f"{_TEXT_OR_WHOLE}, without a plus sign"
DIGITS = f"{_TEXT_OR_WHOLE} in the digits 0 to 9"
HIDDEN = f"{_TEXT_OR_WHOLE}; this one has a control or invisible character inside"
NOT_UTF8 = f"{_TEXT_OR_WHOLE}; these bytes are not text in UTF-8"
TOO_LONG = f"{_TEXT_OR_WHOLE} of at most {LONGEST} characters"


class BadIdentifierError(ValueError):
    """A cell that is no identifier; the message is the rule, without the cell."""


def as_delivered(person: str) -> str:
    """Store an identifier as it is."""
    return person


def stripped(text: str) -> str:
    """Text without the white space and invisible characters around it."""
    return text.strip(INVISIBLE)


def read_identifier(cell: Any) -> str | None:
    """The one spelling of an identifier; None if the cell is blank.

    Args:
        cell: text, bytes, or a number of Python, NumPy or ``decimal``.

    Raises:
        BadIdentifierError: the cell cannot be the identifier as it was assigned.
    """
    match cell:
        case None:
            return None
        case bool() | np.bool_():
            raise BadIdentifierError(NOT_TEXT)
        case str():
            return _of_text(cell)
        case bytes() | bytearray():
            return _of_bytes(bytes(cell))
        case int() | np.integer():
            return str(int(cell))
        case float() | np.floating():
            return _of_float(cell)
        case Decimal():
            return _of_decimal(cell)
        case list() | tuple() | dict() | set() | np.ndarray():
            raise BadIdentifierError(NESTED)
    if cell is pd.NA or cell is pd.NaT:
        return None
    raise BadIdentifierError(NOT_TEXT)


def _of_bytes(cell: bytes) -> str | None:
    try:
        return _of_text(cell.decode("utf-8"))
    except UnicodeDecodeError:
        raise BadIdentifierError(NOT_UTF8) from None


def _of_float(cell: Any) -> str | None:
    if np.isnan(cell):
        return None
    kind = type(cell) if type(cell) in _EXACT else np.float64
    if not np.isfinite(cell) or abs(cell) >= _EXACT[kind]:
        raise BadIdentifierError(INEXACT)
    if cell != np.trunc(cell):
        raise BadIdentifierError(FRACTION)
    return str(int(cell))


def _of_decimal(cell: Decimal) -> str | None:
    if cell.is_nan():
        return None
    if not cell.is_finite() or cell.adjusted() > LONGEST:
        raise BadIdentifierError(TOO_LONG)
    if cell != cell.to_integral_value():
        raise BadIdentifierError(FRACTION)
    return str(int(cell))


def _of_text(cell: str) -> str | None:
    text = stripped(cell)
    if not text:
        return None
    if len(text) > LONGEST:
        raise BadIdentifierError(TOO_LONG)
    whole = _WHOLE.fullmatch(text)
    if whole:
        sign, digits = whole[1], whole[2]
        if sign and not digits.strip("0"):
            raise BadIdentifierError(NEGATIVE_ZERO)
        return sign + digits
    _refuse_damaged(text)
    if text.isascii():
        return text
    if _INSIDE.search(text):
        raise BadIdentifierError(HIDDEN)
    if any(unicodedata.category(letter) == "Cs" for letter in text):
        raise BadIdentifierError(NOT_UTF8)
    text = unicodedata.normalize("NFC", text)  # a letter and its accent, together or apart
    if any(unicodedata.category(letter) in ("Nd", "Nl", "No") and not letter.isascii() for letter in text):
        raise BadIdentifierError(DIGITS)
    return text


def _refuse_damaged(text: str) -> None:
    """Refuse what a program made of an identifier, of which the original cannot be known."""
    if text.startswith("=") or _SPREADSHEET_TEXT.fullmatch(text) or _SPREADSHEET_ERROR.fullmatch(text):
        raise BadIdentifierError(SPREADSHEET)
    if _SCIENTIFIC.fullmatch(text):
        raise BadIdentifierError(SCIENTIFIC)
    if _COMMA.fullmatch(text):
        raise BadIdentifierError(DECIMAL_COMMA)
    if text.startswith("+") and text[1:].replace(".", "", 1).isdigit():
        raise BadIdentifierError(PLUS)
    if text.isascii() and not text.isprintable():
        raise BadIdentifierError(HIDDEN)
