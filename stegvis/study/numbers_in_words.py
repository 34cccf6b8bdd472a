"""Small whole numbers as words, in English and in Norwegian."""

from __future__ import annotations

WORDS = {
    "en": (
        "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
        "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty",
    ),
    "nb": (
        "null", "én", "to", "tre", "fire", "fem", "seks", "sju", "åtte", "ni", "ti", "elleve", "tolv",
        "tretten", "fjorten", "femten", "seksten", "sytten", "atten", "nitten", "tjue",
    ),
}  # fmt: skip


def number_in_words(number: int, language: str) -> str:
    """A whole number as a word up to twenty, and in digits beyond: ``four``, ``fire``, ``36``."""
    words = WORDS[language]
    return words[number] if 0 <= number < len(words) else str(number)
