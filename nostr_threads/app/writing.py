"""From what somebody wrote to the drafts of its events: checked, linked, cut to what relays take.

Knows the order of these things, and asks whoever has to be asked: the domains of the names it
mentions, and the relays about their limits. Signs nothing, and sends nothing.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from nostr_threads.app.blocking import off_loop
from nostr_threads.app.destinations import destinations
from nostr_threads.app.hints import hints_of
from nostr_threads.app.measuring import Measure, measure
from nostr_threads.app.reading import plain, read
from nostr_threads.core import kinds
from nostr_threads.core.article import Form, choose_form, draft_article, linking_note
from nostr_threads.core.compose import NO_EXTRAS, Extras, compose, split_for
from nostr_threads.core.coverage import Finish
from nostr_threads.core.filters import Filter
from nostr_threads.core.front_matter import described
from nostr_threads.core.mentions import refuse_secrets
from nostr_threads.core.pow import MOST_ASKED, NONCE_TAG_BYTES
from nostr_threads.core.relay_url import is_local
from nostr_threads.core.split import Limit, Part
from nostr_threads.core.verbs import quote
from nostr_threads.errors import InvalidInput, LimitTooSmall

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from nostr_threads.app.asking import Asking
    from nostr_threads.app.documents import Documents
    from nostr_threads.app.routes import Routes
    from nostr_threads.core.compose import Target
    from nostr_threads.core.content import Hint
    from nostr_threads.core.event import Draft, Verified
    from nostr_threads.core.front_matter import FrontMatter
    from nostr_threads.core.routing import Choice
    from nostr_threads.net.pool import Pool
    from nostr_threads.store.base import Store

__all__ = ["DEFAULT_LIMIT", "Plan", "Style", "Writer"]

DEFAULT_LIMIT = Limit(characters=2_000)
"""What most relays take and most people read at a sitting."""

# How far ahead of now (seconds) an answer may be dated to come after its question.
_AHEAD = 600
# Seconds from the plan to the first relay, where one takes nothing that is old.
_SIGNING = 30
# Characters of the note that links an article.
_LONGEST_LINK = 1_000
# Seconds to ask for an article's earlier version.
_PATIENCE = 10.0


@dataclass(frozen=True, slots=True)
class Style:
    """How an answer is written. `form` None: whichever suits its length.

    `title`, `summary`, `image` and `identifier` (the `d` tag) are an article's, where its front
    matter does not say. `forum` begins a forum thread (NIP-7D) where nothing is answered. `work`
    bits of proof of work (NIP-13) are done for every event, and as many as relays want, up to
    `most_work`. `strict` refuses a text that seems unfinished or garbled; `fix_encoding` mends what
    was once read in a wrong code page.
    """

    form: Form | None = Form.THREAD
    title: str = ""
    summary: str = ""
    image: str = ""
    identifier: str = ""
    forum: bool = False
    extras: Extras = NO_EXTRAS
    work: int = 0
    most_work: int = MOST_ASKED
    strict: bool = False
    fix_encoding: bool = False

    def described(self, text: str) -> FrontMatter:
        """Say what the article `text` is called. Raises `InvalidText` for a bad front matter."""
        return described(
            text,
            title=self.title,
            summary=self.summary,
            image=self.image,
            identifier=self.identifier,
        )


@dataclass(frozen=True, slots=True)
class Plan:
    """What publishing would sign and where it would go. `parts` and `drafts` go together.

    `form` says what the answer becomes, `why` the reason where it was chosen for the author. `work`
    are the bits to be done before signing. `warnings` are sentences for the author.
    """

    form: Form
    parts: tuple[Part, ...]
    drafts: tuple[Draft, ...]
    choices: tuple[Choice, ...]
    why: str = ""
    work: int = 0
    warnings: tuple[str, ...] = ()

    @property
    def relays(self) -> tuple[str, ...]:
        """All relays that it goes to, those of the author first."""
        return tuple(choice.relay for choice in self.choices)

    @property
    def courtesy(self) -> frozenset[str]:
        """Those that are others' inboxes, or where the answered note was seen."""
        return frozenset(choice.relay for choice in self.choices if not choice.is_own)


@dataclass(slots=True)
class _Sheet:
    """One answer while it is planned."""

    text: str
    target: Target | None
    style: Style
    limit: Limit
    marker: str
    warnings: list[str] = field(default_factory=list)
    choices: tuple[Choice, ...] = ()
    measure: Measure = field(default_factory=Measure)
    hints: Mapping[str, Hint] = field(default_factory=dict)

    @property
    def kind(self) -> int:
        """What its first part is, where it answers nothing."""
        is_forum = self.style.forum and self.target is None
        return kinds.FORUM_THREAD if is_forum else kinds.NOTE

    @property
    def relay(self) -> str:
        """Where others will find it: the first relay that is not on this machine."""
        return next((each.relay for each in self.choices if not is_local(each.relay)), "")


