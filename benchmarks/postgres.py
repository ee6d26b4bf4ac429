"""A Postgres of one's own: made in an empty folder, for as long as a test or a measurement runs."""

from __future__ import annotations

import contextlib
import getpass
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

_DEBIAN = Path("/usr/lib/postgresql")
_DEADLINE = 60.0  # seconds


class NoPostgres(RuntimeError):
    """Postgres is not installed, or does not start."""


def programs() -> Path:
    """The folder of ``initdb`` and ``postgres``, of the newest version.

    Raises:
        NoPostgres: there is none.
    """
    found = sorted(_DEBIAN.glob("*/bin/initdb"), key=lambda p: float(p.parts[-3]))
    on_path = shutil.which("initdb")
    if found:
        return found[-1].parent
    if on_path:
        return Path(on_path).resolve().parent
    raise NoPostgres("Postgres is not installed: on Debian, apt-get install postgresql")


class Cluster:
    """A running Postgres on a free port of this machine; ``close`` ends it and removes its files.

    Args:
        durable: False: faster, and what was committed may be lost when the machine (not the server) dies.
        parent: where its folder is made.
    """

    def __init__(self, *, durable: bool = True, parent: Path | None = None) -> None:
        self._programs = programs()
        self._user = _user()
        self._folder = Path(tempfile.mkdtemp(prefix="letheward-postgres-", dir=parent))
        if self._user is not None:
            shutil.chown(self._folder, self._user)
        self.port = _free_port()
        self._server: subprocess.Popen[bytes] | None = None
        try:
            self._run("initdb", "--pgdata", str(self._data), "--username", "letheward", "--auth", "trust",
                      "--encoding", "UTF8", "--no-locale", "--no-sync")  # fmt: skip
            with (self._data / "postgresql.conf").open("a") as config:
                config.write(
                    f"listen_addresses = '127.0.0.1'\nport = {self.port}\nunix_socket_directories = ''\n"
                    f"fsync = {'on' if durable else 'off'}\nmax_connections = 200\nshared_buffers = 32MB\n"
                )
            self.start()
        except BaseException:
            self.close()
            raise

    def url(self, database: str = "postgres") -> str:
        """The SQLAlchemy URL of a database in it."""
        return f"postgresql+psycopg://letheward@127.0.0.1:{self.port}/{database}"

    def create(self, database: str, template: str = "template1") -> str:
        """Make a database, a copy of ``template``; returns its URL."""
        self._sql(f'CREATE DATABASE "{database}" TEMPLATE "{template}"')
        return self.url(database)

    def drop(self, database: str) -> None:
        """Remove a database, whoever uses it."""
        self._sql(f'DROP DATABASE "{database}" WITH (FORCE)')

    def start(self) -> None:
        """Start it, and wait until it takes connections.

        Raises:
            NoPostgres: it does not come up; the message holds its log's end.
        """
        with (self._folder / "log").open("ab") as log:
            self._server = subprocess.Popen(  # noqa: S603
                [self._programs / "postgres", "-D", self._data], stdout=log, stderr=log, cwd=self._folder,
                user=self._user, process_group=0,
            )  # fmt: skip
        deadline = time.monotonic() + _DEADLINE
        while self._server.poll() is None and time.monotonic() < deadline:
            with contextlib.suppress(subprocess.CalledProcessError):
                self._sql("SELECT 1")
                return
            time.sleep(0.05)
        raise NoPostgres(f"Postgres does not start: {(self._folder / 'log').read_text()[-2000:]}")

    def stop(self) -> None:
        """Stop it as an administrator who is in a hurry does: connections are cut, nothing is lost."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """End it as a crash does, all its processes at once."""
        if self._server is None:
            return
        self._server.send_signal(signal.SIGSTOP)  # it is not to start another while its processes are counted
        main = self._server.pid
        children = list(map(int, Path(f"/proc/{main}/task/{main}/children").read_text().split()))
        for pid in (*children, main):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._server.wait()
        self._server = None
        deadline = time.monotonic() + _DEADLINE
        while any(map(_alive, children)) and time.monotonic() < deadline:
            time.sleep(0.005)

    def close(self) -> None:
        """Stop it for good."""
        self._end(signal.SIGINT)
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    def _end(self, how: signal.Signals) -> None:
        if self._server is None:
            return
        self._server.send_signal(how)
        try:
            self._server.wait(_DEADLINE)
        except subprocess.TimeoutExpired:
            self._server.kill()
            self._server.wait()
        self._server = None

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(  # noqa: S603
            [self._programs / program, *arguments], cwd=self._folder, user=self._user, capture_output=True, text=True
        )
        if done.returncode:
            raise NoPostgres(f"{program} failed: {done.stderr[-2000:]}")

    def _sql(self, statement: str) -> None:
        subprocess.run(  # noqa: S603
            [self._programs / "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", str(self.port),
             "-U", "letheward", "-d", "postgres", "-c", statement],
            check=True, capture_output=True, cwd=self._folder,
        )  # fmt: skip


@contextlib.contextmanager
def cluster(*, durable: bool = True, parent: Path | None = None) -> Iterator[Cluster]:
    """A ``Cluster`` for a while."""
    held = Cluster(durable=durable, parent=parent)
    try:
        yield held
    finally:
        held.close()


def _user() -> str | None:
    """Whom to run it as: Postgres does not run as root."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    for name in ("postgres", "nobody"):
        if name in known:
            return name
    raise NoPostgres(f"Postgres does not run as {getpass.getuser()}, and there is no user postgres or nobody")


def _alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
