"""Which way imports run: the rings of `docs/architecture.md` as data, checked over every file."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "nostr_threads"
NAME = PACKAGE.name

# Who may import whom; a ring may always import itself. "public" is the package's own `__init__`:
# nothing inside goes through the public names.
_ADAPTERS = frozenset(("net", "store", "signing"))
_INNER = frozenset(("core", "errors"))
RINGS: dict[str, frozenset[str]] = {
    "errors": frozenset(),
    "core": frozenset(("errors",)),
    "net": _INNER,
    "store": _INNER,
    "signing": _INNER,
    "app": _INNER | _ADAPTERS,
    "render": _INNER,
    "relayd": _INNER | {"store"},
    "testing": _INNER | {"relayd", "store", "signing"},
    "web": _INNER | _ADAPTERS | {"app", "render"},
    "hosts": _INNER | _ADAPTERS | {"app", "render"},
    "cli": _INNER | _ADAPTERS | {"app", "render", "relayd", "web", "hosts", "public"},
    "public": _INNER | _ADAPTERS | {"app", "render"},
    "__main__": frozenset(("cli",)),
}

# Where each third-party package may be imported; a deeper name is looked up before a shorter one.
DOORS: dict[str, tuple[str, ...]] = {
    "coincurve": ("core/schnorr.py", "testing/"),
    "msgspec": ("core/event.py", "core/messages.py", "core/wire.py"),
    "markdown_it": ("core/splitting/blocks.py", "render/html/articles.py"),
    "nh3": ("render/html/articles.py",),
    "regex": ("core/splitting/graphemes.py", "core/bots/patterns.py"),
    "ftfy": ("core/encoding.py",),
    "websockets": ("net/transport.py", "relayd/"),
    "httpx": ("net/",),
    "cryptography": ("signing/", "core/nip44.py"),
    "keyring": ("signing/os_keyring.py",),
    "mnemonic": ("signing/words.py",),
    "pynostr": ("signing/", "testing/"),
    "pynostr.bech32": ("core/bech32.py", "signing/", "testing/"),
    "sqlite3": ("store/",),
    "psycopg": ("store/",),
    "procrastinate": ("app/fleet.py",),
    "jinja2": ("app/bots/templates.py", "render/html/templates.py"),
    "markupsafe": ("render/html/",),
    "starlette": ("web/",),
    "uvicorn": ("web/",),
    "llm": ("app/bots/models.py", "hosts/llm_plugin.py"),
    "mcp": ("hosts/mcp_server.py",),
    "pydantic": ("hosts/mcp_server.py",),
    "typer": ("cli/",),
    "rich": ("cli/",),
    "click": ("cli/",),
    "platformdirs": ("app/", "cli/"),
}

# Where a package is imported under another name than the one it is installed by.
_IMPORTED_AS = {"markdown-it-py": "markdown_it"}

# No async, socket, file, process, clock, randomness or logging.
PURE = frozenset(("errors", "core", "render"))
IMPURE_MODULES = frozenset(
    (
        *("asyncio", "concurrent", "multiprocessing", "threading", "subprocess", "signal", "queue"),
        *("socket", "ssl", "select", "selectors", "http", "urllib.request", "ftplib", "smtplib"),
        *("os", "pathlib", "io", "shutil", "tempfile", "glob", "fileinput", "sqlite3", "dbm"),
        *("time", "sched", "random", "secrets", "uuid", "logging", "warnings", "getpass", "locale"),
    )
)
IMPURE_CALLS = frozenset(("open", "print", "input", "breakpoint", "exec", "eval"))
CLOCK_CALLS = frozenset(("now", "utcnow", "today"))
# An error may name a path in its signature without touching a file.
TYPING_ONLY = {"errors.py": frozenset(("pathlib",))}

DYNAMIC_IMPORTS = frozenset(("__import__", "import_module"))
BANNED_NAMES = re.compile(r"_?(util|helper|common|manager|misc)s?")


@dataclass(frozen=True, slots=True)
class Import:
    """One imported name in full, as `package.module.name`."""

    name: str
    line: int
    for_typing: bool


def ring_of(path: str) -> str:
    """Name the ring of a file, given its path inside the package."""
    first = path.split("/", 1)[0].removesuffix(".py")
    return "public" if first == "__init__" else first


def imports(path: str, tree: ast.AST, *, for_typing: bool = False) -> Iterator[Import]:
    """Yield every import of a file: at its top, inside functions and for types alike."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(alias.name, node.lineno, for_typing)
        elif isinstance(node, ast.ImportFrom):
            source = _absolute(path, node)
            for alias in node.names:
                yield Import(f"{source}.{alias.name}", node.lineno, for_typing)
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            for child in node.body:
                yield from imports(path, ast.Module([child], []), for_typing=True)
            yield from imports(path, ast.Module(node.orelse, []), for_typing=for_typing)
        else:
            yield from imports(path, node, for_typing=for_typing)


