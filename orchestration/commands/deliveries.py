"""Commands about deliveries: twin, seal, validate, accept, retire, withdraw."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from stegvis.orchestration.commands.options import (
    FULL_SIZE,
    HomeOption,
    JsonOption,
    PeopleOption,
    SeedOption,
    find_home,
)
from stegvis.orchestration.commands.running import run_refresh
from stegvis.orchestration.printing import fail, print_validation, say


class PartitionKind(StrEnum):
    """What can be accepted or retired."""

    wave = "wave"
    batch = "batch"


def twin(
    out: Annotated[Path, typer.Option(help="Folder to write the deliveries into; made if absent, must be empty.")],
    people: PeopleOption = FULL_SIZE,
    waves: Annotated[int, typer.Option(min=1, help="Follow-up waves.")] = 2,
    epochs: Annotated[int, typer.Option(min=0, help="People delivered as classified epochs.")] = 0,
    signals: Annotated[int, typer.Option(min=0, help="People delivered as synchronized 50 Hz signals.")] = 0,
    raw: Annotated[int, typer.Option(min=0, help="People delivered as raw .cwa pairs of one day.")] = 0,
    faults: Annotated[bool, typer.Option("--faults", help="Plant each fault a delivery can have; see truth.json.")] = (
        False
    ),
    mess: Annotated[
        float, typer.Option(min=0, max=3, help="How messily raw pairs and signals are worn: 1 as real people, 0 alike.")
    ] = 1.0,
    seed: SeedOption = 1,
    study_name: Annotated[
        str, typer.Option("--study", help="hunt4_walking, or example_actipass: the same people as another cohort's.")
    ] = "hunt4_walking",
) -> None:
    """Write a synthetic cohort's deliveries and its truth.json."""
    if out.exists() and any(out.iterdir()):
        raise typer.BadParameter(f"{out} is not empty")
    from stegvis.study.study import Study
    from stegvis.twin import TooFewPeopleError, write_twin
    from stegvis.twin.example import EXAMPLE, write_example

    study = Study.shipped()
    if study_name == EXAMPLE:
        write_example(out, study.protocol, study.codebook, people, seed)
        print(out)
        return
    if study_name != study.about.name:
        raise typer.BadParameter(f"the twin writes deliveries of {study.about.name} and {EXAMPLE}")
    try:
        write_twin(
            out, study.protocol, study.codebook, people=people, waves=waves, epochs=epochs, signals=signals, seed=seed,
            progress=say, raw=raw, faults=faults, mess=mess,
        )  # fmt: skip
    except TooFewPeopleError as error:
        fail(str(error), code=2)
    print(out / "truth.json")


