"""Commands that run a home: demo, refresh, status, ui."""

from __future__ import annotations

import json
import os
import signal
from typing import TYPE_CHECKING, Annotated

import typer

from stegvis.orchestration.commands.options import (
    FULL_SIZE,
    HomeOption,
    JsonOption,
    PeopleOption,
    SeedOption,
    find_home,
)
from stegvis.orchestration.printing import fail, print_plan, print_refresh, print_status, say
from stegvis.orchestration.ui_parts import LOCAL, SHORTEST_TOKEN, Part

if TYPE_CHECKING:
    from stegvis.storage.home import Home


def demo(
    home: HomeOption = None,
    people: PeopleOption = FULL_SIZE,
    seed: SeedOption = 1,
    waves: Annotated[int, typer.Option(min=1, help="Follow-up waves.")] = 2,
) -> None:
    """Make a synthetic twin's deliveries, run everything, and print where the report is."""
    from stegvis.studies import FIRST, copy_study

    place = find_home(home)
    truth = place.landing / "truth.json"
    asked = {"people": people, "waves": waves, "seed": seed}
    if truth.exists():
        facts = json.loads(truth.read_text(encoding="utf-8"))
        found = facts["sizes"] | {"seed": facts["seed"]}
        if any(found.get(name) != value for name, value in asked.items()):
            fail(f"{place.landing} holds another twin; choose another --home, or the same people, waves and seed")
        say(f"using the twin's deliveries in {place.landing}")
    elif place.landing.exists() and any(place.landing.iterdir()):
        fail(f"{place.landing} holds deliveries; the demo would mix synthetic people into them. Choose another --home")
    else:
        from stegvis.study.study import Study
        from stegvis.twin import write_twin

        study = Study.shipped()

        say(f"writing the deliveries of {people:,} synthetic people to {place.landing}")
        write_twin(
            place.landing, study.protocol, study.codebook, people=people, waves=waves,
            epochs=min(40, people // 20), signals=2, seed=seed, progress=say,
        )  # fmt: skip
    if not place.study.is_dir():
        copy_study(FIRST, place.create().study)
    code = run_refresh(place, as_json=False)
    from stegvis.orchestration.status import last_release

    release = last_release(place)
    if release:
        print(f"report: {release['report']}")
    raise typer.Exit(code)


def refresh(
    home: HomeOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would run and why; run nothing.")] = False,
    here: Annotated[
        bool, typer.Option("--here", help="Run in this process, also while a daemon of this home is running.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Find new deliveries, materialize what is stale and only that, publish a release."""
    place = find_home(home)
    if not dry_run:
        raise typer.Exit(run_refresh(place, as_json, here))
    from stegvis.orchestration.refresh import dry_run as what_would_run

    planned, _landing = what_would_run(place)
    if as_json:
        from stegvis.orchestration.status import described

        print(json.dumps([vars(each) | described(each) for each in planned], indent=2))
    else:
        print_plan(planned)


def status(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Show what is blocked, failed or stale and why, and the last release; exit 1 if anything is blocked or failed."""
    from stegvis.orchestration.status import status as gather

    facts = gather(find_home(home))
    if as_json:
        print(json.dumps(facts, indent=2, default=str))
    else:
        print_status(facts)
    raise typer.Exit(0 if facts["ok"] else 1)


def ui(
    home: HomeOption = None,
    port: Annotated[int, typer.Option(help="Port on this machine; the reports are served on the next one.")] = 3000,
    only: Annotated[Part | None, typer.Option(help="Start this part alone, for a reverse proxy.")] = None,
    listen: Annotated[str, typer.Option(help="Address on which a part listens; only with --only.")] = LOCAL,
) -> None:
    """Open the Dagster UI and daemon on this home, for whoever has the printed token; Ctrl-C stops both."""
    from stegvis.orchestration.instance import environment, prepare_instance
    from stegvis.orchestration.ui_processes import new_token, processes, wait_until_one_ends, wait_until_served

    if listen != LOCAL and (only is None or not only.is_webserver):
        raise typer.BadParameter("only a webserver alone listens elsewhere: --only webserver or --only viewer")
    if only is not None and only.is_webserver and len(os.environ.get("STEGVIS_UI_TOKEN", "")) < SHORTEST_TOKEN:
        raise typer.BadParameter(
            f"a webserver behind a proxy needs STEGVIS_UI_TOKEN, of {SHORTEST_TOKEN} characters or more"
        )
    place = find_home(home).create()
    if only is not Part.REPORTS:
        prepare_instance(place)
    os.environ |= environment(place)
    os.environ.setdefault("STEGVIS_REPORTS_URL", f"http://127.0.0.1:{port + 1}")
    token = new_token()
    # A process started in the background of a script ignores Ctrl-C, and so would everything it starts.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with processes(place, port, token, only, listen) as started:
            if only is None or only.is_webserver:
                wait_until_served(started, port)
            if only is None:
                _say_where(place, f"http://127.0.0.1:{port}", token)
            else:
                say(f"{only.value} of {place.root} runs")
            wait_until_one_ends(started)
    except KeyboardInterrupt:
        return
    except RuntimeError as error:
        fail(str(error))
    fail("a process of the UI ended, so all of it was stopped")


def _say_where(place: Home, address: str, token: str) -> None:
    say(f"{address}/?token={token} shows {place.root}: what is stale, what failed, and why")
    say(f"the reports are at {place.report_address('latest')}")


def run_refresh(place: Home, as_json: bool, here: bool = False) -> int:
    """Refresh a home and print what was done; returns the exit code.

    Args:
        place: the home.
        as_json: print what was done as JSON.
        here: in this process, also when a daemon of the home is running.
    """
    from stegvis.orchestration.handover import HandoverError, hand_over
    from stegvis.orchestration.monitoring.watching import watched
    from stegvis.orchestration.refresh import refresh as bring_up_to_date
    from stegvis.orchestration.refreshed import refreshed

    try:
        done = None if here else hand_over(place, say)
        if done is None:
            with watched(place, say):
                done = refreshed(place, bring_up_to_date(place, say))
    except KeyboardInterrupt:
        fail("stopped; what was published is unchanged, and the next refresh continues from there", code=130)
    except HandoverError as error:
        fail(str(error))
    if as_json:
        print(json.dumps(done, indent=2))
    print_refresh(done, progress_only=as_json)
    return 0 if done["ok"] else 1
