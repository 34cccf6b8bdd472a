"""The examples for Slurm and Kubernetes: their configuration loads, and what they start is what the program has."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from stegvis.storage.fan_out import PATIENCE_VARIABLE, fan_out
from stegvis.storage.tasks import SCHEDULER_VARIABLE
from tests.stegvis.storage import fan_out_tasks as tasks
from tests.stegvis.storage.clusters import Cluster, cluster

ROOT = Path(__file__).parents[2]
SLURM = ROOT / "deploy" / "slurm"
KUBERNETES = ROOT / "deploy" / "kubernetes" / "dask.yaml"
BIN = Path(sys.executable).parent


def started(command: list[str], log: Path, **environment: str) -> subprocess.Popen[bytes]:
    with log.open("wb") as out:
        return subprocess.Popen(
            command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
            stdout=out, stderr=out, start_new_session=True,
        )  # fmt: skip


@contextlib.contextmanager
def ended_with(process: subprocess.Popen[bytes]) -> Iterator[None]:
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def works(made: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """The workers do what they are given."""
    monkeypatch.setenv(SCHEDULER_VARIABLE, made.address)
    monkeypatch.setenv(PATIENCE_VARIABLE, "60")
    assert fan_out(tasks.square, [1, 2, 3]) == [1, 4, 9]


# ---- Slurm ----


@pytest.fixture
def jobqueue(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The environment with the example's configuration; its interface is one that every machine has."""
    pytest.importorskip("dask_jobqueue", reason="needs requirements-dev.lock")
    return {"DASK_CONFIG": str(SLURM / "jobqueue.yaml"), "DASK_JOBQUEUE__SLURM__INTERFACE": "lo"}


def test_the_configuration_of_slurm_loads_and_makes_the_job(jobqueue: dict[str, str]) -> None:
    shown = subprocess.run(
        [sys.executable, str(SLURM / "refresh.py"), "--show"], env=os.environ | jobqueue, capture_output=True,
        text=True, timeout=120,
    )  # fmt: skip
    assert shown.returncode == 0, shown.stderr
    lines = shown.stdout.splitlines()
    for line in ("#SBATCH -J stegvis-worker", "#SBATCH -p normal", "#SBATCH --cpus-per-task=8", "#SBATCH -t 24:00:00"):
        assert line in lines
    assert any(line.startswith("#SBATCH --mem=15G") for line in lines)
    (worker,) = [line for line in lines if "dask_worker" in line]
    parts = shlex.split(worker)
    assert parts[parts.index("--nworkers") + 1] == "8"
    assert parts[parts.index("--nthreads") + 1] == "1"
    assert parts[parts.index("--local-directory") + 1] == "/tmp"
    assert lines.index("source /opt/stegvis/bin/activate") < lines.index(worker)
    assert any("MALLOC_TRIM_THRESHOLD_=67108864" in line for line in lines)


def test_every_setting_of_the_configuration_is_known_to_dask_jobqueue() -> None:
    dask_jobqueue = pytest.importorskip("dask_jobqueue", reason="needs requirements-dev.lock")
    known = yaml.safe_load(Path(dask_jobqueue.__file__).with_name("jobqueue.yaml").read_text("utf-8"))
    ours = yaml.safe_load((SLURM / "jobqueue.yaml").read_text("utf-8"))
    assert set(ours) == {"jobqueue"}
    assert set(ours["jobqueue"]["slurm"]) <= set(known["jobqueue"]["slurm"])


