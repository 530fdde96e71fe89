"""What a bot would do with a question that nobody has asked, as far as nobody else is asked.

Knows which sources say something without a program, a function or a model. Guards and budgets are
no part of it: a sample has no author and no thread.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nostr_threads.app.bots.banks import Bank
from nostr_threads.app.bots.hearing import chosen, ways_of
from nostr_threads.core import kinds
from nostr_threads.core.bots.asks import Ask
from nostr_threads.core.bots.readable import readable
from nostr_threads.core.bots.saying import fit
from nostr_threads.core.bots.specs import BankOf, CommandOf, ModelOf, PluginOf, PythonOf
from nostr_threads.core.bots.ways import Way
from nostr_threads.core.bots.when import Match
from nostr_threads.core.event import Draft
from nostr_threads.core.thread import Thread
from nostr_threads.errors import AnswerFailed, InvalidInput
from nostr_threads.signing import KeySigner, new_secret

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nostr_threads.app.bots.bot import Bot
    from nostr_threads.app.bots.botfile import BotFile
    from nostr_threads.core.bots.saying import Says
    from nostr_threads.core.bots.specs import Spec
    from nostr_threads.core.bots.when import Rule
    from nostr_threads.core.event import Verified

__all__ = ["Rehearsal", "rehearse"]


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """The rules that answer, by name, why each does or does not, and what is wrong with any."""

    rules: tuple[str, ...]
    whys: Mapping[str, str]
    faults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Said:
    """Whether a rule says something, and why; with a `fault` no other is asked instead."""

    is_there: bool
    why: str
    fault: str = ""


async def rehearse(question: str, file: BotFile, bots: Mapping[str, Bot], *, now: int) -> Rehearsal:
    """Return what would become of `question`, in a note that speaks to the bot, at `now`.

    Where the bot hears nobody who speaks to it, the note came as it does hear one, but for
    hashtags: those are the note's own.
    """
    bot = KeySigner(new_secret()).public_key
    event = await _note(question, file, bot, now)
    came = _came(file, bot, event)
    if not came:
        why = "it is not heard: it has none of the hashtags"
        return Rehearsal((), {rule.name: why for rule in file.rules})
    ask = Ask(event, readable(event, bot=bot), bot, now, Thread.build([event]))
    answering: list[str] = []
    whys: dict[str, str] = {}
    faults: list[str] = []
    ended = ""
    for rule, finding in chosen(file, bot, event, came).findings:
        whys[rule.name] = finding.why
        if not finding.fits:
            continue
        if ended and file.match is Match.FIRST:
            whys[rule.name] = ended
            continue
        said = await _said(rule, bots[rule.name], ask, file.says)
        whys[rule.name] = f"{finding.why}; {said.why}" if said.why else finding.why
        if said.is_there:
            answering.append(rule.name)
            ended = f"{rule.name} answers already"
        elif said.fault:
            faults.append(f"rule {rule.name!r}: {said.fault}")
            ended = f"{rule.name} fails before it"
    return Rehearsal(tuple(answering), whys, tuple(faults))


async def _note(question: str, file: BotFile, bot: str, now: int) -> Verified:
    """Make a note of somebody's that speaks to the bot. Its key is forgotten at once."""
    heard = file.listening.kinds
    kind = kinds.NOTE if kinds.NOTE in heard else heard[0]
    return await KeySigner(new_secret()).sign(Draft(now, kind, (("p", bot),), question))


def _came(file: BotFile, bot: str, event: Verified) -> frozenset[Way]:
    listening = file.listening
    if found := ways_of(file, bot, event, None):
        return found
    places = ((Way.THREAD, listening.threads), (Way.AUTHOR, listening.authors))
    return listening.ways | {way for way, wanted in places if wanted}


async def _said(rule: Rule, bot: Bot, ask: Ask, says: Says) -> _Said:
    if (asked := _somebody(rule.answer)) is not None:
        return _Said(is_there=True, why=f"{asked} would be asked")
    why = _why(rule.answer, bot, ask.text)
    try:
        answer = await bot.answer(ask)
        if answer is None:
            return _Said(is_there=False, why=why or "it has nothing to say to this")
        fit(answer, says)
    except (AnswerFailed, InvalidInput) as error:
        return _Said(is_there=False, why=f"it fails: {error}", fault=str(error))
    return _Said(is_there=True, why=why)


def _somebody(spec: Spec) -> str | None:
    """Who would be asked, None where the answer is ours."""
    match spec:
        case CommandOf(words):
            return f"the program {words[0]}"
        case PythonOf(name):
            return f"the function {name}"
        case PluginOf(name):
            return f"the plugin {name}"
        case ModelOf(name):
            return f"the model {name}" if name else "the model that llm takes by default"
    return None


def _why(spec: Spec, bot: Bot, question: str) -> str:
    """What a bank makes of a question; other sources have no reasons."""
    if not isinstance(bot, Bank) or not isinstance(spec, BankOf):
        return ""
    nearest = next(iter(bot.explain(question)), None)
    if nearest is None:
        return "nothing in the bank has a word of it"
    name, score = nearest.entry.name, f"{nearest.score:.2f}"
    if nearest.score >= spec.threshold:
        return f"{name} fits with {score}: {nearest.why}"
    return f"nothing in the bank fits well enough: {name} with {score}, below {spec.threshold:.2f}"
