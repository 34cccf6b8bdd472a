"""Writes the files that document a release: dictionary, schema, checklists, citation and data package."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from stegvis.release import citation, data_package
from stegvis.release.checklists import check_answers, items
from stegvis.release.results_schema import results_schema
from stegvis.study.study import Study

SCHEMA = "results.schema.json"


def write_descriptions(
    folder: Path, release: str, now: datetime, study: Study, synthetic: bool, waves: Sequence[str], later: str
) -> None:
    """Write them into the folder of a release, after all its other files.

    Args:
        folder: the folder of the release, its pages in ``report``.
        release: its name.
        now: time of the release.
        study: as it is now.
        synthetic: whether any of its data are.
        waves: the waves with pages.
        later: the file written afterwards (the manifest).

    Raises:
        stegvis.release.checklists.ChecklistError: the release does not cover an item of a checklist.
    """
    from stegvis.reporting.documents import render_checklists, render_dictionary
    from stegvis.reporting.file_names import CHECKLISTS, DICTIONARY
    from stegvis.reporting.words import Words
    from stegvis.study.texts import covariate_labels

    protocol = study.protocol
    words = Words(study.texts, protocol, "en", covariate_labels(study.codebook))
    day = f"{now:%Y-%m-%d}"
    report = folder / "report"
    (report / DICTIONARY).write_text(render_dictionary(synthetic, words, study.about), encoding="utf-8")
    _write_json(folder / SCHEMA, results_schema())
    cited = citation.citation_of_release(release, day, protocol, study.about, synthetic)
    (folder / citation.FILE).write_text(cited, encoding="utf-8")
    pages = {page.name: page.read_text(encoding="utf-8") for page in sorted(report.glob("*.html"))}
    files = {file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()}
    check_answers(items(), pages, {*files, later})
    checklists = render_checklists(items(), waves, synthetic, words, study.about)
    (report / CHECKLISTS).write_text(checklists, encoding="utf-8")
    created = now.isoformat(timespec="seconds")
    package = data_package.data_package(folder, release, created, protocol, synthetic)
    _write_json(folder / data_package.FILE, package)


def _write_json(file: Path, content: dict[str, Any]) -> None:
    file.write_text(json.dumps(content, indent=2, allow_nan=False) + "\n", encoding="utf-8")
