"""relays.toml: which relays there are, what each is for, and the deadlines.

Knows where the file is looked for and what may stand in it. Every mistake names its line.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias, cast

from nostr_threads.app.toml_files import parse_toml, read_text
from nostr_threads.app.toml_lines import line_of
from nostr_threads.core.relay_url import normalize
from nostr_threads.errors import InvalidConfig, InvalidRelayUrl

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nostr_threads.app.toml_lines import Place

__all__ = ["Auth", "Config", "Defaults", "RelaySettings", "find_config", "parse_config"]

Auth: TypeAlias = Literal["ask", "always", "never"]

_PACKAGED = "relays.toml"
# Seconds in a day: a longer deadline is a mistake, and infinity would be none.
_LONGEST = 86_400
_LONGEST_KEY = 30


@dataclass(frozen=True, slots=True)
class RelaySettings:
    """One `[[relay]]` of the file; `url` is normalised."""

    url: str
    read: bool = True
    write: bool = True
    index: bool = False
    search: bool = False
    proxy: str = ""
    auth: Auth = "ask"


@dataclass(frozen=True, slots=True)
class Defaults:
    """The `[defaults]` table: deadlines in seconds, and the quorum in relays."""

    connect: float = 10.0
    idle: float = 10.0
    answer: float = 60.0
    ok: float = 10.0
    quorum: int = 1
    patience: float = 120.0


@dataclass(frozen=True, slots=True)
class Config:
    """Everything in one relays.toml; `path` says which."""

    relays: tuple[RelaySettings, ...] = ()
    defaults: Defaults = field(default_factory=Defaults)
    path: str = ""

    @property
    def readers(self) -> tuple[str, ...]:
        """The URLs of the relays that are asked for threads."""
        return tuple(relay.url for relay in self.relays if relay.read)

    @property
    def writers(self) -> tuple[str, ...]:
        """The URLs of the relays that are published to."""
        return tuple(relay.url for relay in self.relays if relay.write)

    def settings(self, url: str) -> RelaySettings:
        """Return what is set for a normalised URL; for an unknown one, the defaults."""
        return next((relay for relay in self.relays if relay.url == url), RelaySettings(url))


def find_config(explicit: Path | None, environ: Mapping[str, str], user_folder: Path) -> Config:
    """Read the first relays.toml there is. Raises `InvalidConfig` with file and line.

    A file that was named by hand or by `$NOSTR_THREADS_RELAYS` must exist; the others may.
    """
    named = explicit or (Path(value) if (value := environ.get("NOSTR_THREADS_RELAYS")) else None)
    if named is not None:
        return _read(named)
    for path in (Path(_PACKAGED), user_folder / _PACKAGED):
        if _is_there(path):
            return _read(path)
    return parse_config(_packaged(), Path("the relays.toml of the package"))


def parse_config(text: str, path: Path) -> Config:
    """Read the text of a relays.toml. Raises `InvalidConfig`, which names the line."""
    return _Reader(text, path).config(parse_toml(text, path))


def _is_there(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError as error:
        raise InvalidConfig(path, None, error.strerror or str(error)) from None


def _read(path: Path) -> Config:
    return parse_config(read_text(path), path)


def _packaged() -> str:
    """The copy in the package; in a checkout it stands at the top instead."""
    packaged = files("nostr_threads").joinpath(_PACKAGED)
    if packaged.is_file():
        return packaged.read_text(encoding="utf-8")
    return Path(__file__).parents[2].joinpath(_PACKAGED).read_text(encoding="utf-8")


class _Reader:
    """Checks what was parsed against what may stand there."""

    def __init__(self, text: str, path: Path) -> None:
        self._text = text
        self._path = path

    def config(self, data: dict[str, object]) -> Config:
        for key in data:
            if key not in ("defaults", "relay"):
                reason = f"unknown key {_named(key)}; only [defaults] and [[relay]]"
                raise self._error((key,), reason)
        defaults, relays = data.get("defaults", {}), data.get("relay", [])
        if not isinstance(defaults, dict) or not isinstance(relays, list):
            wrong = "relay" if isinstance(defaults, dict) else "defaults"
            raise self._error((wrong,), "[defaults] is one table, [[relay]] one per relay")
        settings = [self._relay(index, table) for index, table in enumerate(relays)]
        self._refuse_doubles([each.url for each in settings])
        return Config(tuple(settings), self._defaults(defaults), str(self._path))

    def _refuse_doubles(self, urls: list[str]) -> None:
        for index, url in enumerate(urls):
            if url in urls[:index]:
                raise self._error(("relay", index, "url"), f"{url} is listed twice")

    def _defaults(self, table: dict[str, object]) -> Defaults:
        for key, value in table.items():
            if key not in Defaults.__dataclass_fields__:
                raise self._error(("defaults", key), f"unknown key {_named(key)} in [defaults]")
            whole = key == "quorum"
            good = isinstance(value, int) if whole else isinstance(value, int | float)
            number = cast("float", value)
            if not good or isinstance(value, bool) or not 0 < number <= _LONGEST:
                kind = "whole number of relays" if whole else "number of seconds"
                raise self._error(("defaults", key), f"{key} is not a {kind} above 0")
        return Defaults(**cast("dict[str, int]", table))

    def _relay(self, index: int, table: object) -> RelaySettings:
        here: Place = ("relay", index)
        if not isinstance(table, dict):
            raise self._error(here, "a [[relay]] is a table")
        for key, value in table.items():
            if key not in RelaySettings.__dataclass_fields__:
                raise self._error((*here, key), f"unknown key {_named(key)} in [[relay]]")
            wanted = str if key in ("url", "proxy", "auth") else bool
            if not isinstance(value, wanted):
                kind = "text in quotes" if wanted is str else "true or false"
                raise self._error((*here, key), f"{key} is not {kind}")
        if "url" not in table:
            raise self._error(here, "a [[relay]] needs a url")
        if table.get("auth", "ask") not in ("ask", "always", "never"):
            raise self._error((*here, "auth"), 'auth is "ask", "always" or "never"')
        try:
            return RelaySettings(**{**table, "url": normalize(table["url"])})
        except InvalidRelayUrl as error:
            raise self._error((*here, "url"), str(error)) from None

    def _error(self, place: Place, reason: str) -> InvalidConfig:
        return InvalidConfig(self._path, line_of(self._text, place), reason)


def _named(key: str) -> str:
    """Quote a key, unless it may be a secret that strayed into the file."""
    return repr(key) if len(key) <= _LONGEST_KEY else "that is far too long"
