"""The command line in a process of its own, as a person starts it, or in this one, which costs no imports."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from unittest.mock import patch

from stegvis.orchestration import cli

ROOT = Path(__file__).parents[2]


def _environment(home: Path | None) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("STEGVIS_", "DAGSTER_"))}
    return kept | ({"STEGVIS_HOME": str(home)} if home else {})


def stegvis(*arguments: str | Path, home: Path | None = None) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "stegvis.orchestration", *map(str, arguments)],
        cwd=ROOT, env=_environment(home), capture_output=True, text=True, check=False,
    )  # fmt: skip


def stegvis_here(*arguments: str | Path, home: Path | None = None) -> subprocess.CompletedProcess[str]:
    """The command in this process: the same entry point, arguments and exit code."""
    args = ["stegvis", *map(str, arguments)]
    ended, mask = signal.getsignal(signal.SIGTERM), os.umask(0o077)
    code: object = 0
    with (
        patch.object(sys, "argv", args),
        patch.dict(os.environ, _environment(home), clear=True),
        redirect_stdout(io.StringIO()) as out,
        redirect_stderr(io.StringIO()) as err,
    ):
        try:
            cli.main()
        except SystemExit as exit_:
            code = exit_.code
        finally:
            signal.signal(signal.SIGTERM, ended)
            os.umask(mask)
    return subprocess.CompletedProcess(args, int(str(code or 0)), out.getvalue(), err.getvalue())
