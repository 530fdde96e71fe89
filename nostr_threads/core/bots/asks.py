"""What a bot is asked and what it says: the two values between a bot and whoever runs it.

Knows their shape. Knows nothing of whether anything is answered: see `guards`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nostr_threads.core.article import Form
from nostr_threads.core.profile import Profile
from nostr_threads.core.thread import Thread

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nostr_threads.core.event import Verified

__all__ = ["Answer", "Ask"]


@dataclass(frozen=True, slots=True)
class Ask:
    """A note that may be answered: `event`, what it says to a reader, and where it stands.

    `text` is its text without the names of the bot, people named by what they are called. `thread`
    is what is known of its conversation, `names` what people in it are called, by public key,
    `author` what its author says of themselves. `bot` is the public key that would answer (hex);
    `now` is in unix seconds. All but the last two is a stranger's: never trust it.
    """

    event: Verified
    text: str
    bot: str
    now: int
    thread: Thread = field(default_factory=lambda: Thread(()))
    author: Profile = field(default_factory=Profile)
    names: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a bot says. `form` None: whichever suits its length; `title` is an article's.

    `content_warning` (NIP-36) is the reason, "" for none given, None for no warning.
    """

    text: str
    form: Form | None = Form.THREAD
    title: str = ""
    content_warning: str | None = None
