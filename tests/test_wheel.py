"""The wheel: built, looked into, installed without the dev extra, and run."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "nostr_threads"
SECONDS = 240


def run(*command: str | Path, cwd: Path) -> str:
    """Run to the end and return stdout; a failure shows both streams."""
    done = subprocess.run(
        [str(each) for each in command],
        cwd=cwd,
        env={**os.environ, "NOSTR_THREADS_HOME": str(cwd), "PIP_DISABLE_PIP_VERSION_CHECK": "1"},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build = (sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir")
    run(*build, folder, ROOT, cwd=folder)
    (built,) = folder.glob("*.whl")
    return built


@pytest.mark.timeout(300)
def test_the_wheel_holds_the_whole_package_and_nothing_else(wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        names = set(archive.namelist())
        relays = archive.read("nostr_threads/relays.toml")
        metadata = archive.read(next(each for each in names if each.endswith("/METADATA"))).decode()
    code = {
        str(file.relative_to(ROOT))
        for file in PACKAGE.rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }
    assert {"nostr_threads/py.typed", "nostr_threads/store/migrations/0001_initial.sql"} <= code
    inside = {name for name in names if ".dist-info/" not in name}
    assert inside == {*code, "nostr_threads/relays.toml"}
    assert relays == (ROOT / "relays.toml").read_bytes()
    assert any(name.endswith("/licenses/LICENSE") for name in names)
    assert "Requires-Python: >=3.11" in metadata


@pytest.mark.timeout(300)
def test_installed_alone_in_a_fresh_environment_it_helps_and_demonstrates(
    wheel: Path, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    # Without a pip of its own, which takes longer to unpack than all the rest.
    venv.create(tmp_path / "venv", with_pip=False)
    scripts = tmp_path / "venv" / ("Scripts" if os.name == "nt" else "bin")
    pip = (sys.executable, "-m", "pip", "--python", scripts / "python", "install", "--quiet")
    run(*pip, wheel, cwd=home)
    shown = run(scripts / "nostr-threads", "--help", cwd=home)
    assert "publish" in shown
    lines = run(scripts / "nostr-threads", "demo", cwd=home).splitlines()
    assert lines[-1] == "6. Joined, the parts are the answer again: 960 of 960 characters"
    listed = run(scripts / "nostr-threads", "relay", "list", "--json", cwd=home)
    assert '"url":"wss://' in listed
    absent = "import importlib.util as u; assert not u.find_spec('pytest'), 'dev was installed'"
    run(scripts / "python", "-c", absent, cwd=home)
