"""The documentation of a release: schema, data package, checklists and citation."""

from __future__ import annotations

import hashlib
import json
import re
from datetime import UTC, datetime
from pathlib import Path

import jsonschema
import pytest
import yaml

from stegvis.analyses import joint, main_models
from stegvis.analyses.characteristics import characteristics
from stegvis.analyses.wave_data import rows_of
from stegvis.release.checklists import ChecklistError
from stegvis.release.citation import FILE, citation_of_program
from stegvis.release.descriptions import SCHEMA, write_descriptions
from stegvis.release.results_schema import TABLES, fields, results_schema
from stegvis.statistics.results import RESULT_COLUMNS
from stegvis.study.codebook import participant_levels
from tests.stegvis.conftest import analysis_set_of, wave_data_of
from tests.stegvis.disclosure.made_tables import controlled
from tests.stegvis.release.test_checklists import FILES, PAGES
from tests.study import CODEBOOK, PROTOCOL, STUDY

RELEASE = "2026-01-02-0123456789ab"


@pytest.fixture(scope="module")
def results():
    """Results of a small sample: some not estimable, some suppressed."""
    data = wave_data_of(analysis_set_of(160, seed=2))
    return controlled(rows_of((main_models.main_rows, joint.joint_rows), data)).tables.results


def json_rows(results):
    """Rows as JSON has them."""
    return [
        {name: None if value != value or value is None else value for name, value in row.items()}
        for row in json.loads(results.to_json(orient="records"))
    ]


@pytest.fixture
def folder(tmp_path, results):
    """A release's files before they are described."""
    (tmp_path / "report").mkdir()
    for name, html in PAGES.items():
        if name != "dictionary.html":
            (tmp_path / "report" / name).write_text(html)
    for name in FILES - {"manifest.json"}:
        (tmp_path / name).write_text("{}")
    results.to_csv(tmp_path / "results.csv", index=False)
    table_one = characteristics(analysis_set_of(900), PROTOCOL, participant_levels(CODEBOOK))
    table_one.to_csv(tmp_path / "characteristics.csv", index=False)
    return tmp_path


def described(folder: Path) -> dict:
    now = datetime(2026, 1, 2, tzinfo=UTC)
    write_descriptions(folder, RELEASE, now, STUDY, True, ["2021-2023"], "manifest.json")
    return json.loads((folder / "datapackage.json").read_text())


# ---- schema ----


def test_every_row_conforms_to_the_schema(results):
    schema = results_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    assert set(results["status"]) == {"ok", "suppressed", "not_estimable"}
    for row in json_rows(results):
        validator.validate(row)


@pytest.mark.parametrize(
    "change",
    [
        {"status": "fine"}, {"n": -1}, {"n": "12"}, {"p_value": 1.2}, {"estimate": None}, {"wave": ""}, {"more": 1},
        {"status": "suppressed"}, {"status": "suppressed", "estimate": None, "note": ""},
    ],
)  # fmt: skip
def test_the_schema_rejects_invalid_rows(change):
    row = dict.fromkeys(RESULT_COLUMNS, "x") | {
        name: 0.5 for name, kind in RESULT_COLUMNS.items() if kind == "float64"
    }  # fmt: skip
    row |= {"n": 10, "events": 5, "status": "ok"}
    validator = jsonschema.Draft202012Validator(results_schema())
    validator.validate(row)
    with pytest.raises(jsonschema.ValidationError):
        validator.validate(row | change)


@pytest.mark.parametrize("table", TABLES)
def test_every_column_is_described(table):
    assert [each["name"] for each in fields(table)] == list(TABLES[table][1])
    assert all(each["description"] for each in fields(table))


# ---- data package ----


def test_the_data_package_names_every_file_with_its_hash(folder):
    package = described(folder)
    assert re.fullmatch(r"[-a-z0-9._/]+", package["name"])
    assert package["version"] == RELEASE
    assert "synthetic" in package["title"]
    there = {file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()}
    assert {each["path"] for each in package["resources"]} == there - {"datapackage.json"}
    names = [each["name"] for each in package["resources"]]
    assert len(set(names)) == len(names)
    for each in package["resources"]:
        content = (folder / each["path"]).read_bytes()
        assert re.fullmatch(r"[-a-z0-9._]+", each["name"])
        assert each["bytes"] == len(content)
        assert each["hash"] == f"sha256:{hashlib.sha256(content).hexdigest()}"
        assert not Path(each["path"]).is_absolute()


def test_the_tables_conform_to_their_schema(folder):
    import pandas as pd

    of = {each["path"]: each for each in described(folder)["resources"]}
    for path in ("results.csv", "characteristics.csv"):
        resource = of[path]
        assert resource["profile"] == "tabular-data-resource"
        schema = resource["schema"]
        table = pd.read_csv(folder / path, keep_default_na=False, na_values=schema["missingValues"])
        assert list(table) == [each["name"] for each in schema["fields"]]
        assert not table.duplicated(schema["primaryKey"]).any()
        for each in schema["fields"]:
            limits, column = each.get("constraints", {}), table[each["name"]]
            values = column.dropna()
            if each["type"] != "string":
                assert pd.api.types.is_numeric_dtype(values)
            if each["type"] == "integer":
                assert (values % 1 == 0).all()
            assert values.isin(limits.get("enum", values)).all()
            assert (values >= limits.get("minimum", values)).all()
            assert (values <= limits.get("maximum", values)).all()
            assert not (limits.get("required") and column.isna().any())


def test_a_release_that_covers_no_checklist_is_an_error(folder):
    (folder / "report" / "index.html").write_text("<p>nothing</p>")
    with pytest.raises(ChecklistError, match=r"index\.html has no anchor waves"):
        described(folder)


def test_the_pages_that_document_the_release(folder):
    described(folder)
    listed = (folder / "report" / "checklists.html").read_text()
    assert '<a href="wave-2021-2023.html#question">2021-2023: question</a>' in listed
    assert '<a href="../results.csv">results.csv</a>' in listed
    assert "Not applicable: Participants were not matched." in listed
    explained = (folder / "report" / "dictionary.html").read_text()
    assert all(f">{name}</th>" in explained for name in RESULT_COLUMNS)
    assert "Synthetic data" in listed
    assert json.loads((folder / SCHEMA).read_text()) == results_schema()


# ---- citation ----


def test_both_citations_have_the_citation_file_format(folder):
    described(folder)
    for text in (citation_of_program(), (folder / "CITATION.cff").read_text()):
        cited = yaml.safe_load(text)
        assert cited["cff-version"] == "1.2.0"
        assert {"message", "title", "authors", "type"} <= cited.keys()
        assert all(author.keys() & {"name", "family-names"} for author in cited["authors"])
    assert yaml.safe_load(citation_of_program())["references"][0]["doi"] == "10.1001/jamanetworkopen.2025.15592"
    cited = yaml.safe_load((folder / "CITATION.cff").read_text())
    assert cited["references"][0]["title"] == STUDY.about.cite
    assert (cited["type"], cited["version"], str(cited["date-released"])) == ("dataset", RELEASE, "2026-01-02")


def test_the_citation_file_of_the_repository_is_that_of_the_program():
    assert (Path(__file__).parents[3] / FILE).read_text(encoding="utf-8") == citation_of_program()