class Writer:
    """Plans what `author` (a public key in hex) writes. `clock` gives unix seconds."""

    def __init__(
        self,
        author: str,
        *,
        store: Store,
        pool: Pool,
        routes: Routes,
        documents: Documents,
        asking: Callable[[], Asking],
        clock: Callable[[], int],
    ) -> None:
        self._author = author
        self._store = store
        self._pool = pool
        self._routes = routes
        self._documents = documents
        self._asking = asking
        self._clock = clock

    async def plan(
        self,
        answer: str | Sequence[Part],
        *,
        target: Target | None,
        relays: Sequence[str],
        limit: Limit,
        marker: str,
        style: Style,
        quoting: Target | None,
    ) -> Plan:
        """Plan an answer: a text, or the parts that `split` gave, which stay as they are.

        What is `quoting` is named below the text, which is checked without it.
        """
        if style.forum and target is not None:
            raise InvalidInput("an answer begins no forum thread: leave out one of the two")
        given = None if isinstance(answer, str) else tuple(answer)
        sheet = _Sheet("", target, _plain(style), limit, marker)
        if isinstance(answer, str):
            sheet.text = await self._read(answer, sheet)
            if quoting is not None:
                sheet.text = quote(sheet.text, quoting)
        else:
            sheet.text = "".join(part.text for part in answer)
            refuse_secrets(sheet.text)
        await self._route(sheet, relays)
        await self._measure(sheet)
        if given is not None:
            return self._planned(sheet, Form.THREAD, given)
        return await self._written(sheet)

    async def plan_drafts(self, drafts: Sequence[Draft], choices: Sequence[Choice]) -> Plan:
        """Plan what is no text: only the work that relays want is still to be done."""
        longest = max((draft.content for draft in drafts), key=len)
        sheet = _Sheet(longest, None, Style(), DEFAULT_LIMIT, "", choices=tuple(choices))
        await self._measure(sheet)
        return self._finished(sheet, Form.NOTE, (), drafts, "")

    async def _read(self, text: str, sheet: _Sheet) -> str:
        style = sheet.style
        found = await read(text, strict=style.strict, fix_encoding=style.fix_encoding)
        sheet.warnings += found.warnings
        return found.text

    async def _route(self, sheet: _Sheet, relays: Sequence[str]) -> None:
        """Find where it goes and what others need to know of whom it mentions."""
        whole = compose(
            [Part(1, 1, sheet.text)],
            author=self._author,
            created_at=self._clock(),
            target=sheet.target,
        )
        sheet.choices = await destinations(
            whole,
            self._author,
            relays,
            self._routes,
            self._asking(),
            self._store,
            self._clock(),
        )
        sheet.hints = await off_loop(hints_of, sheet.text, self._store, self._clock())

    async def _measure(self, sheet: _Sheet) -> None:
        """Find out what the relays take, and keep within it."""
        sheet.measure = await measure(
            self._documents,
            [choice.relay for choice in sheet.choices],
            ruling=[choice.relay for choice in sheet.choices if choice.is_own],
            characters=max(1, len(sheet.text)),
            work=sheet.style.work,
            most_work=sheet.style.most_work,
        )
        sheet.limit = sheet.measure.taken.limit(sheet.limit) or sheet.limit

    async def _written(self, sheet: _Sheet) -> Plan:
        """Give the text the form that was asked for, or the one that suits it."""
        form, why = sheet.style.form, ""
        if form is Form.ARTICLE:
            return await self._article(sheet)
        parts = await off_loop(self._split, sheet)
        if form is None:
            form, why = choose_form(sheet.text, len(parts))
            if form is Form.ARTICLE and sheet.kind == kinds.FORUM_THREAD:
                form, why = Form.THREAD, "a forum thread is no article"
        if form is Form.ARTICLE:
            return await self._article(sheet, why)
        if form is Form.NOTE and len(parts) > 1:
            raise LimitTooSmall(
                f"it does not fit one note: it takes {len(parts)} parts (the form THREAD)"
            )
        return self._planned(sheet, form, parts, why)

    def _split(self, sheet: _Sheet) -> list[Part]:
        return split_for(
            sheet.text,
            sheet.limit,
            author=self._author,
            marker=sheet.marker,
            target=sheet.target,
            relay=sheet.relay,
            extras=sheet.style.extras,
            kind=sheet.kind,
            hints=sheet.hints,
            most_tags=sheet.measure.most_tags,
            spare=NONCE_TAG_BYTES if sheet.measure.work else 0,
        )

    def _planned(self, sheet: _Sheet, form: Form, parts: Sequence[Part], why: str = "") -> Plan:
        drafts = compose(
            parts,
            author=self._author,
            created_at=self._first_date(sheet, len(parts)),
            target=sheet.target,
            relay=sheet.relay,
            extras=sheet.style.extras,
            kind=sheet.kind,
            hints=sheet.hints,
            most_tags=sheet.measure.most_tags,
            most_bytes=sheet.limit.bytes,
        )
        return self._finished(sheet, form, parts, drafts, why)

    async def _article(self, sheet: _Sheet, why: str = "") -> Plan:
        """Write an article, and a note that links it: for a new one, or where it answers a note."""
        style = sheet.style
        if sheet.kind == kinds.FORUM_THREAD:
            raise InvalidInput("an article is no forum thread: choose one of the two")
        about = style.described(sheet.text)
        previous = await self._previous(about.identifier, sheet)
        article = draft_article(
            sheet.text,
            about,
            author=self._author,
            created_at=self._first_date(sheet, 2),
            extras=style.extras,
            previous=previous,
            hints=sheet.hints,
        )
        drafts = [article]
        if previous is None or sheet.target is not None:
            drafts.append(self._link(sheet, article))
        total = len(drafts)
        parts = [Part(index, total, draft.content) for index, draft in enumerate(drafts, 1)]
        if previous is not None:
            replaces = f"it replaces the version that is published as {about.identifier!r}"
            why = f"{why}; {replaces}" if why else replaces
        return self._finished(sheet, Form.ARTICLE, parts, drafts, why)

    def _link(self, sheet: _Sheet, article: Draft) -> Draft:
        return linking_note(
            article,
            author=self._author,
            created_at=article.created_at + 1,
            target=sheet.target,
            relays=[each.relay for each in sheet.choices if not is_local(each.relay)],
            extras=replace(sheet.style.extras, subject=""),
            most=min(_LONGEST_LINK, sheet.limit.characters or _LONGEST_LINK),
        )

    async def _previous(self, identifier: str, sheet: _Sheet) -> Verified | None:
        """Return the newest version of the author's article that is known here or at own relays."""
        wanted = Filter(kinds=(kinds.ARTICLE,), authors=(self._author,), tags={"d": (identifier,)})
        own = [choice.relay for choice in sheet.choices if choice.is_own]
        answers = await asyncio.gather(
            *(self._pool.relay(url).fetch(wanted, seconds=_PATIENCE) for url in own)
        )
        kept = await off_loop(self._store.query, [wanted], now=self._clock())
        found = [*kept, *(event for answer in answers for event in answer.events)]
        silent = [
            url
            for url, answer in zip(own, answers, strict=True)
            if answer.finish is not Finish.COMPLETE and not found
        ]
        sheet.warnings += [f"{url} did not say whether it has an earlier version" for url in silent]
        return max(found, key=lambda event: (event.created_at, event.id), default=None)

    def _first_date(self, sheet: _Sheet, count: int) -> int:
        """The last event is dated now, the first after what it answers if that is not ahead.

        Relays refuse what is too far ahead, whoever began it, and what they take for old.
        """
        now = self._clock()
        first, last = sheet.measure.taken.window(now)
        after = sheet.target.event.created_at + 2 if sheet.target is not None else 0
        is_taken = after + count - 1 <= min(now + _AHEAD, last)
        return max(now - count + 1, first and first + _SIGNING, after if is_taken else 0)

    def _finished(
        self,
        sheet: _Sheet,
        form: Form,
        parts: Sequence[Part],
        drafts: Sequence[Draft],
        why: str,
    ) -> Plan:
        return Plan(
            form,
            tuple(parts),
            tuple(drafts),
            sheet.choices,
            why,
            sheet.measure.work,
            (*sheet.warnings, *sheet.measure.refusals(drafts, self._author, self._clock())),
        )


def _plain(style: Style) -> Style:
    """Take care of all words that are published beside the text."""
    extras, warning = style.extras, style.extras.content_warning
    return replace(
        style,
        title=plain(style.title),
        summary=plain(style.summary),
        image=plain(style.image),
        identifier=plain(style.identifier),
        extras=replace(
            extras,
            subject=plain(extras.subject),
            content_warning=None if warning is None else plain(warning),
        ),
    )
