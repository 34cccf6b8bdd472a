"""PostgreSQL and Apache from Debian's packages, on ports of 127.0.0.1, for as long as a test runs."""

from __future__ import annotations

import datetime
import ipaddress
import os
import pwd
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

DEPLOY = Path(__file__).parents[2] / "deploy"
APACHE = shutil.which("apache2") or "/usr/sbin/apache2"
OPENID = Path("/usr/lib/apache2/modules/mod_auth_openidc.so")
# The newest installed version's programs; Debian keeps them off the PATH.
POSTGRES = max(Path("/usr/lib/postgresql").glob("*/bin"), default=None, key=lambda folder: int(folder.parent.name))
# Who runs the servers: PostgreSQL refuses root, and Apache gives its rights up.
SERVER_USER = "postgres" if os.geteuid() == 0 else None

needs_apache = pytest.mark.skipif(
    not (Path(APACHE).exists() and OPENID.exists() and shutil.which("htpasswd")),
    reason="needs Debian's apache2 and libapache2-mod-auth-openidc",
)
needs_postgres = pytest.mark.skipif(POSTGRES is None, reason="needs Debian's postgresql")


def unused_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for_port(port: int, process: subprocess.Popen[bytes], log: Path, seconds: float = 60) -> None:
    """Return when a port answers."""
    deadline = time.monotonic() + seconds
    while True:
        assert process.poll() is None, log.read_text(errors="replace")[-3000:]
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            assert time.monotonic() < deadline, log.read_text(errors="replace")[-3000:]
            time.sleep(0.1)


@contextmanager
def running(
    command: list[str], log: Path, environment: Mapping[str, str], user: str | None = None, end: int = signal.SIGTERM
) -> Iterator[subprocess.Popen[bytes]]:
    """A process, ended by a signal when the block ends, and killed if that takes too long."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            command, env=dict(environment), stdout=output, stderr=output, stdin=subprocess.DEVNULL,
            user=user, group=user, extra_groups=[] if user else None, cwd="/",
        )  # fmt: skip
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(end)
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def server_folder() -> Iterator[Path]:
    """A folder of the user who runs the servers; pytest's own folders are root's alone."""
    folder = Path(tempfile.mkdtemp(prefix="stegvis-deploy-"))
    try:
        if SERVER_USER:
            entry = pwd.getpwnam(SERVER_USER)
            os.chown(folder, entry.pw_uid, entry.pw_gid)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _may_write_null(user: str) -> bool:
    return subprocess.run(["sh", "-c", ": >/dev/null"], user=user, group=user, extra_groups=[]).returncode == 0


@contextmanager
def postgres() -> Iterator[dict[str, str]]:
    """A PostgreSQL with an empty database; the environment that ``deploy/dagster.yaml`` reads."""
    assert POSTGRES is not None
    if SERVER_USER and not _may_write_null(SERVER_USER):
        pytest.skip(f"initdb runs as {SERVER_USER}, who may not write /dev/null on this machine")
    port = unused_port()
    with server_folder() as folder:
        data, log, secret = folder / "data", folder / "log", "a password with @ / and :"
        password = folder / "password"
        password.write_text(secret)
        password.chmod(0o644)
        environment = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}
        make = ["initdb", "-D", data, "-U", "stegvis", "-A", "scram-sha-256", "--pwfile", password, "--no-sync"]
        done = subprocess.run(
            [str(POSTGRES / "initdb"), *(str(each) for each in make[1:])], env=environment, cwd="/", check=False,
            user=SERVER_USER, group=SERVER_USER, extra_groups=[] if SERVER_USER else None,
            capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        log.touch()
        options = {"listen_addresses": "127.0.0.1", "port": port, "fsync": "off", "unix_socket_directories": folder}
        command = [str(POSTGRES / "postgres"), "-D", str(data)]
        command += [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        with running(command, log, environment, SERVER_USER, end=signal.SIGINT) as process:
            wait_for_port(port, process, log)
            yield {
                "STEGVIS_POSTGRES_HOST": "127.0.0.1",
                "STEGVIS_POSTGRES_PORT": str(port),
                "STEGVIS_POSTGRES_DATABASE": "postgres",
                "STEGVIS_POSTGRES_USER": "stegvis",
                "STEGVIS_POSTGRES_PASSWORD": secret,
            }


@dataclass(frozen=True)
class Proxy:
    """A running proxy: its address, and the certificate that it is checked against."""

    port: int
    certificate: Path
    folder: Path

    @property
    def host(self) -> str:
        return f"localhost:{self.port}"

    @property
    def tls(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.certificate))


@contextmanager
def proxy(
    settings: Mapping[str, str], people: Mapping[str, str], port: int | None = None, sign_in: str = "password"
) -> Iterator[Proxy]:
    """Apache with the committed configuration; role by the name of each person, whose password is ``NAME's``."""
    port = port or unused_port()
    with server_folder() as folder:
        shutil.copytree(DEPLOY / "proxy", folder, dirs_exist_ok=True)
        (folder / "run").mkdir()
        for name in people:
            options = ["-bB", *(["-c"] if not (folder / "users").exists() else [])]
            subprocess.run(["htpasswd", *options, folder / "users", name, f"{name}'s"], check=True, capture_output=True)
        roles = {role: [name for name, has in people.items() if has == role] for role in people.values()}
        groups = "".join(f"{role}: {' '.join(names)}\n" for role, names in roles.items())
        (folder / "groups").write_text(groups)
        write_certificate(folder)
        environment = {
            "PATH": os.environ["PATH"],
            "STEGVIS_PROXY_FOLDER": str(folder),
            "STEGVIS_PROXY_RUN": str(folder / "run"),
            "STEGVIS_PROXY_PORT": str(port),
            "STEGVIS_PUBLIC_ADDRESS": f"localhost:{port}",
            "STEGVIS_TLS_CERTIFICATE": str(folder / "certificate.pem"),
            "STEGVIS_TLS_KEY": str(folder / "key.pem"),
            "STEGVIS_SIGN_IN": sign_in,
            **settings,
        }
        if SERVER_USER:
            for each in [folder, *folder.rglob("*")]:
                shutil.chown(each, SERVER_USER, SERVER_USER)
        log = folder / "log"
        log.touch()
        command = [APACHE, "-f", str(folder / "apache.conf"), "-DFOREGROUND"]
        with running(command, log, environment, SERVER_USER) as process:
            wait_for_port(port, process, log)
            yield Proxy(port, folder / "certificate.pem", folder)


def write_certificate(folder: Path) -> None:
    """A self-signed certificate of localhost, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "certificate.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
