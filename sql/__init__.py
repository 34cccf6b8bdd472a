"""One SELECT per table, in a file named after its table."""

from pathlib import Path

SQL = Path(__file__).parent


def sql_text(name: str) -> str:
    """The SELECT in ``sql/<name>.sql``; give the name as a literal, so that the file is watched."""
    return (SQL / f"{name}.sql").read_text(encoding="utf-8")