def violations(path: str, source: str) -> list[str]:
    """Say what one file, named by its path inside the package, does against the tables above."""
    tree = ast.parse(source)
    faults = [
        *((item.line, _fault_of_import(path, item)) for item in imports(path, tree)),
        *((getattr(node, "lineno", 0), _fault_of_code(path, node)) for node in ast.walk(tree)),
    ]
    return [f"{path}:{line}: {fault}" for line, fault in faults if fault is not None]


def _absolute(path: str, node: ast.ImportFrom) -> str:
    if node.level == 0:
        return node.module or ""
    folders = [NAME, *path.split("/")[:-1]]
    kept = folders[: len(folders) - node.level + 1]
    return ".".join([*kept, *([node.module] if node.module else [])])


def _fault_of_import(path: str, item: Import) -> str | None:
    first, _, rest = item.name.partition(".")
    ring = ring_of(path)
    if first == NAME:
        other = rest.split(".", 1)[0]
        target = other if other in RINGS else "public"
        allowed = target == ring or target in RINGS[ring]
        return None if allowed else f"{ring} imports {target} ({item.name})"
    if ring in PURE and _starts_with(item.name, IMPURE_MODULES):
        typed = item.for_typing and first in TYPING_ONLY.get(path, ())
        return None if typed else f"{ring} is pure and imports {item.name}"
    if (door := _door(item.name)) is not None:
        return None if path.startswith(DOORS[door]) else f"{door} has no door here"
    return None if first in sys.stdlib_module_names else f"{first} has no door anywhere"


def _fault_of_code(path: str, node: ast.AST) -> str | None:
    if isinstance(node, ast.Call):
        called = node.func
        plain = called.id if isinstance(called, ast.Name) else ""
        method = called.attr if isinstance(called, ast.Attribute) else ""
        # The package's front door loads its public names when they are used; all may be loaded.
        if {plain, method} & DYNAMIC_IMPORTS and ring_of(path) != "public":
            return "an import that cannot be checked"
        if ring_of(path) in PURE and (plain in IMPURE_CALLS or method in CLOCK_CALLS):
            return f"pure code calls {plain or method}"
    if ring_of(path) in PURE and isinstance(
        node, ast.AsyncFunctionDef | ast.Await | ast.AsyncFor | ast.AsyncWith
    ):
        return "pure code is async"
    return None


def _door(name: str) -> str | None:
    parts = name.split(".")
    prefixes = [".".join(parts[:length]) for length in range(len(parts), 0, -1)]
    return next((prefix for prefix in prefixes if prefix in DOORS), None)


def _starts_with(name: str, modules: frozenset[str]) -> bool:
    return any(f"{name}.".startswith(f"{module}.") for module in modules)


