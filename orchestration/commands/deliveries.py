"""Commands about deliveries: twin, validate, withdraw."""

from __future__ import annotations

import json
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
    seed: SeedOption = 1,
) -> None:
    """Write a synthetic cohort's deliveries and its truth.json."""
    if out.exists() and any(out.iterdir()):
        raise typer.BadParameter(f"{out} is not empty")
    from stegvis.study.codebook import CODEBOOK_FILE, read_codebook
    from stegvis.study.protocol import PROTOCOL_FILE, read_protocol
    from stegvis.twin import TooFewPeopleError, write_twin

    try:
        write_twin(
            out, read_protocol(PROTOCOL_FILE), read_codebook(CODEBOOK_FILE), people=people, waves=waves, epochs=epochs,
            signals=signals, seed=seed, progress=say, raw=raw, faults=faults,
        )  # fmt: skip
    except TooFewPeopleError as error:
        fail(str(error), code=2)
    print(out / "truth.json")


def validate(
    drop: Annotated[Path, typer.Argument(help="A drop's folder, or a withdrawals .csv.")],
    as_json: JsonOption = False,
) -> None:
    """Check a drop against the contract without running anything; exit 1 with its problems if it falls short."""
    if not drop.exists():
        raise typer.BadParameter(f"{drop} does not exist")
    from stegvis.storage.delivered_files import DeliveryContract
    from stegvis.storage.validation import validate_drop
    from stegvis.study.codebook import CODEBOOK_FILE, read_codebook
    from stegvis.study.protocol import PROTOCOL_FILE, read_protocol

    codebook, protocol = read_codebook(CODEBOOK_FILE), read_protocol(PROTOCOL_FILE)
    found = validate_drop(drop, DeliveryContract(codebook, protocol))
    if as_json:
        problems = found.problems.astype(object).where(found.problems.notna(), None).to_dict("records")
        print(json.dumps({"problems": problems, "files": found.summary.to_dict("records")}, indent=2, default=str))
    else:
        print_validation(found)
    raise typer.Exit(0 if found.passed else 1)


def withdraw(
    file: Annotated[Path, typer.Argument(help="A .csv with one column: person.")], home: HomeOption = None
) -> None:
    """Register withdrawals of consent, erase the people from every table and file, and refresh."""
    from stegvis.orchestration.withdraw import WithdrawalError, register
    from stegvis.study.codebook import CODEBOOK_FILE, read_codebook

    if not file.is_file():
        raise typer.BadParameter(f"{file} does not exist")
    place = find_home(home)
    try:
        name, people = register(place, file, read_codebook(CODEBOOK_FILE).withdrawals)
    except WithdrawalError as error:
        fail(str(error))
    say(f"registered {people:,} withdrawals as {name}")
    raise typer.Exit(run_refresh(place, as_json=False))
