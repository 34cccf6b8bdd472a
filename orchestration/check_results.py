"""The last check results of each table.

Belongs here: reading check results and quarantine from the warehouse, as counts. Does not belong here: evaluating
expectations (``expectations/``).
"""

from __future__ import annotations

from typing import Any

from stegvis.storage.home import Home
from stegvis.storage.warehouse import Warehouse


def failing_checks(home: Home) -> list[dict[str, Any]]:
    """Expectations that do not hold now: asset, partition, severity, meaning, failing, total."""
    return _query(
        home,
        """
        select asset, partition, severity, meaning, failing, total, published
        from checks where not passed
        order by severity, asset, partition, meaning
        """,
    )


def check_rows(home: Home) -> list[dict[str, Any]]:
    """The last result of every expectation: asset, partition, rule, meaning, severity, passed, failing."""
    return _query(home, "select asset, partition, rule, meaning, severity, passed, failing from checks")


def quarantined(home: Home) -> list[dict[str, Any]]:
    """What is in quarantine: asset, partition, rule and how many rows; whole files with their message."""
    return _query(
        home,
        """
        select
            asset, partition, rule, count(*) as problems,
            if(bool_or("row" is null), any_value(message), null) as message,
            if(bool_or("row" is null), any_value(file), null) as file
        from quarantine
        group by asset, partition, rule, "row" is null
        order by asset, partition, rule
        """,
    )


def _query(home: Home, query: str) -> list[dict[str, Any]]:
    if not home.warehouse.exists():
        return []
    with Warehouse(home).session("status") as connection:
        result = connection.execute(query)
        names = [column[0] for column in result.description or []]
        return [dict(zip(names, row, strict=True)) for row in result.fetchall()]