def test_the_command_gets_the_scheduler_and_its_exit_code_is_passed_on(jobqueue: dict[str, str]) -> None:
    ask = "import os, sys; sys.exit(int(os.environ['STEGVIS_DASK_SCHEDULER'].startswith('tcp://127.')) + 6)"
    done = subprocess.run(
        [sys.executable, str(SLURM / "refresh.py"), "--jobs", "0", "--", sys.executable, "-c", ask],
        env=os.environ | jobqueue, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 7, done.stderr


@pytest.mark.slow
def test_the_batch_script_starts_workers_that_find_the_scheduler(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With srun replaced by a program that runs its arguments here, which is what it does on the node."""
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "srun").write_text('#!/bin/sh\nexec "$@"\n')
    (programs / "srun").chmod(0o755)
    with cluster(tmp_path) as made:
        environment = {
            "PATH": f"{programs}:{BIN}:{os.environ['PATH']}", "TMPDIR": str(tmp_path), "SLURM_CPUS_PER_TASK": "1",
            SCHEDULER_VARIABLE: made.address,
        }  # fmt: skip
        script = started(["bash", str(SLURM / "workers.sbatch")], tmp_path / "job.log", **environment)
        with ended_with(script):
            works(made, monkeypatch)
            assert list(tmp_path.glob("stegvis-worker.*/dask-scratch-space"))
            os.killpg(script.pid, signal.SIGTERM)  # as scancel does
            script.wait(30)
            assert not list(tmp_path.glob("stegvis-worker.*"))
    without = subprocess.run(["bash", str(SLURM / "workers.sbatch")], env={"PATH": os.environ["PATH"]}, check=False)
    assert without.returncode != 0, "it needs the address"


# ---- Kubernetes ----


RESOURCES: list[dict[str, Any]] = list(yaml.safe_load_all(KUBERNETES.read_text("utf-8")))
DEPLOYMENTS = {each["metadata"]["name"]: each["spec"] for each in RESOURCES if each["kind"] == "Deployment"}


def container(name: str) -> dict[str, Any]:
    (found,) = DEPLOYMENTS[name]["template"]["spec"]["containers"]
    return found


def test_the_manifest_is_of_kubernetes_form() -> None:
    kubernetes_validate = pytest.importorskip("kubernetes_validate", reason="needs requirements-dev.lock")
    for each in RESOURCES:
        kubernetes_validate.validate(each, "1.34", strict=True)
    broken = yaml.safe_load(yaml.safe_dump(RESOURCES[1]))
    broken["spec"]["replicaz"] = 1
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(broken, "1.34", strict=True)


def test_parts_of_the_manifest_name_each_other_rightly() -> None:
    by_kind = {each["kind"]: each for each in RESOURCES if each["kind"] != "Deployment"}
    service, policy = by_kind["Service"], by_kind["NetworkPolicy"]["spec"]
    labels = {name: spec["template"]["metadata"]["labels"] for name, spec in DEPLOYMENTS.items()}
    for name, spec in DEPLOYMENTS.items():
        assert spec["selector"]["matchLabels"] == labels[name]
        pod = spec["template"]["spec"]
        assert {each["name"] for each in pod["volumes"]} >= {each["name"] for each in container(name)["volumeMounts"]}
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert container(name)["securityContext"]["readOnlyRootFilesystem"] is True
        assert "limits" in container(name)["resources"]
    assert service["spec"]["selector"] == labels["stegvis-scheduler"]
    assert policy["podSelector"]["matchExpressions"][0]["values"] == sorted(DEPLOYMENTS)
    (port,) = (each["port"] for each in service["spec"]["ports"])
    assert f"tcp://{service['metadata']['name']}:{port}" in container("stegvis-worker")["args"]


@pytest.mark.slow
def test_what_the_manifest_starts_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its commands, with the addresses and the scratch of this machine."""
    made = Cluster(tmp_path)
    here = {"0.0.0.0": "127.0.0.1", "8786": str(made.port), "tcp://stegvis-scheduler:8786": made.address,
            "/tmp": str(tmp_path / "scratch")}  # fmt: skip
    (tmp_path / "scratch").mkdir()
    dask = shutil.which("dask", path=str(BIN))
    assert dask
    with contextlib.ExitStack() as stack:
        for name in ("stegvis-scheduler", "stegvis-worker"):
            _, *arguments = [here.get(each, each) for each in container(name)["args"]]
            variables = {each["name"]: each["value"] for each in container(name).get("env", ())}
            stack.enter_context(ended_with(started([dask, *arguments], tmp_path / f"{name}.log", **variables)))
        works(made, monkeypatch)
