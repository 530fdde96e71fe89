"""relays.toml: where it is looked for, what it may say, and that every mistake names its line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from nostr_threads.app import config as config_module
from nostr_threads.app.config import Config, Defaults, RelaySettings, find_config, parse_config
from nostr_threads.app.places import config_folder, key_folder, store_path
from nostr_threads.core.relay_url import normalize
from nostr_threads.errors import InvalidConfig

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = Path("relays.toml")
TOP = Path(__file__).parents[2] / "relays.toml"
RELAY = '[[relay]]\nurl = "wss://a.example"\n'

MISTAKES = {
    "unknown table": ("[relays]\n", 1, "unknown key 'relays'"),
    "unknown top key": ("\nquorum = 2\n", 2, "unknown key 'quorum'"),
    "unknown default": ("[defaults]\nidle = 1\nidel = 2\n", 3, "unknown key 'idel'"),
    "unknown relay key": (f"{RELAY}\n{RELAY}raed = true\n", 6, "unknown key 'raed'"),
    "quoted key": (f'{RELAY}"raed" = true\n', 3, "unknown key 'raed'"),
    "same key twice": (f"{RELAY}read = true\n{RELAY}read = 1\n", 6, "read is not true or false"),
    "inline table": ('relay = [{url = "wss://a.example", raed = 1}]\n', 1, "unknown key 'raed'"),
    "dotted key": ("# x\ndefaults.idel = 1\n", 2, "unknown key 'idel'"),
    "url of another type": ("[[relay]]\nurl = 5\n", 2, "url is not text in quotes"),
    "no url": (f"{RELAY}[[relay]]\nread = true\n", 3, "needs a url"),
    "http url": ('[[relay]]\nurl = "https://a.example"\n', 2, "https://a.example"),
    "empty url": ('[[relay]]\nread = true\nurl = ""\n', 3, "cannot use relay ''"),
    "auth": (f'{RELAY}auth = "sometimes"\n', 3, 'auth is "ask", "always" or "never"'),
    "proxy": (f"{RELAY}proxy = false\n", 3, "proxy is not text in quotes"),
    "text for seconds": ('[defaults]\nok = "10"\n', 2, "ok is not a number of seconds above 0"),
    "no seconds": ("[defaults]\nok = 0\n", 2, "ok is not a number of seconds above 0"),
    "true seconds": ("[defaults]\nok = true\n", 2, "ok is not a number of seconds above 0"),
    "endless seconds": ("[defaults]\nok = inf\n", 2, "ok is not a number of seconds above 0"),
    "no number": ("[defaults]\nok = nan\n", 2, "ok is not a number of seconds above 0"),
    "half a relay": ("[defaults]\nquorum = 1.5\n", 2, "quorum is not a whole number of relays"),
    "syntax": (f"{RELAY}read = yes\n", 3, ""),
    "unclosed": ('[[relay]]\nurl = "wss://a\n', 2, ""),
    "end too soon": ("# x\ndefaults =", 2, ""),
    "key twice": (f"{RELAY}read = true\nread = true\n", 4, ""),
}


@pytest.mark.parametrize(("text", "line", "reason"), MISTAKES.values(), ids=MISTAKES)
def test_every_mistake_names_file_and_line(
    tmp_path: Path, text: str, line: int, reason: str
) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(InvalidConfig) as caught:
        find_config(file, {}, tmp_path)
    assert (caught.value.path, caught.value.line) == (file, line)
    assert str(caught.value).startswith(f"{file}:{line}: ")
    assert reason in caught.value.reason
    assert "(at line" not in caught.value.reason


@pytest.mark.parametrize("text", ["relay = 5\n", "defaults = 5\n", "defaults = []\n"])
def test_a_table_of_another_type_is_named(text: str) -> None:
    with pytest.raises(InvalidConfig, match=r"relays\.toml:1: .*\[defaults\] is one table"):
        parse_config(text, HERE)


def test_a_list_of_what_are_no_tables_is_refused() -> None:
    with pytest.raises(InvalidConfig, match="is a table"):
        parse_config('relay = ["wss://a.example"]\n', HERE)


def test_a_file_that_is_not_utf8_names_the_line(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_bytes(b"# one\n# two\n# \xe9\n")
    with pytest.raises(InvalidConfig, match=r"mine\.toml:3: not UTF-8"):
        find_config(file, {}, tmp_path)


def test_a_named_file_must_be_there(tmp_path: Path) -> None:
    for given, environ in (
        (tmp_path / "no.toml", {}),
        (None, {"NOSTR_THREADS_RELAYS": str(tmp_path / "no.toml")}),
    ):
        with pytest.raises(InvalidConfig, match=r"no\.toml: No such file or directory"):
            find_config(given, environ, tmp_path)
    with pytest.raises(InvalidConfig, match="directory"):
        find_config(tmp_path, {}, tmp_path)


def test_the_first_file_of_five_places_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write(name: str) -> Path:
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(f'[[relay]]\nurl = "wss://{file.parent.name}.example"\n', encoding="utf-8")
        return file

    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    user = tmp_path / "user"

    def found(given: Path | None = None, **environ: str) -> tuple[str, ...]:
        return find_config(given, environ, user).readers

    assert found() == parse_config(TOP.read_text(encoding="utf-8"), TOP).readers
    write("user/relays.toml")
    assert found() == ("wss://user.example",)
    write("here/relays.toml")
    assert found() == ("wss://here.example",)
    named = str(write("environment/mine.toml"))
    assert found(NOSTR_THREADS_RELAYS=named) == ("wss://environment.example",)
    given = write("option/mine.toml")
    assert found(given, NOSTR_THREADS_RELAYS=named) == ("wss://option.example",)


def test_the_copy_in_the_package_is_the_one_at_the_top(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert config_module._packaged() == TOP.read_text(encoding="utf-8")
    packaged = find_config(None, {}, tmp_path)
    assert packaged.path == "the relays.toml of the package"
    assert len(packaged.readers) >= 3
    assert len(packaged.writers) >= 3
    assert all(relay.url == normalize(relay.url) for relay in packaged.relays)
    assert len({relay.url for relay in packaged.relays}) == len(packaged.relays)


def test_everything_that_may_stand_there_is_read() -> None:
    text = """
    [defaults]
    connect = 1
    idle = 2.5
    answer = 3
    ok = 4
    quorum = 2

    [[relay]]
    url = "WSS://A.Example:443/"
    read = false
    index = true
    search = true
    proxy = "socks5://127.0.0.1:9050"
    auth = "always"

    [[relay]]
    url = "ws://127.0.0.1:7447"
    write = false
    """
    read = parse_config(text, HERE)
    first = RelaySettings(
        "wss://a.example", False, True, True, True, "socks5://127.0.0.1:9050", "always"
    )
    second = RelaySettings("ws://127.0.0.1:7447", True, False)
    assert read == Config((first, second), Defaults(1, 2.5, 3, 4, 2), "relays.toml")
    assert (read.readers, read.writers) == (("ws://127.0.0.1:7447",), ("wss://a.example",))
    assert read.settings("wss://a.example") == first
    assert read.settings("wss://other.example") == RelaySettings("wss://other.example")


@pytest.mark.parametrize("text", ["", "# nothing\n", "[defaults]\n"])
def test_an_empty_file_is_no_relays_and_the_usual_deadlines(text: str) -> None:
    assert parse_config(text, HERE) == Config(path="relays.toml")


@pytest.mark.parametrize("place", [store_path, config_folder, key_folder])
def test_everything_is_where_the_environment_puts_it(
    tmp_path: Path, place: Callable[[dict[str, str]], Path]
) -> None:
    assert place({"NOSTR_THREADS_HOME": str(tmp_path)}).is_relative_to(tmp_path)
    assert not place({"NOSTR_THREADS_HOME": ""}).is_relative_to(tmp_path)


def test_the_store_can_be_put_elsewhere_than_the_rest(tmp_path: Path) -> None:
    environ = {"NOSTR_THREADS_HOME": "/home", "NOSTR_THREADS_STORE": str(tmp_path / "x.db")}
    assert store_path(environ) == tmp_path / "x.db"
    assert config_folder(environ) == Path("/home")
