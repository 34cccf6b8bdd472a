"""The pseudonym of a person: a keyed hash of the identifier, by which a home knows people whom it must not name.

It is made from the entry that the person has, or would have, on the list of withdrawals, itself a keyed hash
(``withdrawal_list.py``). So the list, which holds no identifier, says of an identifier and of a pseudonym alike whether
the person has withdrawn, and stays right when a study changes from the one to the other.
"""

from __future__ import annotations

from stegvis.storage.home_key import hash_with

# 128 bits: of a million people, two share one with a probability of 1 in 10^27.
DIGITS = 32
# A letter first: 32 digits that a spreadsheet takes for a number, such as 1e05..., would lose some of them.
FIRST = "p"
FORM = rf"{FIRST}[0-9a-f]{{{DIGITS}}}"
_LISTED, _PURPOSE = "withdrawal", "pseudonym"


def listed_hash(key: bytes, person: str) -> str:
    """The entry of an identifier on the list of withdrawals, 64 hexadecimal digits.

    Args:
        key: the home's key.
        person: an identifier in canonical form (``stegvis/deliveries/identifiers.py``).
    """
    return hash_with(key, _LISTED, person)


def pseudonym_of_listed(key: bytes, listed: str) -> str:
    """The pseudonym of a person by the entry on the list of withdrawals."""
    return FIRST + hash_with(key, _PURPOSE, listed)[:DIGITS]


def pseudonym_of(key: bytes, person: str) -> str:
    """The pseudonym of an identifier in canonical form: ``p`` and 32 hexadecimal digits."""
    return pseudonym_of_listed(key, listed_hash(key, person))
