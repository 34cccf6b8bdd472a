"""``CITATION.cff``: how to cite the program, and a release (Citation File Format 1.2.0, doi 10.5281/zenodo.5171937).

The file at the root of the repository is a copy of ``citation_of_program``: a test fails when they differ. No person is
named as author of a release; the people responsible for it sign it (``stegvis sign``).
"""

from __future__ import annotations

import json

from stegvis.study.about import About
from stegvis.study.protocol import Protocol

FILE = "CITATION.cff"
_STUDY = """references:
  - type: article
    title: "Volume and Intensity of Walking and Risk of Chronic Low Back Pain"
    authors:
      - family-names: Haddadj
      - name: "and others"
    journal: "JAMA Network Open"
    year: 2025
    volume: 8
    issue: 6
    start: e2515592
    doi: 10.1001/jamanetworkopen.2025.15592
"""


def citation_of_program() -> str:
    """The citation of the program."""
    return (
        "cff-version: 1.2.0\n"
        'message: "If you use this program, please cite it, and the study it follows."\n'
        "type: software\n"
        'title: "Stegvis"\n'
        'abstract: "From accelerometer and questionnaire deliveries to estimates of walking and low back pain."\n'
        "authors:\n"
        '  - name: "The Stegvis project"\n' + _STUDY
    )


def citation_of_release(release: str, day: str, study: Protocol, about: About, synthetic: bool) -> str:
    """The citation of a release.

    Args:
        release: its name.
        day: when it was made (ISO 8601).
        study: the protocol it was made under.
        about: how to cite the study.
        synthetic: whether any of its data are.
    """
    title = study.study.title + (" (synthetic data)" if synthetic else "")
    link = f"    url: {json.dumps(about.link)}\n" if about.link else ""
    return (
        "cff-version: 1.2.0\n"
        'message: "Please cite the release by its name: another one may hold other numbers."\n'
        "type: dataset\n"
        f"title: {json.dumps(title)}\n"
        f"version: {json.dumps(release)}\n"
        f"date-released: {day}\n"
        "authors:\n"
        '  - name: "The Stegvis project"\n'
        "references:\n"
        "  - type: generic\n"
        f"    title: {json.dumps(about.cite, ensure_ascii=False)}\n"
        "    authors:\n"
        f"      - name: {json.dumps(about.run_by, ensure_ascii=False)}\n" + link
    )
