"""The build steps of ``deploy/Containerfile``, run here in a folder instead of in a container."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.deploy.servers import DEPLOY
from tests.deploy.test_files import SERVICES
from tests.packaging.test_wheel import ROOT, commit, link_locked, run, source, wheel  # noqa: F401 - fixtures

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("git") is None or not (ROOT / ".git").exists(), reason="needs a git checkout"),
]


def instructions(stage: int) -> list[tuple[str, str]]:
    """Name and text of the instructions of a stage (0: build), comments and line ends removed."""
    lines = [line for line in (DEPLOY / "Containerfile").read_text("utf-8").splitlines() if not line.startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    stages = re.split(r"^FROM .*$", joined, flags=re.MULTILINE)[1:]
    return [(name, text) for name, _, text in (line.partition(" ") for line in stages[stage].splitlines()) if text]


def test_the_steps_give_the_program(wheel: Path, tmp_path: Path) -> None:  # noqa: F811
    build, target = tmp_path / "build", tmp_path / "opt"
    build.mkdir()
    (tmp_path / "dist").mkdir()
    shutil.copy(wheel, tmp_path / "dist")
    for lock in ("requirements.lock", "requirements-postgres.lock", "requirements-cluster.lock"):
        shutil.copy(ROOT / lock, tmp_path / lock)
    for name, text in instructions(0):
        if name == "COPY":
            *patterns, _here = text.split()
            for file in (file for pattern in patterns for file in tmp_path.glob(pattern)):
                shutil.copy(file, build)
        elif name == "RUN":
            command = text.replace("/opt/stegvis", str(target)).replace("python -m venv", f"{sys.executable} -m venv")
            if "requirements.lock" in command:
                # Every "make" installs requirements.lock with its hashes. Here it is linked from the environment of
                # the tests, which takes a second; the short lock file is installed as the step says.
                assert command.count("--require-hashes") == 1
                short = command.replace("-r requirements.lock ", "")
                run("sh", "-e", "-c", short, cwd=build)
                (site,) = target.glob("lib/python*/site-packages")
                if link_locked(site):
                    continue
            run("sh", "-e", "-c", command, cwd=build)
    said = run(target / "bin" / "stegvis", "--version", cwd=tmp_path)
    assert said.startswith("stegvis ")
    for service in SERVICES.values():
        if started := service.get("command"):
            program, *arguments = started
            run(target / "bin" / program, *arguments, "--help", cwd=tmp_path)
    run(target / "bin" / "python", "-c", "import dagster_postgres, psycopg2, s3fs", cwd=tmp_path)


def test_the_health_check_wants_a_server_that_refuses(tmp_path: Path) -> None:
    """Healthy is who answers 401; not who answers everybody, and not who does not answer."""
    (check,) = [text for name, text in instructions(1) if name == "HEALTHCHECK"]
    program = re.search(r'"-c", "(.*)"\]$', check)
    assert program
    code = program[1].replace("\\n", "\n")
    server = """
import http.server, sys
class H(http.server.BaseHTTPRequestHandler):
    def do_GET(self): self.send_response({code}); self.end_headers()
    def log_message(self, *a): pass
s = http.server.HTTPServer(('127.0.0.1', 0), H)
print(s.server_address[1], flush=True)
s.handle_request()
"""
    for answered, healthy in ((401, True), (200, False), (500, False)):
        with subprocess.Popen(
            ["python3", "-c", server.format(code=answered)], stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout
            port = process.stdout.readline().strip()
            asked = ["python3", "-c", code.replace(":3000/", f":{port}/")]
            done = subprocess.run(asked, check=False, capture_output=True, cwd=tmp_path)
            process.kill()
        assert (done.returncode == 0) == healthy
    closed = ["python3", "-c", code.replace(":3000/", ":1/")]
    assert subprocess.run(closed, check=False, capture_output=True).returncode != 0
