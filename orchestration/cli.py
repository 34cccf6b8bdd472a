"""The command line.

Belongs here: reading arguments, printing results, exit codes (0 done; 1 a check or a contract failed; 2 wrong usage).
Does not belong here: the work itself. Results go to standard output, progress and problems to standard error. No
person's data is printed.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

app = typer.Typer(
    name="stegvis",
    help="From accelerometer and questionnaire deliveries to estimates of walking and chronic low back pain.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

HomeOption = Annotated[
    Path | None,
    typer.Option("--home", help="The home folder. Default: STEGVIS_HOME, else .stegvis here.", show_default=False),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
SeedOption = Annotated[int, typer.Option(min=0, help="Seed of every random draw.")]
PeopleOption = Annotated[int, typer.Option(min=50, help="People at baseline.")]

FULL_SIZE = 56_042


def main() -> None:
    """Entry point: ordinary mistakes end in one line, not in a traceback."""
    from stegvis.storage.disk import refusal
    from stegvis.storage.lock import LockedError
    from stegvis.study.codebook import CodebookError
    from stegvis.study.protocol import ProtocolError

    # A request to end, by a service manager say, is as good as Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        app()
    except (LockedError, ProtocolError, CodebookError) as error:
        _fail(str(error))
    except Exception as error:
        # Also below Dagster's own storage, which may lie on the disk that is full.
        said = refusal(error)
        if said is None:
            raise
        _fail(f"{said}; what was published stays, and the next refresh goes on from there")


@app.command()
def demo(
    home: HomeOption = None,
    people: PeopleOption = FULL_SIZE,
    seed: SeedOption = 1,
    waves: Annotated[int, typer.Option(min=1, help="Follow-up waves.")] = 2,
) -> None:
    """Make a synthetic twin's deliveries, run everything, and print where the report is."""
    place = _home(home)
    truth = place.landing / "truth.json"
    asked = {"people": people, "waves": waves, "seed": seed}
    if truth.exists():
        facts = json.loads(truth.read_text(encoding="utf-8"))
        found = facts["sizes"] | {"seed": facts["seed"]}
        if any(found.get(name) != value for name, value in asked.items()):
            _fail(f"{place.landing} holds another twin; choose another --home, or the same people, waves and seed")
        _say(f"using the twin's deliveries in {place.landing}")
    elif place.landing.exists() and any(place.landing.iterdir()):
        _fail(f"{place.landing} holds deliveries; the demo would mix synthetic people into them. Choose another --home")
    else:
        from stegvis.twin import write_twin

        _say(f"writing the deliveries of {people:,} synthetic people to {place.landing}")
        write_twin(
            place.landing, people=people, waves=waves, epochs=min(40, people // 20), signals=2, seed=seed, progress=_say
        )
    code = _refresh(place, as_json=False)
    from stegvis.orchestration.status import last_release

    release = last_release(place)
    if release:
        print(f"report: {release['report']}")
    raise typer.Exit(code)


@app.command()
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
    from stegvis.twin import TooFewPeopleError, write_twin

    try:
        write_twin(
            out, people=people, waves=waves, epochs=epochs, signals=signals, seed=seed, progress=_say, raw=raw,
            faults=faults,
        )  # fmt: skip
    except TooFewPeopleError as error:
        _fail(str(error), code=2)
    print(out / "truth.json")


@app.command()
def validate(
    drop: Annotated[Path, typer.Argument(help="A drop's folder, or a withdrawals .csv.")],
    as_json: JsonOption = False,
) -> None:
    """Check a drop against the contract without running anything; exit 1 with its problems if it falls short."""
    if not drop.exists():
        raise typer.BadParameter(f"{drop} does not exist")
    from stegvis.storage.validation import validate_drop

    found = validate_drop(drop)
    problems = found.problems.astype(object).where(found.problems.notna(), None).to_dict("records")
    if as_json:
        print(json.dumps({"problems": problems, "files": found.summary.to_dict("records")}, indent=2, default=str))
    else:
        for file in found.summary.to_dict("records"):
            print(f"{file['file']}: {file['rows_fine']:,} of {file['rows_read']:,} rows fine")
        for note in found.notes:
            print(f"note: {note}")
        for problem in problems:
            row = f" row {problem['row']}" if problem["row"] is not None else ""
            column = f" [{problem['column']}]" if problem["column"] else ""
            print(f"{problem['file']}{row}{column} {problem['rule']}: {problem['message']}")
        print("the drop keeps the contract" if not problems else f"{len(problems):,} problems")
    raise typer.Exit(1 if problems else 0)


@app.command()
def refresh(
    home: HomeOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would run and why; run nothing.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Find new deliveries, materialize what is stale and only that, publish a release."""
    place = _home(home)
    if not dry_run:
        raise typer.Exit(_refresh(place, as_json))
    from stegvis.orchestration.refresh import dry_run as what_would_run

    steps, _landing = what_would_run(place)
    if as_json:
        print(json.dumps([vars(step) for step in steps], indent=2))
    elif not steps:
        print("nothing to do: everything is in step with its inputs")
    for step in () if as_json else steps:
        print(f"{step.state:8} {step.label}: {'; '.join(step.reasons)}")


@app.command()
def status(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Show waves, batches, what is stale and why, failing checks and the last release."""
    from stegvis.orchestration.status import status as gather

    facts = gather(_home(home))
    if as_json:
        print(json.dumps(facts, indent=2, default=str))
    else:
        _print_status(facts)


@app.command()
def classify(
    back: Annotated[Path, typer.Argument(help="The lower back's recording (.cwa).")],
    thigh: Annotated[Path, typer.Argument(help="The thigh's recording (.cwa), of the same person and week.")],
    out: Annotated[
        Path, typer.Option("--out", "-o", help="The epochs to write (.parquet); the other files go beside it.")
    ],
    picture: Annotated[bool, typer.Option("--picture/--no-picture", help="Draw the week.")] = True,
    as_json: JsonOption = False,
) -> None:
    """Classify one raw pair, without the warehouse.

    With -o WEEK.parquet it writes the 5-second epochs (WEEK.parquet), seconds of each activity by day (WEEK_days.csv),
    a picture of the week (WEEK_week.svg), and what was found of sensors and clocks (WEEK_quality.json); files of these
    names are replaced. All of them hold one person's data. Sensors that were swapped are put right, clocks that ran
    apart are brought together, and both is said.

    A pair that cannot be used ends with exit code 1, the rule it breaks and why; nothing is written.
    """
    for file in (back, thigh):
        if not file.is_file():
            raise typer.BadParameter(f"{file} does not exist")
    if out.suffix != ".parquet":
        raise typer.BadParameter(f"{out.name} does not end in .parquet")
    if not out.parent.is_dir():
        raise typer.BadParameter(f"{out.parent} is no folder")
    from stegvis.orchestration.classify import PairFiles, days_of, pair_summary, write_pair

    from stegvis.accelerometry.epoch_model import ModelError
    from stegvis.accelerometry.method import Method
    from stegvis.accelerometry.pair_classification import classify_pair
    from stegvis.accelerometry.pair_problems import PairError
    from stegvis.study.protocol import PROTOCOL_FILE, read_protocol

    protocol = read_protocol(PROTOCOL_FILE)
    try:
        result = classify_pair(back, thigh, Method.of(protocol), progress=_say)
        days = days_of(result, protocol)
        if picture:
            _say("drawing the week")
        written = write_pair(result, days, PairFiles(out), picture=picture)
    except PairError as error:
        _fail(f"{error.rule}: {error}")
    except ModelError as error:
        _fail(str(error))
    except OSError as error:
        _fail(f"cannot write beside {out}: {error.strerror or 'the disk refuses'}")
    for problem in result.problems:
        _say(f"{problem.rule}: {problem.message}")
    summary = pair_summary(result, days, written)
    if as_json:
        print(json.dumps(summary, indent=2))
        return
    print(f"{summary['epochs']:,} epochs, {summary['days']} days, {summary['valid_days']} of them valid")
    print("minutes: " + ", ".join(f"{name} {minutes:,}" for name, minutes in summary["minutes"].items()))
    for path in summary["files"]:
        print(path)


@app.command()
def train(
    folders: Annotated[list[Path], typer.Argument(help="Folders of labeled recordings.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="The model file to write (.npz).")],
) -> None:
    """Train the epoch classifier from labeled recordings and write its model card."""
    from stegvis.accelerometry.datasets import DatasetError
    from stegvis.accelerometry.labeled_people import TrainingError
    from stegvis.accelerometry.recording import RecordingError
    from stegvis.accelerometry.training import train as train_classifier
    from stegvis.study.protocol import PROTOCOL_FILE, read_protocol

    try:
        train_classifier(folders, out, read_protocol(PROTOCOL_FILE), _say)
    except (DatasetError, RecordingError, TrainingError) as error:
        _fail(str(error))
    print(out)


@app.command()
def withdraw(
    file: Annotated[Path, typer.Argument(help="A .csv with one column: person.")], home: HomeOption = None
) -> None:
    """Register withdrawals of consent, erase the people from every table and file, and refresh."""
    from stegvis.orchestration.withdraw import WithdrawalError, register

    if not file.is_file():
        raise typer.BadParameter(f"{file} does not exist")
    place = _home(home)
    try:
        name, people = register(place, file)
    except WithdrawalError as error:
        _fail(str(error))
    _say(f"registered {people:,} withdrawals as {name}")
    raise typer.Exit(_refresh(place, as_json=False))


@app.command()
def compare(
    old: Annotated[Path, typer.Argument(help="The earlier release's folder.")],
    new: Annotated[Path, typer.Argument(help="The later release's folder.")],
    as_json: JsonOption = False,
) -> None:
    """Show what changed between two releases: estimates, protocol, and why, where NEW was made right after OLD."""
    from stegvis.orchestration.comparison import NotAReleaseError
    from stegvis.orchestration.comparison import compare as compared

    try:
        found = compared(old, new)
    except NotAReleaseError as error:
        raise typer.BadParameter(str(error)) from error
    if as_json:
        print(json.dumps(found, indent=2))
        return
    for row in found["changes"]:
        what = " / ".join(str(row[k]) for k in ("wave", "analysis", "model", "exposure", "level") if row[k])
        print(f"{row['change']:8} {what}: {_number(row['estimate_before'])} -> {_number(row['estimate_now'])}")
    for value in found["protocol_changes"]:
        print(f"protocol {value['name']}: {value['before']} -> {value['now']}")
    for row in found["steps"]:
        what = " / ".join(row[k] for k in ("wave", "model", "exposure", "level"))
        print(f"bridge   {what}: log ratio {row['change']:+.4f} (SE {_number(row['std_error'])})")
        for step in row["steps"]:
            people = f", {step['people']:,} people" if step["people"] is not None else ""
            moved = "" if step["change"] is None else f" {step['change']:+.4f} (SE {_number(step['std_error'])})"
            print(f"           {step['step']}{people}{moved}{': ' if step['note'] else ''}{step['note']}")
        if row["flagged"] or row["note"]:
            print(f"           {'; '.join(filter(None, ['larger than expected' * row['flagged'], row['note']]))}")
    if found["note"]:
        print(f"bridge   {found['note']}")
    changes = found["changes"]
    print(f"{len(changes):,} estimates differ" if changes else "the releases hold the same estimates")


@app.command()
def trace(
    release: Annotated[Path, typer.Argument(help="A release's folder.")],
    wave: Annotated[str | None, typer.Option(help="Of the rows of results.csv that are meant.")] = None,
    analysis: Annotated[str | None, typer.Option(show_default=False)] = None,
    population: Annotated[str | None, typer.Option(show_default=False)] = None,
    model: Annotated[str | None, typer.Option(show_default=False)] = None,
    exposure: Annotated[str | None, typer.Option(show_default=False)] = None,
    term: Annotated[str | None, typer.Option(show_default=False)] = None,
    level: Annotated[str | None, typer.Option(show_default=False)] = None,
    measure: Annotated[str | None, typer.Option(show_default=False)] = None,
    sql: Annotated[bool, typer.Option("--sql", help="Print the SELECTs too.")] = False,
    as_json: JsonOption = False,
) -> None:
    """From a number back to where it came from: stages and their runs, SQL, protocol values, deliveries and hashes."""
    from stegvis.orchestration.trace import SELECTORS, TraceError
    from stegvis.orchestration.trace import trace as follow

    given = (wave, analysis, population, model, exposure, term, level, measure)
    try:
        found = follow(
            release, {name: value for name, value in zip(SELECTORS, given, strict=True) if value is not None}
        )
    except TraceError as error:
        raise typer.BadParameter(str(error)) from error
    if as_json:
        print(json.dumps(found, indent=2))
        return
    for row in found["rows"][:20]:
        key = " / ".join(row[name] for name in SELECTORS if row[name])
        interval = f" ({row['ci_low']} to {row['ci_high']})" if row["ci_low"] or row["ci_high"] else ""
        print(f"{key}: {row['estimate'] or row['status']}{interval}")
    if len(found["rows"]) > 20:
        print(f"... and {len(found['rows']) - 20:,} rows more")
    for stage in found["stages"]:
        where = f" [{stage['partition']}]" if stage["partition"] else ""
        made = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(stage["made_at"]))
        print(f"\n{stage['asset']}{where}, made {made} UTC by run {stage['run']}, version {stage['data_version']}")
        for part in ("made_from", "method"):
            for name, value in stage[part].items():
                print(f"  {name}: {value if len(value) < 100 else value[:97] + '...'}")
    for name, text in found["sql"].items() if sql else ():
        print(f"\n-- {name}\n{text}")


@app.command()
def verify(
    release: Annotated[str, typer.Argument(help="A release's folder, or its name in the home.")] = "latest",
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Prove that a release is what was published: every file, the ledger, the signatures; exit 1 if it is not."""
    from stegvis.orchestration.verify import release_folder
    from stegvis.orchestration.verify import verify as held_against

    folder = release_folder(release, _home(home).releases)
    if not folder.is_dir():
        raise typer.BadParameter(f"{folder} does not exist")
    found = held_against(folder)
    if as_json:
        print(json.dumps(vars(found) | {"ok": not found.problems}, indent=2))
    else:
        for problem in found.problems:
            print(f"PROBLEM {problem}")
        for note in found.notes:
            print(f"note: {note}")
        signed = f", signed by {' and '.join(found.signed_by)}" if found.signed_by else ""
        proven = f"{found.release} is as it was published: {found.files} files{signed}"
        print(f"{found.release} is NOT as it was published" if found.problems else proven)
    raise typer.Exit(1 if found.problems else 0)


@app.command()
def sign(
    release: Annotated[str, typer.Argument(help="The release's name in the home.")],
    name: Annotated[str, typer.Option("--name", help="Who signs.")],
    home: HomeOption = None,
) -> None:
    """Sign a release after looking at it; it becomes the latest when as many signed as the protocol asks for."""
    from stegvis.orchestration.status import last_release, waiting_release
    from stegvis.orchestration.verify import verify as held_against

    from stegvis.storage.signatures import SignatureError, advance_latest
    from stegvis.storage.signatures import sign as put_name
    from stegvis.study.protocol import protocol

    place = _home(home)
    folder = place.releases / release
    problems = held_against(folder).problems if folder.is_dir() else []
    if problems:
        _fail(f"{release} is not as it was published: {problems[0]} (stegvis verify lists {len(problems)})")
    try:
        signature = put_name(place.releases, release, name)
    except SignatureError as error:
        _fail(str(error))
    advance_latest(place.releases, protocol().release.signatures)
    print(f"{signature.name} signed {release}")
    waiting = waiting_release(place)
    if waiting:
        print(_waits(waiting))
    latest = last_release(place)
    if latest:
        print(f"latest release: {latest['release']}")


@app.command()
def export(
    wave: Annotated[str, typer.Option(help="The follow-up wave, or all for the tables across waves.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder to write into; made if absent, must be empty.")],
    permission: Annotated[
        str, typer.Option(help="Under which permission the rows may leave; goes into the register of exports.")
    ] = "",
    home: HomeOption = None,
) -> None:
    """Write a wave's analysis tables, a row for each person, for those who are allowed to have them."""
    from stegvis.orchestration.export import ExportError
    from stegvis.orchestration.export import export as take_out

    try:
        rows = take_out(_home(home), wave, out, permission)
    except ExportError as error:
        _fail(str(error))
    for name, count in rows.items():
        print(f"{out / name}.csv: {count:,} rows")


@app.command()
def ui(
    home: HomeOption = None,
    port: Annotated[int, typer.Option(help="Port on this machine; the reports are served on the next one.")] = 3000,
) -> None:
    """Open the Dagster UI and daemon on this home; Ctrl-C stops both."""
    from stegvis.orchestration.instance import dagster_home, open_instance

    place = _home(home).create()
    with open_instance(place):
        pass
    root = Path(__file__).parents[1]
    os.environ |= {
        "STEGVIS_HOME": str(place.root),
        "STEGVIS_LANDING": str(place.landing),
        "DAGSTER_HOME": str(dagster_home(place)),
    }
    os.chdir(root)
    reports = port + 1
    os.environ.setdefault("STEGVIS_REPORTS_URL", f"http://127.0.0.1:{reports}")
    _say(f"http://127.0.0.1:{port} shows {place.root}; the reports are at {place.report_address('latest')}")
    # Started in the background of a script, a process ignores Ctrl-C and so would everything it starts.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    subprocess.Popen([sys.executable, "-m", "stegvis.orchestration.reports_server", str(place.releases), str(reports)])
    program = str(Path(sys.executable).with_name("dagster"))
    os.execv(program, [program, "dev", "-w", str(root / "workspace.yaml"), "-h", "127.0.0.1", "-p", str(port)])


def _refresh(place: Any, as_json: bool) -> int:
    from stegvis.orchestration.refresh import by_asset
    from stegvis.orchestration.refresh import refresh as bring_up_to_date
    from stegvis.orchestration.status import last_release, waiting_release

    try:
        done = bring_up_to_date(place, _say)
    except KeyboardInterrupt:
        _fail("stopped; what was published stays, and the next refresh goes on from there", code=130)
    made = by_asset(done.materialized)
    release, waiting = last_release(place), waiting_release(place)
    if as_json:
        print(
            json.dumps(
                {
                    "materialized": [{"asset": a, "partition": p} for a, p in done.materialized],
                    "failed": [{"asset": a, "partition": p, "reason": why} for a, p, why in done.failed],
                    "held": [{"asset": s.asset, "partition": s.partition} for s in done.held],
                    "waiting": [{"asset": s.asset, "partition": s.partition} for s in done.waiting],
                    "deliveries_waiting": [f"{w.kind}/{w.name}: {w.reason}" for w in done.landing.waiting],
                    "deliveries_rejected": [f"{r.kind}/{r.name}: {r.reason}" for r in done.landing.rejected],
                    "release": release,
                    "waiting_release": waiting,
                    "seconds": round(done.seconds, 2),
                },
                indent=2,
            )
        )
    else:
        if not made:
            print("nothing to do: everything is in step with its inputs")
        else:
            partitions = sum(len(keys) for keys in made.values())
            print(f"materialized {len(made)} assets ({partitions} partitions) in {done.seconds:.1f} s")
        if release:
            print(f"release: {release['release']}{' (synthetic)' if release['synthetic'] else ''}")
        if waiting:
            print(_waits(waiting))
    for unused in done.landing.waiting:
        _say(f"waiting delivery {unused.kind}/{unused.name}: {unused.reason}")
    for unused in done.landing.rejected:
        _say(f"REJECTED delivery {unused.kind}/{unused.name}: {unused.reason}")
    for step in done.held:
        _say(f"HELD {step.label}: {'; '.join(step.reasons)}")
    if done.waiting:
        roots = sorted({step.label for step in done.held} | {f"{a} [{p}]" if p else a for a, p, _ in done.failed})
        _say(f"{len(done.waiting)} partitions wait for {', '.join(roots) or 'deliveries that have not come'}")
    return 0 if done.ok else 1


def _print_status(facts: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False, markup=False, width=None if sys.stdout.isatty() else 160)
    release = facts["last_release"]
    kind = "synthetic data" if facts["synthetic"] else "real data"
    console.print(f"home {facts['home']} ({kind}, mode {facts['mode']})")
    console.print(f"last release {release['release']}, {release['created']}" if release else "no release yet")
    if facts["waiting_release"]:
        console.print(_waits(facts["waiting_release"]))
    if facts["waves"] or facts["batches"]:
        table = Table("partition", "name", "state", "behind", box=None)
        for kind_name in ("wave", "batch"):
            for row in facts["waves" if kind_name == "wave" else "batches"]:
                table.add_row(kind_name, row[kind_name], row["state"], ", ".join(row["behind"]))
        console.print(table)
    for title in ("stale", "held", "waiting"):
        for step in facts[title]:
            where = f" [{step['partition']}]" if step["partition"] else ""
            console.print(f"{title} {step['asset']}{where}: {'; '.join(step['reasons'])}")
    if not facts["stale"]:
        console.print("nothing is stale")
    for check in facts["failing_checks"]:
        where = f" [{check['partition']}]" if check["partition"] else ""
        console.print(
            f"{check['severity']} {check['asset']}{where}: {check['meaning']} ({check['failing']} of {check['total']})"
        )
    for found in facts["quarantine"]:
        where = f" [{found['partition']}]" if found["partition"] else ""
        what = f"{found['file']}: {found['message']}" if found["file"] else f"{found['problems']} rows"
        console.print(f"quarantine {found['asset']}{where}: {found['rule']}, {what}")
    for source in facts["sources"]:
        if source["overdue"]:
            console.print(
                f"overdue {source['source']}: the last delivery came {source['days_since_last']:.0f} days ago"
            )
    for state in ("waiting", "rejected", "repeated"):
        for unused in facts["deliveries"][state]:
            console.print(f"{state} delivery {unused['delivery']}: {unused['reason']}")


def _waits(release: dict[str, Any]) -> str:
    missing = release["signatures_missing"]
    number = f"{missing} signature{'s' if missing != 1 else ''}"
    return f"release {release['release']} waits for {number}: stegvis sign {release['release']} --name NAME"


def _home(home: Path | None) -> Any:
    from stegvis.storage.home import Home

    return Home.find(home)


def _number(value: float | None) -> str:
    return "none" if value is None else f"{value:.3f}"


def _say(line: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {line}", file=sys.stderr, flush=True)


def _fail(message: str, code: int = 1) -> NoReturn:
    print(f"stegvis: {message}", file=sys.stderr)
    raise SystemExit(code)
