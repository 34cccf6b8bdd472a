"""Names of processes: unique beyond a reused number, and known to have ended."""

from __future__ import annotations

import os
import socket
import subprocess
import sys

from stegvis.storage.process import has_ended, process_name, this_process


def test_this_process_runs() -> None:
    assert this_process() == process_name(os.getpid())
    assert not has_ended(this_process())


def test_a_killed_process_has_ended_even_before_its_parent_noticed() -> None:
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as child:
        name = process_name(child.pid)
        assert name is not None
        assert not has_ended(name)
        child.kill()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # ended, not yet reaped: a zombie
        assert has_ended(name)
    assert has_ended(name)
    assert process_name(child.pid) is None


def test_a_reused_number_is_another_process() -> None:
    machine, number, start = this_process().split(" ")
    assert has_ended(f"{machine} {number} {float(start) - 100:.2f}")
    assert not has_ended(f"{machine} {number} {float(start) + 1:.2f}")  # the boot time is known to the second


def test_a_process_of_another_machine_is_assumed_to_run() -> None:
    assert not has_ended(f"not-{socket.gethostname()} 1 5.00")
