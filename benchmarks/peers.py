"""The environment of the peers: ``build/peers``, made of ``benchmarks/peers.txt``. Without it they are skipped."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

from benchmarks.measure import ROOT

FOLDER = ROOT / "build" / "peers"
WANTED = ROOT / "benchmarks" / "peers.txt"
INTERPRETER = "build/peers/bin/python"  # as the page names it
_VERSIONS = """
import json, sys
from importlib import metadata
print(json.dumps({name: metadata.version(name) for name in sys.argv[1:]}))
"""


def pinned() -> dict[str, str]:
    """The version of each package of ``peers.txt``."""
    lines = [line.strip() for line in WANTED.read_text(encoding="utf-8").splitlines()]
    return dict(line.split("==") for line in lines if line and not line.startswith("#"))


class Peers:
    """The programs that are measured beside Stegvis.

    Attributes:
        interpreter: Python of their environment; None where it cannot be made.
        reason: why it cannot.
    """

    def __init__(self, interpreter: Path | None, reason: str = "") -> None:
        self.interpreter, self.reason = interpreter, reason

    @classmethod
    def installed(cls, given: Path | None = None) -> Peers:
        """The environment given, or the one in ``build/peers``, made if it does not have the pinned versions."""
        if given is not None:
            return cls(given, "") if _versions(given) else cls(None, f"{given} does not have {WANTED.name}")
        interpreter = FOLDER / "bin" / "python"
        if _versions(interpreter) == pinned():
            return cls(interpreter)
        print(f"installing {WANTED.relative_to(ROOT)} into {FOLDER.relative_to(ROOT)}", flush=True)
        make = [sys.executable, "-m", "venv", "--clear", str(FOLDER)]
        install = [str(interpreter), "-m", "pip", "install", "--quiet", "-r", str(WANTED)]
        for each in (make, install):
            if subprocess.run(each, capture_output=True, check=False).returncode:
                return cls(None, f"{WANTED.relative_to(ROOT)} could not be installed")
        return cls(interpreter)

    def missing(self, name: str) -> str:
        """Why a peer cannot run here; empty where it can."""
        if name == "R":
            return "" if shutil.which("Rscript") else "R is not installed"
        if self.interpreter is None:
            return self.reason
        if name == "pyspark" and shutil.which("java") is None:
            return "Java is not installed"
        return ""

    def versions(self) -> dict[str, str]:
        """Of the peers that are there."""
        found = _versions(self.interpreter) if self.interpreter else {}
        for name, say in {"R": ["Rscript", "--version"], "Java": ["java", "-version"]}.items():
            if shutil.which(say[0]):
                done = subprocess.run(say, capture_output=True, text=True, check=False)
                words = (done.stdout + done.stderr).splitlines()[0].replace('"', "").split()
                found[name] = next(word for word in words if word[0].isdigit())
        return found


def _versions(interpreter: Path) -> dict[str, str]:
    """The versions of the pinned packages in an environment; empty where one is missing."""
    if not interpreter.exists():
        return {}
    done = subprocess.run([interpreter, "-c", _VERSIONS, *pinned()], capture_output=True, text=True, check=False)
    return dict(json.loads(done.stdout)) if done.returncode == 0 else {}
