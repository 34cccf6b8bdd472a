"""Files and drops: tables in the format of a name, and the ``drop.json`` that completes a delivery.

The same tables give the same bytes: formats that store their time of writing (``.dta``, ``.sav``) get a fixed one.
"""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

WRITTEN = datetime(2000, 1, 1)


def write_drop(folder: Path, tables: dict[str, pd.DataFrame]) -> None:
    """A complete drop of tables by file name; the folder must not be there yet."""
    folder.mkdir(parents=True)
    for name, table in tables.items():
        write_table(table, folder / name)
    complete(folder)


def complete(folder: Path, note: Path | None = None) -> None:
    """Write the drop's ``drop.json`` (or ``note``), last; it names every file that is in the folder."""
    files = {}
    for file in sorted(folder.iterdir()):
        with file.open("rb") as content:
            files[file.name] = {"sha256": hashlib.file_digest(content, "sha256").hexdigest()}
    text = json.dumps({"files": files, "synthetic": True}, indent=2) + "\n"
    (note or folder / "drop.json").write_text(text, encoding="utf-8")


def write_table(frame: pd.DataFrame, file: Path) -> None:
    """Write a table in the format of the file's name.

    Raises:
        ValueError: there is no writer for its ending.
    """
    if file.suffix == ".csv":
        frame.to_csv(file, index=False, lineterminator="\n")
    elif file.suffix == ".parquet":
        table = pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None)
        clock = [name for name in table.column_names if name == "timestamp"]
        pq.write_table(table, file, **parquet_options(*clock))
    elif file.suffix == ".dta":
        _as_floats(frame).to_stata(file, write_index=False, version=118, time_stamp=WRITTEN)
    elif file.suffix == ".sav":
        import pyreadstat

        pyreadstat.write_sav(_as_floats(frame), str(file), row_compress=True)
        _fix_sav_time(file)
    else:
        raise ValueError(f"no writer for {file.suffix}")


def parquet_options(*clocks: str) -> dict[str, Any]:
    """Options of the parquet writer; evenly spaced ``clocks`` are stored as differences, which take almost no space."""
    if not clocks:
        return {"compression": "zstd"}
    encoding = dict.fromkeys(clocks, "DELTA_BINARY_PACKED")
    return {"compression": "zstd", "use_dictionary": ["person", "activity", "speed"], "column_encoding": encoding}


def _as_floats(frame: pd.DataFrame) -> pd.DataFrame:
    """Nullable integers as floats: SPSS has no other numbers, and Stata needs them for blanks."""
    whole = frame.select_dtypes("Int32").columns
    return frame.astype(dict.fromkeys(whole, "float64"))


def _fix_sav_time(file: Path) -> None:
    """Put the fixed time of writing into an SPSS file's header: 9 + 8 characters from byte 92.

    Layout: PSPP developers' guide, system file format, file header record.
    """
    stamp = WRITTEN.strftime("%d %b %y%H:%M:%S").encode("ascii")
    with file.open("r+b") as content:
        content.seek(92)
        content.write(stamp)