def validate(
    drop: Annotated[Path, typer.Argument(help="A drop's folder, or a withdrawals .csv.")],
    every_row: Annotated[bool, typer.Option("--all", help="Name every row, not only the first of each kind.")] = False,
    home: HomeOption = None,
    study: Annotated[
        str | None, typer.Option("--study", help="Check by this study, a folder or a name, where there is no home.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Check a drop against the contract without running anything; exit 1 where a refresh would refuse it.

    The contract is that of the home's study, or of --study. Problems are grouped by rule and column, with the first
    rows and the line of the codebook that has the rule.
    """
    if not drop.exists():
        raise typer.BadParameter(f"{drop} does not exist")
    if study is not None and home is not None:
        raise typer.BadParameter("give --home or --study, not both")
    from stegvis.storage.delivered_files import DeliveryContract
    from stegvis.storage.findings import columns_found, group
    from stegvis.storage.landing_mirror import is_stand_in
    from stegvis.storage.validation import layouts_of, validate_drop
    from stegvis.study.study import CODEBOOK, Study

    folder = find_home(home).study if study is None else _study_folder(study)
    rules = Study.of(folder.parent) if study is None else Study.read(folder)
    codebook = rules.codebook
    if study is None and is_stand_in(find_home(home), drop):
        raise typer.BadParameter("its recordings are in object storage: validate the files before they are uploaded")
    found = validate_drop(drop, DeliveryContract(codebook, rules.protocol))
    if as_json:
        problems = found.problems.astype(object).where(found.problems.notna(), None).to_dict("records")
        facts = {"problems": problems, "files": found.summary.to_dict("records"), "refused": found.refused}
        print(json.dumps(facts, indent=2, default=str))
    else:
        layouts = layouts_of(drop, found.kind, codebook)
        findings = group(found.problems, layouts, folder / CODEBOOK)
        remarks = list(columns_found(drop if drop.is_dir() else drop.parent, findings, layouts, codebook))
        print_validation(found, findings, remarks, every_row)
    raise typer.Exit(1 if found.refused else 0)


def _study_folder(study: str) -> Path:
    """The folder of a study: the one that is named, or that of a study that comes with the program."""
    from stegvis.studies import NoStudyError, study_folder

    if Path(study).is_dir():
        return Path(study)
    try:
        return study_folder(study)
    except NoStudyError as error:
        raise typer.BadParameter(f"{study} is no folder, and {error}") from None


def seal(
    drops: Annotated[list[Path], typer.Argument(help="Folders of drops, or withdrawals .csv.")],
    synthetic: Annotated[bool, typer.Option("--synthetic", help="Mark the drop as simulated people.")] = False,
) -> None:
    """Write a drop's drop.json, with the hash of each file; from then on the delivery counts.

    Do it last: run stegvis validate before it. Files in folders inside the drop are not part of it.
    """
    for drop in drops:
        if not drop.exists():
            raise typer.BadParameter(f"{drop} does not exist")
    from stegvis.storage.seal import SealError
    from stegvis.storage.seal import seal as write_seal

    for drop in drops:
        try:
            sealed = write_seal(drop, synthetic)
        except SealError as error:
            fail(str(error))
        for name in sealed.skipped:
            say(f"{name} is not a file of the drop: left out")
        count = f"{len(sealed.files)} file{'s' if len(sealed.files) > 1 else ''}"
        done = f"sealed {count}" if sealed.new else "was sealed already, and is unchanged"
        print(f"{sealed.manifest}: {done}")


def accept(
    kind: Annotated[PartitionKind, typer.Argument(help="wave or batch.")],
    name: Annotated[str, typer.Argument(help="Its name, such as 2033.")],
    by: Annotated[str, typer.Option("--by", help="Who decides.")],
    because: Annotated[str, typer.Option("--because", help="Why it is right.")],
    home: HomeOption = None,
) -> None:
    """Accept a wave or batch that is blocked because it is far from what is expected, and refresh.

    What was seen is accepted: a later correction that differs more, or in another way, is blocked again.
    """
    from stegvis.orchestration.accept import accept_partition
    from stegvis.storage.acceptance import AcceptError

    place = find_home(home)
    try:
        seen = accept_partition(place, kind.value, name, by, because)
    except AcceptError as error:
        fail(str(error))
    for sentence in seen:
        say(f"accepted {kind.value} {name}: {sentence}")
    raise typer.Exit(run_refresh(place, as_json=False))


def retire(
    kind: Annotated[PartitionKind, typer.Argument(help="wave or batch.")],
    name: Annotated[str, typer.Argument(help="Its name, such as 2027.")],
    home: HomeOption = None,
) -> None:
    """Drop a wave or batch whose deliveries were taken away, and refresh; releases keep what they published."""
    from stegvis.orchestration.retire import retire as drop_partition
    from stegvis.storage.retiring import RetireError

    place = find_home(home)
    try:
        rows = drop_partition(place, kind.value, name)
    except RetireError as error:
        fail(str(error))
    say(f"retired {kind.value} {name}: {rows:,} rows removed")
    raise typer.Exit(run_refresh(place, as_json=False))


def withdraw(
    file: Annotated[Path, typer.Argument(help="A .csv with one column: person.")], home: HomeOption = None
) -> None:
    """Register withdrawals of consent, erase the people from every table and file, and refresh."""
    from stegvis.orchestration.withdraw import WithdrawalError, register
    from stegvis.storage.alerts import add_alert
    from stegvis.study.study import Study

    if not file.is_file():
        raise typer.BadParameter(f"{file} does not exist")
    place = find_home(home)
    try:
        name, people = register(place, file, Study.of(place.root).codebook.withdrawals)
    except WithdrawalError as error:
        add_alert(place.create().root, "error", "withdrawal", "stegvis withdraw", f"nothing was registered: {error}")
        fail(f"{error}; nothing was registered")
    say(f"registered {people:,} withdrawals as {name}")
    raise typer.Exit(run_refresh(place, as_json=False))
