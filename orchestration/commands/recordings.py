"""Commands about single recordings, without a home: classify, train."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stegvis.orchestration.commands.options import HomeOption, JsonOption, find_home, protocol_of
from stegvis.orchestration.printing import fail, print_pair, say

if TYPE_CHECKING:
    import pandas as pd

    from stegvis.accelerometry.pair_classification import PairResult
    from stegvis.orchestration.classify import PairFiles
    from stegvis.study.protocol import Protocol


def classify(
    pair: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="BACK THIGH",
            help="The lower back's recording (.cwa) and the thigh's, of the same person and week.",
            show_default=False,
        ),
    ] = None,
    *,
    out: Annotated[
        Path, typer.Option("--out", "-o", help="The epochs to write (.parquet); the other files go beside it.")
    ],
    person: Annotated[
        str | None, typer.Option(help="The person's identifier, for a column of WEEK.parquet; needed to deliver it.")
    ] = None,
    picture: Annotated[bool, typer.Option("--picture/--no-picture", help="Draw the week.")] = True,
    thigh: Annotated[
        Path | None, typer.Option(help="Instead of a pair: the recording of a thigh sensor alone (.cwa).")
    ] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Classify one raw pair, or one thigh sensor, without the warehouse, by the protocol of the home (without one, that
    of HUNT4).

    With -o WEEK.parquet it writes the 5-second epochs (WEEK.parquet), seconds of each activity by day (WEEK_days.csv),
    a picture of the week (WEEK_week.svg), and the quality of sensors and clocks (WEEK_quality.json); files of these
    names are replaced. All of them hold one person's data. Swapped sensors and diverging clocks are corrected and
    reported.

    With --thigh FILE (12.5 samples per second and more), sitting and lying are reported together as sitting, and lying
    apart only where it is certain; in WEEK_days.csv lying is blank. A pair whose back cannot be used is classified in
    this way too, which is said.

    What cannot be used ends with exit code 1, the rule it breaks and why; nothing is written.
    """
    files = _files(pair or [], thigh, out)
    if thigh and person is not None:
        raise typer.BadParameter(
            "--person is for a pair: epochs of a thigh sensor alone do not know lying. Deliver <person>_thigh.cwa"
        )
    from stegvis.orchestration.classify import PairFiles, pair_summary

    protocol = protocol_of(find_home(home))
    result, days, written = _classify(files, protocol, PairFiles(out), person, picture=picture)
    for problem in result.problems:
        say(f"{problem.rule}: {problem.message}")
    summary = pair_summary(result, days, written)
    if as_json:
        print(json.dumps(summary, indent=2))
    else:
        print_pair(summary)


def _classify(
    files: list[Path], protocol: Protocol, into: PairFiles, person: str | None, *, picture: bool
) -> tuple[PairResult, pd.DataFrame, list[Path]]:
    """The result, its days, and the files written; what cannot be used ends the command."""
    from stegvis.accelerometry.epoch_model import ModelError
    from stegvis.accelerometry.method import Method
    from stegvis.accelerometry.pair_problems import PairError
    from stegvis.accelerometry.thigh_classification import classify_recording
    from stegvis.orchestration.classify import days_of, write_pair

    try:
        result = classify_recording(files, Method.of(protocol), progress=say)
        days = days_of(result, protocol)
        if picture:
            say("drawing the week")
        written = write_pair(result, days, into, protocol.epochs.seconds, picture=picture, person=person)
    except PairError as error:
        fail(f"{error.rule}: {error}")
    except ModelError as error:
        fail(str(error))
    except OSError as error:
        fail(f"cannot write beside {into.epochs}: {error.strerror or 'the disk refuses'}")
    if person is not None and "wear_back" not in result.epochs:
        say(f"do not deliver {into.epochs.name}: its lying would count as known. Deliver the thigh's recording itself")
    return result, days, written


def _files(pair: list[Path], thigh: Path | None, out: Path) -> list[Path]:
    """Back and thigh, or the thigh alone; each is there, and the result can be written."""
    files = [*pair, *([thigh] if thigh else [])]
    if len(files) != (1 if thigh else 2):
        raise typer.BadParameter("give the recordings of the back and of the thigh, or --thigh FILE alone")
    for file in files:
        if not file.is_file():
            raise typer.BadParameter(f"{file} does not exist")
    if out.suffix != ".parquet":
        raise typer.BadParameter(f"{out.name} does not end in .parquet")
    if not out.parent.is_dir():
        raise typer.BadParameter(f"{out.parent} is not a folder")
    return files


def train(
    folders: Annotated[list[Path], typer.Argument(help="Folders of labeled recordings.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="The model file to write (.npz).")],
    thigh: Annotated[
        float | None,
        typer.Option(help="By the thigh sensor alone, for recordings of so many samples per second: 50 or 12.5."),
    ] = None,
) -> None:
    """Train the epoch classifier from labeled recordings and write its model card.

    With --thigh it is the classifier of one thigh sensor, trained on the same recordings without their back.
    """
    if out.exists() and not out.is_file():
        raise typer.BadParameter(f"{out} is not an ordinary file, and the model would take its place")
    from stegvis.accelerometry.datasets import DatasetError
    from stegvis.accelerometry.labeled_people import TrainingError
    from stegvis.accelerometry.recording import RecordingError
    from stegvis.accelerometry.thigh_training import train_thigh
    from stegvis.accelerometry.training import train as train_classifier
    from stegvis.study.study import Study

    try:
        if thigh is None:
            train_classifier(folders, out, Study.shipped().protocol, say)
        else:
            train_thigh(folders, out, thigh, Study.shipped().protocol, say)
    except (DatasetError, RecordingError, TrainingError) as error:
        fail(str(error))
    print(out)
