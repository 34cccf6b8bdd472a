"""The version of Stegvis and the commit it was built from."""

from __future__ import annotations

import subprocess
from importlib import metadata
from pathlib import Path

# Written into a wheel by setup.py; absent in a checkout.
COMMIT_FILE = Path(__file__).with_name("commit.txt")


def version() -> str:
    """The version of the installed package: ``0.1.0``."""
    return metadata.version("stegvis")


def commit(package: Path = Path(__file__).parent) -> str | None:
    """The commit that runs: of the checkout, else the one the wheel was built from, else None.

    Args:
        package: the folder of the package.

    Returns:
        ``abc1234``, in a checkout with uncommitted changes ``abc1234-dirty``.
    """
    checkout = package.parent
    if (checkout / ".git").exists():
        return describe_checkout(checkout)
    file = package / COMMIT_FILE.name
    return (file.read_text(encoding="utf-8").strip() or None) if file.is_file() else None


def describe_checkout(checkout: Path) -> str | None:
    """The commit of a checkout; None where git is not installed or the repository has no commit."""
    command = ["git", "-C", str(checkout), "describe", "--always", "--dirty", "--abbrev=7", "--exclude=*"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return (done.stdout.strip() or None) if done.returncode == 0 else None


def described() -> str:
    """Version and commit in one line: ``stegvis 0.1.0 (commit abc1234)``."""
    built_from = commit()
    return f"stegvis {version()}" + (f" (commit {built_from})" if built_from else "")
