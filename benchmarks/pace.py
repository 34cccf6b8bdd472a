"""How well cadence and estimated speed distinguish self-chosen slow, moderate and fast walking, side by side.

    python -m benchmarks.pace FOLDER...

Each folder has recordings of one thigh sensor with labels of pace, in one of the layouts of
``stegvis.accelerometry.pace_sets``. Prints the people in the right order, and the share of epochs of the right pace
with its 95 % interval over people. Exits with 1 if more than one person of a folder is out of order by speed.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from stegvis.accelerometry.pace_evaluation import evaluate_pace
from stegvis.study.study import Study


def main() -> int:
    """Evaluate each folder; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="+", metavar="FOLDER")
    protocol = Study.shipped().protocol
    failed = False
    for folder in parser.parse_args().folders:
        found = evaluate_pace(folder, protocol)
        passed = found.ordered >= found.people - 1
        failed |= not passed
        print(f"{folder.name}: {found.people} people, {found.epochs} epochs")
        print(f"  {'PASS' if passed else 'FAIL'} in order by speed {found.ordered}, by cadence {found.cadence_ordered}")
        for name, each in found.shares.items():
            print(f"  {name:<18} {each.share:6.1%} ({each.low:.1%} to {each.high:.1%})")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
