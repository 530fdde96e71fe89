"""Makes a bot of what a rule says of where its answers come from.

Knows which source is whose. Each is imported when a rule needs it: some bring large packages along.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from nostr_threads.core.article import Form
from nostr_threads.core.bots.specs import (
    BankOf,
    CommandOf,
    FileOf,
    ModelOf,
    PluginOf,
    PythonOf,
    TemplateOf,
    TextOf,
)
from nostr_threads.errors import InvalidInput

if TYPE_CHECKING:
    from nostr_threads.app.bots.bot import Bot
    from nostr_threads.core.bots.specs import Spec

__all__ = ["answering"]


def answering(spec: Spec, folder: Path, *, form: Form | None = Form.THREAD) -> Bot:
    """Return the bot that `spec` describes; paths begin at `folder`, that of the bot's file.

    `form` is the rule's, for answers whose source says none. Raises `InvalidConfig`, with file and
    line, for a file that cannot be used, `InvalidInput` for anything else that is wrong and for a
    package that is not installed. The bot's `answer` raises `AnswerFailed` or `InvalidConfig`.
    """
    match spec:
        case TextOf():
            from nostr_threads.app.bots.texts import Same

            return Same(spec, form=form)
        case FileOf():
            from nostr_threads.app.bots.texts import Read

            return Read(spec, folder, form=form)
        case BankOf():
            from nostr_threads.app.bots.answer_tables import path_in
            from nostr_threads.app.bots.banks import Bank

            return Bank(Path(path_in(folder, spec.folder)), spec.threshold, form=form)
        case TemplateOf():
            return _templated(spec, folder, form)
        case CommandOf():
            from nostr_threads.app.bots.commands import Command

            return Command(spec, folder, form=form)
        case PythonOf():
            from nostr_threads.app.bots.callables import from_python

            return from_python(spec, folder, form=form)
        case PluginOf():
            from nostr_threads.app.bots.callables import from_plugin

            return from_plugin(spec, form=form)
        case ModelOf():
            return _modelled(spec, form)


def _templated(spec: TemplateOf, folder: Path, form: Form | None) -> Bot:
    try:
        from nostr_threads.app.bots.templates import Templated
    except ImportError:
        raise _missing("a template", "bots") from None
    return Templated(spec, folder, form=form)


def _modelled(spec: ModelOf, form: Form | None) -> Bot:
    try:
        from nostr_threads.app.bots.models import Modelled
    except ImportError:
        raise _missing("a model", "llm") from None
    return Modelled(spec, form=form)


def _missing(what: str, extra: str) -> InvalidInput:
    return InvalidInput(f"{what} needs an extra: pip install 'nostr-threads[{extra}]'")
