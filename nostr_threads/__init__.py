"""Publish long answers to Nostr without losing their tail, and fetch whole threads.

Every public name is here. Each is imported when it is first used, so that importing the package is
cheap and has no effect.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nostr_threads.app.bots.bot import Bot
    from nostr_threads.app.bots.botfile import BotFile, read_bot
    from nostr_threads.app.bots.crew import run_bot
    from nostr_threads.app.client import Nostr
    from nostr_threads.app.config import Config, RelaySettings
    from nostr_threads.app.fetch import Found
    from nostr_threads.app.opening import open, signer_from_env, signer_from_key  # noqa: A004
    from nostr_threads.app.publish import Report
    from nostr_threads.app.signers import open_signer
    from nostr_threads.app.writing import Plan, Style
    from nostr_threads.core.article import Form
    from nostr_threads.core.articles import Article
    from nostr_threads.core.bots.asks import Answer, Ask
    from nostr_threads.core.compose import Extras
    from nostr_threads.core.coverage import Coverage, Finish
    from nostr_threads.core.crawl import Budget
    from nostr_threads.core.delivery import Delivery, Status
    from nostr_threads.core.event import Draft, Event, Verified, verify
    from nostr_threads.core.filters import Filter
    from nostr_threads.core.nip19 import decode, encode
    from nostr_threads.core.references import Pointer, References, references
    from nostr_threads.core.sources import Source, SourceKind
    from nostr_threads.core.split import Limit, Part, join, split
    from nostr_threads.core.thread import Node, State, Thread
    from nostr_threads.errors import InvalidEvent, NostrThreadsError
    from nostr_threads.render.markdown import render_markdown
    from nostr_threads.render.setting import Setting
    from nostr_threads.render.tree import render_tree
    from nostr_threads.signing import KeySigner, Signer
    from nostr_threads.store.sqlite import SqliteStore

__all__ = [
    "Answer",
    "Article",
    "Ask",
    "Bot",
    "BotFile",
    "Budget",
    "Config",
    "Coverage",
    "Delivery",
    "Draft",
    "Event",
    "Extras",
    "Filter",
    "Finish",
    "Form",
    "Found",
    "InvalidEvent",
    "KeySigner",
    "Limit",
    "Node",
    "Nostr",
    "NostrThreadsError",
    "Part",
    "Plan",
    "Pointer",
    "References",
    "RelaySettings",
    "Report",
    "Setting",
    "Signer",
    "Source",
    "SourceKind",
    "SqliteStore",
    "State",
    "Status",
    "Style",
    "Thread",
    "Verified",
    "decode",
    "encode",
    "join",
    "open",
    "open_signer",
    "read_bot",
    "references",
    "render_markdown",
    "render_tree",
    "run_bot",
    "signer_from_env",
    "signer_from_key",
    "split",
    "verify",
]

_HOMES = {
    "app.bots.bot": ("Bot",),
    "app.bots.botfile": ("BotFile", "read_bot"),
    "app.bots.crew": ("run_bot",),
    "app.client": ("Nostr",),
    "app.config": ("Config", "RelaySettings"),
    "app.fetch": ("Found",),
    "app.opening": ("open", "signer_from_env", "signer_from_key"),
    "app.publish": ("Report",),
    "app.signers": ("open_signer",),
    "app.writing": ("Plan", "Style"),
    "core.article": ("Form",),
    "core.articles": ("Article",),
    "core.bots.asks": ("Answer", "Ask"),
    "core.compose": ("Extras",),
    "core.coverage": ("Coverage", "Finish"),
    "core.crawl": ("Budget",),
    "core.delivery": ("Delivery", "Status"),
    "core.event": ("Draft", "Event", "Verified", "verify"),
    "core.filters": ("Filter",),
    "core.nip19": ("decode", "encode"),
    "core.references": ("Pointer", "References", "references"),
    "core.sources": ("Source", "SourceKind"),
    "core.split": ("Limit", "Part", "join", "split"),
    "core.thread": ("Node", "State", "Thread"),
    "errors": ("InvalidEvent", "NostrThreadsError"),
    "render.markdown": ("render_markdown",),
    "render.setting": ("Setting",),
    "render.tree": ("render_tree",),
    "signing": ("KeySigner", "Signer"),
    "store.sqlite": ("SqliteStore",),
}
_HOME_OF = {name: f"{__name__}.{home}" for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> object:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(_HOME_OF[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
