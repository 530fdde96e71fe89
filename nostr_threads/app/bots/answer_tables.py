"""The `answer` of a rule in bot.toml: which source it is, and what is said of it.

Knows the keys of each source. What a source does with them is `answering`'s to know.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from nostr_threads.core.bots.specs import (
    BankOf,
    CommandOf,
    FileOf,
    ModelOf,
    PluginOf,
    PythonOf,
    Spec,
    TemplateOf,
    TextOf,
)
from nostr_threads.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from nostr_threads.app.bots.tables import Table

__all__ = ["read_answer"]

_OBJECT = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*:[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_LONGEST_WAIT = 3_600.0
_MOST_BYTES = 16_777_216


def read_answer(table: Table, folder: Path) -> Spec:
    """Read the table of an answer; paths in it start from `folder`. Raises `InvalidConfig`."""
    named = [key for key in _SOURCES if key in table]
    if not named:
        raise table.error(f"an answer needs one of {', '.join(_SOURCES)}")
    if len(named) > 1:
        raise table.error(f"an answer has one source, not {' and '.join(named)}", named[1])
    made = _SOURCES[named[0]](table, folder)
    table.done()
    return made


def _text(table: Table, _: Path) -> Spec:
    return TextOf(table.text("text"))


def _file(table: Table, folder: Path) -> Spec:
    return FileOf(_path(table, "file", folder))


def _bank(table: Table, folder: Path) -> Spec:
    threshold = table.share("threshold", BankOf("").threshold)
    return BankOf(_path(table, "bank", folder), threshold)


def _template(table: Table, _: Path) -> Spec:
    return TemplateOf(text=table.text("template"))


def _template_file(table: Table, folder: Path) -> Spec:
    return TemplateOf(path=_path(table, "template_file", folder))


def _command(table: Table, _: Path) -> Spec:
    default = CommandOf(())
    return CommandOf(
        table.each("command", _word, least=1),
        _timeout(table, default.timeout),
        table.whole("most", default.most, most=_MOST_BYTES),
        table.each("environment", _variable),
    )


def _python(table: Table, _: Path) -> Spec:
    name = table.read("python", _object, "")
    return PythonOf(name, _timeout(table, PythonOf("").timeout))


def _plugin(table: Table, _: Path) -> Spec:
    return PluginOf(table.text("plugin"), _timeout(table, PluginOf("").timeout))


def _model(table: Table, _: Path) -> Spec:
    default = ModelOf()
    return ModelOf(
        table.text("model", may_be_empty=True),
        table.text("system"),
        table.whole("context", default.context, least=0),
        table.whole("continued", default.continued, least=0, most=20),
        _timeout(table, default.timeout),
    )


_SOURCES: Mapping[str, Callable[[Table, Path], Spec]] = {
    "text": _text,
    "file": _file,
    "bank": _bank,
    "template": _template,
    "template_file": _template_file,
    "command": _command,
    "python": _python,
    "plugin": _plugin,
    "model": _model,
}


def _timeout(table: Table, default: float) -> float:
    return table.seconds("timeout", default, least=0.1, most=_LONGEST_WAIT)


def _path(table: Table, key: str, folder: Path) -> str:
    return table.read(key, lambda text: path_in(folder, text), "")


def path_in(folder: Path, text: str) -> str:
    """Return a whole path, one that starts from `folder` unless it says otherwise.

    Raises `InvalidInput`.
    """
    if "\0" in text:
        raise InvalidInput("a path has no NUL")
    try:
        return str((folder / Path(text).expanduser()).absolute())
    except RuntimeError as error:
        raise InvalidInput(str(error)) from None


def _word(text: str) -> str:
    if "\0" in text:
        raise InvalidInput("a program is given no NUL")
    return text


def _object(text: str) -> str:
    if _OBJECT.fullmatch(text) is None:
        raise InvalidInput('a function is written "module:name"')
    return text


def _variable(text: str) -> str:
    if _VARIABLE.fullmatch(text) is None:
        raise InvalidInput("the name of a variable of the environment is wanted")
    return text