FILES = sorted(file.relative_to(PACKAGE).as_posix() for file in PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("path", FILES)
def test_a_file_imports_only_inward_and_through_its_doors(path: str) -> None:
    """docs/architecture.md, "Direction of imports"."""
    source = (PACKAGE / path).read_text(encoding="utf-8")
    assert violations(path, source) == []


@pytest.mark.parametrize("path", FILES)
def test_no_module_is_named_after_nothing(path: str) -> None:
    """utils, helpers, common, manager and misc say where something is, not what it is."""
    for part in path.removesuffix(".py").split("/"):
        assert BANNED_NAMES.fullmatch(part) is None


def test_every_part_of_the_package_has_a_row_in_the_table() -> None:
    assert {ring_of(path) for path in FILES} <= RINGS.keys()
    assert {"core/event.py", "errors.py"} <= set(FILES)


def test_the_table_has_no_circle() -> None:
    left = dict(RINGS)
    while left:
        free = [ring for ring, inner in left.items() if not inner & left.keys()]
        assert free, f"these import each other: {sorted(left)}"
        for ring in free:
            del left[ring]


def test_nothing_in_the_table_may_import_the_test_tools() -> None:
    assert [ring for ring, inner in RINGS.items() if "testing" in inner] == []


def test_every_dependency_has_a_door_and_every_door_a_dependency() -> None:
    """A dependency nobody may import, or one that came in unseen, is found here."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    lines = [
        *project["dependencies"],
        *(each for name in extras if name != "dev" for each in extras[name]),
    ]
    names = {re.split(r"[^\w-]", line, maxsplit=1)[0] for line in lines}
    wanted = {_IMPORTED_AS.get(name, name) for name in names}
    third_party = {name for name in DOORS if "." not in name} - sys.stdlib_module_names
    # typer's own, jinja2's, and mcp's
    assert wanted == third_party - {"click", "markupsafe", "pydantic"}


class TestTheCheckItself:
    @pytest.mark.parametrize(
        ("path", "source"),
        [
            ("core/event.py", "from nostr_threads.store.base import Store"),
            ("core/event.py", "import nostr_threads.net.pool"),
            ("core/event.py", "from nostr_threads import net"),
            ("core/event.py", "from nostr_threads import Client"),
            ("core/event.py", "from ..net import pool"),
            ("core/event.py", "from .. import app"),
            ("core/event.py", "def f():\n    from nostr_threads.app import fetch"),
            ("core/event.py", "class C:\n    def f(self):\n        import nostr_threads.cli"),
            ("core/event.py", "if TYPE_CHECKING:\n    from nostr_threads.net.pool import Pool"),
            ("core/event.py", "try:\n    import nostr_threads.net\nexcept ImportError:\n    pass"),
            ("errors.py", "from nostr_threads.core import event"),
            ("net/pool.py", "from nostr_threads.store import base"),
            ("net/pool.py", "from nostr_threads.app import client"),
            ("store/base.py", "from nostr_threads.signing import signer"),
            ("render/tree.py", "from nostr_threads.store import base"),
            ("app/fetch.py", "from nostr_threads.cli import main"),
            ("app/fetch.py", "from nostr_threads.testing import FaultyRelay"),
            ("cli/main.py", "from nostr_threads.testing import FaultyRelay"),
            ("relayd/server.py", "from nostr_threads.net import transport"),
            ("testing/relay.py", "from nostr_threads.net import transport"),
            ("__init__.py", "from nostr_threads.cli import main"),
        ],
    )
    def test_an_outward_import_is_caught(self, path: str, source: str) -> None:
        assert len(violations(path, source)) == 1

    @pytest.mark.parametrize(
        ("path", "source"),
        [
            ("core/thread.py", "import coincurve"),
            ("core/session.py", "import msgspec"),
            ("relayd/server.py", "from msgspec import json"),
            ("net/pool.py", "from websockets.asyncio.client import connect"),
            ("app/client.py", "import httpx"),
            ("net/relay.py", "from cryptography.hazmat.primitives import hashes"),
            ("core/bech32.py", "from pynostr.key import PrivateKey"),
            ("core/bech32.py", "from pynostr import key"),
            ("core/nip19.py", "from pynostr.bech32 import Encoding"),
            ("app/fetch.py", "import sqlite3"),
            ("render/tree.py", "from rich.tree import Tree"),
            ("core/event.py", "import numpy"),
            ("cli/main.py", "from nostr_sdk import Client"),
            ("net/pool.py", "importlib.import_module('nostr_threads.cli')"),
            ("net/pool.py", "__import__('sqlite3')"),
        ],
    )
    def test_a_package_used_past_its_door_is_caught(self, path: str, source: str) -> None:
        assert len(violations(path, source)) == 1

    @pytest.mark.parametrize(
        "source",
        [
            "import asyncio",
            "import socket",
            "from time import monotonic",
            "import random",
            "import secrets",
            "import logging",
            "import os.path",
            "from pathlib import Path",
            "if TYPE_CHECKING:\n    from pathlib import Path",
            "from urllib import request",
            "import urllib.request",
            "datetime.now(UTC)",
            "datetime.datetime.utcnow()",
            "date.today()",
            "open('x')",
            "print('x')",
            "async def f(): ...",
        ],
    )
    def test_io_in_pure_code_is_caught(self, source: str) -> None:
        assert len(violations("core/thread.py", source)) == 1
        assert len(violations("render/tree.py", source)) == 1

    def test_an_error_may_name_a_path_for_types_only(self) -> None:
        assert violations("errors.py", "if TYPE_CHECKING:\n    from pathlib import Path") == []
        assert len(violations("errors.py", "from pathlib import Path")) == 1
        assert len(violations("errors.py", "if TYPE_CHECKING:\n    import os")) == 1

    @pytest.mark.parametrize(
        ("path", "source"),
        [
            ("core/event.py", "import msgspec\nfrom nostr_threads.core import schnorr"),
            ("core/event.py", "from . import kinds\nfrom .kinds import NOTE"),
            ("core/event.py", "from urllib.parse import urlsplit\nimport re"),
            ("core/bech32.py", "from pynostr import bech32"),
            ("core/bech32.py", "def f():\n    from pynostr.bech32 import Encoding"),
            ("net/pool.py", "import asyncio, time\nfrom nostr_threads import errors"),
            ("net/pool.py", "open('x')\nasync def f(): ..."),
            ("cli/main.py", "import typer, rich\nfrom nostr_threads import app, net"),
            ("testing/relay.py", "from nostr_threads.relayd.server import RelayServer"),
            ("__init__.py", "from nostr_threads.app.client import Client"),
            ("__main__.py", "from nostr_threads.cli import main"),
        ],
    )
    def test_what_is_allowed_is_not_caught(self, path: str, source: str) -> None:
        assert violations(path, source) == []

    def test_a_violation_names_file_line_and_both_rings(self) -> None:
        source = "import re\n\nfrom nostr_threads.net import pool\n"
        assert violations("core/thread.py", source) == [
            "core/thread.py:3: core imports net (nostr_threads.net.pool)"
        ]

    @pytest.mark.parametrize("name", ["utils", "util", "helpers", "common", "manager", "_misc"])
    def test_a_name_that_says_nothing_is_caught(self, name: str) -> None:
        assert BANNED_NAMES.fullmatch(name)

    def test_a_name_that_only_holds_such_a_word_is_not(self) -> None:
        assert not BANNED_NAMES.fullmatch("commonmark")
