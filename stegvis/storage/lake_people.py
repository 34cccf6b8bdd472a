"""Who is in the shards of the lake, read from the column ``person`` alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path


def shards_of(lake: Path) -> Iterator[tuple[Path, set[str]]]:
    """Every shard of a lake, staged ones included, with the identifiers in it.

    A file that is no Parquet (cut off while it was written) is removed: nobody can say who is in it.
    """
    import pyarrow as pa

    for folder in ("epochs", "staging"):
        for file in sorted((lake / folder).rglob("*")):
            if not file.is_file():
                continue
            try:
                people = people_in(file)
            except (pa.ArrowException, OSError, ValueError, KeyError):
                file.unlink(missing_ok=True)
                continue
            yield file, people


def people_in(file: Path) -> set[str]:
    """The identifiers in a shard; the statistics of a row group are enough where it has one person."""
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    found: set[str] = set()
    with pq.ParquetFile(file) as shard:
        column = shard.schema_arrow.names.index("person")
        for group in range(shard.metadata.num_row_groups):
            facts = shard.metadata.row_group(group).column(column).statistics
            if facts is not None and facts.has_min_max and facts.min == facts.max and not facts.null_count:
                found.add(str(facts.min))
                continue
            cells = shard.read_row_group(group, columns=["person"])["person"]
            found |= {str(each) for each in pc.unique(cells).to_pylist() if each is not None}
    return found
