"""The pages of a release: the waves' as they were made, the index, the pages in plain language, and the card.

How a page looks is in ``stegvis.reporting``.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from stegvis.disclosure.tables import Tables
from stegvis.release.bridge import changed_values
from stegvis.reporting.inputs import CLAIM_KEYS, IndexReport
from stegvis.storage.profiles import read_waiting
from stegvis.storage.registration import registration_state
from stegvis.storage.releases import release_folders
from stegvis.storage.report_inputs import provenance, study_words
from stegvis.storage.sources import Sources
from stegvis.studies import names, study_folder
from stegvis.study.protocol import read_protocol
from stegvis.study.study import PROTOCOL, Study

CLAIMS = "claims.json"
REPORT = "report"


def write_wave_pages(connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """The waves' pages into the release's folder."""
    (folder / REPORT).mkdir(exist_ok=True)
    for file, html in connection.execute("select file, html from report order by wave, file").fetchall():
        (folder / REPORT / file).write_text(html, encoding="utf-8")


def write_reader_pages(tables: Tables, is_synthetic: bool, study: Study, folder: Path) -> None:
    """The pages in plain language, the explorer and the card, from tables that went through disclosure control."""
    from stegvis.reporting.card import card_png, card_svg
    from stegvis.reporting.explorer import render_explorer
    from stegvis.reporting.file_names import CARD, CARD_PICTURE, EXPLORER
    from stegvis.reporting.plain import render_plain
    from stegvis.reporting.plain_findings import findings

    words = study_words(study)
    about, results = study.about, tables.results
    pages = render_plain(results, tables.attrition, is_synthetic, words, study.claims, about, tables.characteristics)
    pages |= {EXPLORER: render_explorer(results, is_synthetic, words, about)}
    for file, html in pages.items():
        (folder / REPORT / file).write_text(html, encoding="utf-8")
    card = card_svg(findings(tables.results, words, tables.characteristics), study.about, is_synthetic)
    (folder / REPORT / CARD).write_text(card, encoding="utf-8")
    (folder / REPORT / CARD_PICTURE).write_bytes(card_png(card))


def index_inputs(
    sources: Sources,
    name: str,
    tables: Tables,
    checks: list[dict[str, Any]],
    claims: list[dict[str, Any]],
    facts: dict[str, Any],
    packages: dict[str, str],
    published: dict[str, dict[str, str]],
) -> IndexReport:
    """What the index of a release shows.

    Args:
        sources: what the release is made from.
        name: of the release.
        tables: all its results and Table 1, after disclosure control.
        checks: its check results, as they may be published.
        claims: its claims.json.
        facts: its bridge.json.
        packages: versions by name.
        published: by wave, the release its numbers come from and a hash of the deliveries behind them.
    """
    with sources.warehouse.session() as connection:
        waves = [row[0] for row in connection.execute("select distinct wave from report order by wave").fetchall()]
        left_out = _left_out(sources, connection, waves)
    words = study_words(sources.study)
    return IndexReport(
        waves=waves,
        synthetic=sources.landing.synthetic,
        provenance=provenance(sources)
        | {
            "release": name,
            "created": f"{datetime.now(UTC):%Y-%m-%d}",
            "previous_release": facts["previous_release"],
            "packages": packages,
            "published": [{"wave": wave, **origin} for wave, origin in published.items()],
        },
        results=tables.results,
        characteristics=tables.characteristics,
        protocol=sources.protocol,
        about=sources.study.about,
        texts=words.texts,
        labels=words.labels,
        checks=checks,
        excluded_waves=left_out,
        bridge=facts["changes"] if facts["previous_release"] else [],
        steps=facts["steps"],
        bridge_note=facts["note"],
        claims=claims,
        earlier_claims=earlier_claims(sources.home.releases),
        differences=differences(sources.study),
        stages=sources.history,
        registration=registration_state(sources.home.root, sources.home.study, sources.study, waves),
    )


def differences(study: Study) -> list[dict[str, Any]] | None:
    """The protocol values that differ from the published protocol of the study; None where it has none."""
    if study.about.name not in names():
        return None
    published = read_protocol(study_folder(study.about.name) / PROTOCOL)
    return changed_values(published.model_dump(mode="json"), study.protocol.model_dump(mode="json"))


def write_index(folder: Path, index: IndexReport) -> None:
    """The page over all waves into the release's folder."""
    from stegvis.reporting.page import render_index

    (folder / REPORT / "index.html").write_text(render_index(index), encoding="utf-8")


def earlier_claims(releases: Path) -> dict[str, list[dict[str, Any]]]:
    """The claims of the releases that are kept, by release, oldest first.

    A claims.json of another form (older programs wrote fewer keys) is shown as far as it goes.
    """
    found = {}
    for folder in release_folders(releases):
        file = folder / CLAIMS
        if file.exists():
            filled = dict.fromkeys(CLAIM_KEYS, "")
            found[folder.name] = [{**filled, **each} for each in json.loads(file.read_text(encoding="utf-8"))]
    return found


def _left_out(sources: Sources, connection: duckdb.DuckDBPyConnection, waves: list[str]) -> list[dict[str, str]]:
    delivered = sorted({d.partition for d in sources.landing.accepted if d.kind == "followup" and d.partition})
    waiting = {key for _, key in read_waiting(connection)}
    left_out = []
    for wave in (w for w in delivered if w not in waves):
        reasons = connection.execute(
            "select meaning from checks where partition = ? and not passed and severity = 'critical' order by meaning",
            [wave],
        ).fetchall()
        rules = "; ".join(row[0] for row in reasons)
        not_built = "differs from what is expected, not accepted yet" if wave in waiting else "not built yet"
        left_out.append({"wave": wave, "reason": f"not fulfilled: {rules}" if reasons else not_built})
    return left_out
