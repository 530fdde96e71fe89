"""Questions for tests of what bots say."""

from __future__ import annotations

from nostr_threads.core.bots.asks import Ask
from nostr_threads.core.thread import Thread
from nostr_threads.testing import START, Author

ALICE, BOB, CAROL, BOT = Author(b"alice"), Author(b"bob"), Author(b"carol"), Author(b"bot")


def asking(text: str, **names: str) -> Ask:
    """A note of Alice's that stands alone."""
    event = ALICE.note(text)
    return Ask(event, text, BOT.pubkey, START + 60, Thread.build([event]), names=names)


def asking_in_a_thread() -> Ask:
    """Bob's root, Carol's answer, Alice's question to it; and beside it what matters less."""
    root = BOB.note("The root.")
    answer = CAROL.reply(root, "An answer.")
    question = ALICE.reply(answer, "Why?")
    beside = BOB.reply(answer, "Beside it.")
    far = CAROL.reply(BOB.reply(root, "Another branch."), "Far away.")
    branch = BOB.reply(root, "Another branch.")
    thread = Thread.build([root, answer, question, beside, branch, far])
    return Ask(question, "Why?", BOT.pubkey, START + 60, thread, names={BOB.pubkey: "Bob"})
