"""Run a command of Stegvis with workers in jobs of Slurm, between 0 and as many as are named (docs/cluster.md).

    pip install dask-jobqueue==0.9.0
    DASK_CONFIG=deploy/slurm/jobqueue.yaml python deploy/slurm/refresh.py --jobs 20 -- stegvis refresh --here

The scheduler runs in this process, on a machine from which ``sbatch`` works and which the nodes reach. Jobs are
submitted while there is work, and end a minute after it. The exit code is that of the command.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys


def main() -> int:
    """Start the scheduler, run the command, end the jobs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=10, help="the most jobs at a time")
    parser.add_argument("--show", action="store_true", help="show what would be submitted, and submit nothing")
    parser.add_argument("command", nargs="*", default=["stegvis", "refresh", "--here"])
    arguments = parser.parse_args()
    from dask_jobqueue import SLURMCluster

    with SLURMCluster() as cluster:
        if arguments.show:
            sys.stdout.write(cluster.job_script())
            return 0
        cluster.adapt(minimum_jobs=0, maximum_jobs=arguments.jobs, interval="10s", wait_count=6)
        environment = os.environ | {"STEGVIS_DASK_SCHEDULER": cluster.scheduler_address}
        # A queue may be long: wait an hour for the first worker.
        environment.setdefault("STEGVIS_DASK_PATIENCE", "3600")
        return subprocess.run(arguments.command, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
