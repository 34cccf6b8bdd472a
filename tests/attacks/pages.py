"""The attacker who holds the pages of a release against its tables."""

from __future__ import annotations

import html
import re
from pathlib import Path

from tests.attacks.attackers import EXPOSURES, read


def counts_only_on_pages(release: Path) -> list[tuple[str, str, int]]:
    """Counts of a category that a page shows and the tables do not: (table, category, count).

    A page's table is held against the rows of its own exposure and category; a count that is nowhere among them must
    have been suppressed. The categories of both exposures are in one table of results; they have different names.
    """
    results, table_one = read(release), read(release, "characteristics")
    known: dict[tuple[str, str], set[int]] = {}
    for name, rows, place, columns in (
        ("results", results[results["exposure"].isin(EXPOSURES)], "level", ("n", "events")),
        ("characteristics", table_one, "category", ("n",)),
    ):
        for column in columns:
            for exposure, category, count in rows[["exposure", place, column]].dropna().itertuples(index=False):
                table = "results-table" if name == "results" else f"{name}-{exposure}"
                known.setdefault((table, category), set()).add(int(count))
    found = []
    for page in release.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        for table, content in re.findall(
            r'<table id="(results-table|characteristics-\w+)".*?>(.*?)</table>', text, re.DOTALL
        ):
            heads = [_plain(each) for each in re.findall(r'<th scope="col">(.*?)</th>', content, re.DOTALL)]
            for row in re.findall(r"<tr>(.*?)</tr>", content, re.DOTALL):
                label = _plain("".join(re.findall(r'<th scope="row">(.*?)</th>', row, re.DOTALL)))
                for head, cell in zip(heads[1:], re.findall(r"<td>(.*?)</td>", row, re.DOTALL), strict=False):
                    category = label if table == "results-table" else head
                    count = re.fullmatch(r"([\d,]+)(?: \([\d.]+%\))?", cell.strip())
                    if (table, category) in known and count:
                        number = int(count.group(1).replace(",", ""))
                        if number not in known[table, category]:
                            found.append((table, category, number))
    return found


def _plain(text: str) -> str:
    """A category as the tables write it: without unit, dash and signs of a page."""
    text = html.unescape(text).replace("\u2013", "-").replace("\u2265", ">=")
    return "all" if text == "All" else text.removesuffix(" min/day").removesuffix(" MET")
