"""Answers from a Jinja2 template, which is the owner's; what is put into it is a stranger's.

Knows the sandbox, and the bounds of what a template may do: it reads no file, sees plain values
alone, and ends. What it is shown is known in `core.bots.shown`.
"""

from __future__ import annotations

import re
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import StrictUndefined, Template, TemplateError, TemplateSyntaxError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from nostr_threads.app.blocking import off_loop
from nostr_threads.app.bots.answer_tables import path_in
from nostr_threads.app.bots.files import read_text
from nostr_threads.core.article import Form
from nostr_threads.core.bots.asks import Answer
from nostr_threads.core.bots.reported import reported
from nostr_threads.core.bots.shown import shown
from nostr_threads.errors import AnswerFailed, InvalidConfig, InvalidInput

if TYPE_CHECKING:
    from types import TracebackType

    from jinja2.runtime import Context

    from nostr_threads.core.bots.asks import Ask
    from nostr_threads.core.bots.shown import Shown
    from nostr_threads.core.bots.specs import TemplateOf

__all__ = ["Templated"]

_MOST_CHARACTERS = 200_000
_MOST_STEPS = 100_000
_MOST_COMPLAINT = 200
_NAME = "<template>"
_GIVEN = ("note", "author", "thread", "bot", "now")
# A width of thousands, or one that is given beside, makes a text of any length.
_WIDE = re.compile(r"\d{4}|\*|%\(")

_STRETCHING = frozenset(
    ("center", "expandtabs", "format", "format_map", "ljust", "rjust", "zfill", "translate")
)
_NO_FILTERS = (
    "attr",
    "batch",
    "center",
    "format",
    "indent",
    "pprint",
    "slice",
    "urlize",
    "xmlattr",
)
_OTHER_FILES = (nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends)
_HIGHEST_BASE, _HIGHEST_POWER = 10**6, 64

_steps: ContextVar[list[int]] = ContextVar("steps")


class Templated:
    """A bot that fills in a template: `note`, `author`, `thread`, `bot` and `now` (see `Shown`).

    One in a file is read anew for each answer. Raises `InvalidConfig`, with its line, for what is
    no template, and `InvalidInput` for neither or both of text and path.
    """

    def __init__(self, spec: TemplateOf, folder: Path, *, form: Form | None = Form.THREAD) -> None:
        if bool(spec.text) == bool(spec.path):
            raise InvalidInput("a template is either a text or the path of a file")
        self._path = Path(path_in(folder, spec.path)) if spec.path else None
        self._where = self._path or folder
        self._text = spec.text
        self._form = form
        self._template = _compiled(self._text or self._read(), self._where)

    async def answer(self, ask: Ask) -> Answer | None:
        """Return the template filled in, None where nothing but white space comes out.

        Raises `AnswerFailed`, with the template's line, for what is not there and what is too much.
        """
        text = await off_loop(self._rendered, shown(ask))
        return Answer(text, self._form) if text else None

    def _read(self) -> str:
        return read_text(self._path) if self._path is not None else self._text

    def _rendered(self, values: Shown) -> str:
        if self._path is not None and (text := self._read()) != self._text:
            self._template, self._text = _compiled(text, self._where), text
        return _filled(self._template, values)


class _Sandbox(ImmutableSandboxedEnvironment):
    """Without files, and with a count of what a template does: no thread can be killed."""

    intercepted_binops = frozenset(("*", "**", "%"))

    def __init__(self) -> None:
        super().__init__(undefined=StrictUndefined, autoescape=False, keep_trailing_newline=False)
        self.globals = {"range": self.globals["range"]}
        for name in _NO_FILTERS:
            del self.filters[name]

    def step(self) -> None:
        """Count a turn of a loop, or a call of a macro."""
        count = _steps.get()
        count[0] += 1
        if count[0] > _MOST_STEPS:
            raise TemplateError(f"it takes more than {_MOST_STEPS:,} steps")

    def is_safe_attribute(self, obj: object, attr: str, value: object) -> bool:
        """Also refuse what makes a text of any length out of a few characters."""
        if isinstance(obj, str) and attr in _STRETCHING:
            return False
        return super().is_safe_attribute(obj, attr, value)

    def wrap_str_format(self, value: object) -> None:
        """Leave `format` to the rule above."""

    def call_binop(self, context: Context, operator: str, left: object, right: object) -> object:
        """Multiply small numbers alone, and format with small widths."""
        if operator == "%" and isinstance(left, str) and _WIDE.search(left):
            raise TemplateError("a format may have no such width")
        if operator != "%" and not all(isinstance(each, int | float) for each in (left, right)):
            raise TemplateError(f"only numbers can be used with {operator}")
        if operator == "**" and not _is_small(left, right):
            raise TemplateError("a power may not be as high")
        return super().call_binop(context, operator, left, right)


def _compiled(text: str, where: Path) -> Template:
    sandbox = _Sandbox()
    try:
        tree = sandbox.parse(text, _NAME, _NAME)
        _check_alone(tree)
        _count_steps(tree)
        code = sandbox.compile(tree, _NAME, _NAME)
    except TemplateSyntaxError as error:
        raise InvalidConfig(where, error.lineno, f"in the template: {error.message}") from None
    except (TemplateError, RecursionError) as error:
        raise InvalidConfig(where, None, f"in the template: {error}") from None
    return Template.from_code(sandbox, code, sandbox.make_globals(None))


def _is_small(base: object, power: object) -> bool:
    return (
        isinstance(base, int | float)
        and isinstance(power, int | float)
        and abs(base) <= _HIGHEST_BASE
        and abs(power) <= _HIGHEST_POWER
    )


def _check_alone(tree: nodes.Template) -> None:
    """Raise `TemplateSyntaxError` for a template that wants another file."""
    for node in tree.find_all(_OTHER_FILES):
        raise TemplateSyntaxError("a template reads no other file", node.lineno)


def _count_steps(tree: nodes.Template) -> None:
    """Have each turn of a loop and each call of a macro counted."""
    for node in tree.find_all((nodes.For, nodes.Macro, nodes.CallBlock)):
        counting = nodes.Call(nodes.EnvironmentAttribute("step"), [], [], None, None)
        body: list[nodes.Node] = getattr(node, "body")  # noqa: B009 - all three have one
        body.insert(0, nodes.ExprStmt(counting).set_lineno(node.lineno, override=True))


def _filled(template: Template, values: Shown) -> str:
    token = _steps.set([0])
    try:
        return _within_bounds(template, values).strip()
    except AnswerFailed:
        raise
    except Exception as error:  # noqa: BLE001 - whatever its expressions do
        raise AnswerFailed(_described(error)) from None
    finally:
        _steps.reset(token)


def _within_bounds(template: Template, values: Shown) -> str:
    pieces: list[str] = []
    length = 0
    given = {name: getattr(values, name) for name in _GIVEN}
    for piece in template.generate(given):
        pieces.append(piece)
        length += len(piece)
        if length > _MOST_CHARACTERS:
            raise AnswerFailed(f"the template gives more than {_MOST_CHARACTERS:,} characters")
    return "".join(pieces)


def _described(error: Exception) -> str:
    line = _line(error.__traceback__)
    where = f"line {line} of the template" if line is not None else "the template"
    words = reported(str(error), most=_MOST_COMPLAINT) or type(error).__name__
    return f"{where}: {words}"


def _line(traceback: TracebackType | None) -> int | None:
    """The line of the template, which Jinja2 makes a frame of its own of."""
    found = None
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename == _NAME:
            found = traceback.tb_lineno
        traceback = traceback.tb_next
    return found
