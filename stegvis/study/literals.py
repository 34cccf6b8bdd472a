"""Texts inside SQL where no parameter can be given: names of files, and levels of the study folder."""


def literal(text: str) -> str:
    """A text as a literal in SQL."""
    return "'" + text.replace("'", "''") + "'"
