"""Answers written in the browser: cut, planned, and sent once the browser's extension has signed.

Knows the steps and what is kept between them. Holds no key: what is signed comes from NIP-07's
`window.nostr`, and only what was planned here is taken.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections import OrderedDict
from dataclasses import dataclass, field, replace
from functools import partial
from http import HTTPStatus
from json import dumps
from typing import TYPE_CHECKING, Any

from starlette.routing import Route

from nostr_threads.app.blocking import off_loop
from nostr_threads.app.drafting import draft
from nostr_threads.app.mining import mine_chain
from nostr_threads.app.presigned import Presigned
from nostr_threads.app.publish import Report
from nostr_threads.app.surroundings import names_of
from nostr_threads.app.writing import DEFAULT_LIMIT, Style
from nostr_threads.core.entities import HEX_64
from nostr_threads.core.event import Event
from nostr_threads.core.split import DEFAULT_MARKER, Limit
from nostr_threads.errors import InvalidInput, NostrThreadsError, NotFound
from nostr_threads.render.contracts import draft_object, part_objects, report_object
from nostr_threads.render.setting import Setting
from nostr_threads.render.wording import author as named
from nostr_threads.web.bodies import body_of, number_in, text_in
from nostr_threads.web.forms import json
from nostr_threads.web.places import note_path

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    from starlette.requests import Request
    from starlette.responses import Response

    from nostr_threads.app.client import Nostr
    from nostr_threads.app.writing import Plan
    from nostr_threads.store.base import Posting

__all__ = ["Answering"]

_log = logging.getLogger(__name__)

_PLANS = 50
# Seconds between two looks at what is due.
_PAUSE = 30.0
# Seconds that an answer may take to be planned.
_LONGEST = 60.0


@dataclass(slots=True)
class _Planned:
    """A plan that waits for its signatures; `sent` is the id of what it became."""

    author: str
    plan: Plan
    sent: str = ""
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


class Answering:
    """Plans answers and sends them, to `relays` or else where `nostr` writes.

    `clock` gives unix seconds. What is due is sent again every `pause` seconds.
    `run` is to be running meanwhile: it delivers. What it has not delivered when it ends stays in
    the outbox.
    """

    def __init__(
        self,
        nostr: Nostr,
        relays: Sequence[str] = (),
        *,
        clock: Callable[[], int],
        pause: float = _PAUSE,
    ) -> None:
        self._nostr = nostr
        self._clock = clock
        self._pause = pause
        self._relays = tuple(relays)
        self._plans: OrderedDict[str, _Planned] = OrderedDict()
        self._jobs: asyncio.Queue[Callable[[], Coroutine[Any, Any, None]]] = asyncio.Queue(_PLANS)
        self._sent: set[str] = set()
        self._planning = asyncio.Lock()

    def routes(self) -> list[Route]:
        """Return which path is answered by what."""
        return [
            Route("/answer/parts", self.parts, methods=["POST"]),
            Route("/answer/plan", self.plan, methods=["POST"]),
            Route("/answer/send", self.send, methods=["POST"]),
            Route("/answer/{posting}", self.state),
        ]

    async def run(self) -> None:
        """Deliver what was handed over, each answer by itself, and again what is due, for ever."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._again())
            while True:
                job = await self._jobs.get()
                tasks.create_task(job())

    async def parts(self, request: Request) -> Response:
        """Say what a text would become. Nobody is asked: its relays may want it shorter."""
        body = await body_of(request)
        text, limit = text_in(body, "text"), _limit(body)
        plan = await off_loop(draft, text, Style(), limit, DEFAULT_MARKER)
        return json(
            {
                "parts": list(part_objects(plan.parts, plan.drafts)),
                "warnings": list(plan.warnings),
            }
        )

    async def plan(self, request: Request) -> Response:
        """Plan an answer by `author`, and give the drafts that are to be signed, in order."""
        body = await body_of(request)
        author = text_in(body, "author").lower()
        if HEX_64.fullmatch(author) is None:
            raise InvalidInput("`author` is no public key in hex")
        plan = await self._planned(body, author)
        name = secrets.token_urlsafe(16)
        self._plans[name] = _Planned(author, plan)
        while len(self._plans) > _PLANS:
            self._plans.popitem(last=False)
        names = await off_loop(names_of, {author}, self._nostr.store, self._clock())
        return json(_plan_object(name, author, plan) | {"as": named(author, Setting(names))})

    async def _planned(self, body: dict[str, Any], author: str) -> Plan:
        """Plan an answer, and do the work that relays want, which is part of what is signed.

        One at a time, and not for ever: whoever has asked may be gone.
        """
        text, limit = text_in(body, "text"), _limit(body)
        reply_to = text_in(body, "reply_to") if body.get("reply_to") else None
        async with self._planning:
            try:
                async with asyncio.timeout(_LONGEST):
                    plan = await self._nostr.plan(
                        text, author=author, reply_to=reply_to, relays=self._relays, limit=limit
                    )
                    if not plan.work:
                        return plan
                    mined = await mine_chain(plan.drafts, author, plan.work)
            except TimeoutError:
                raise InvalidInput(
                    f"this takes more than {_LONGEST:g} seconds to prepare: use "
                    "`nostr-threads publish`"
                ) from None
        return replace(plan, drafts=tuple(mined), work=0)

    async def send(self, request: Request) -> Response:
        """Keep the signed parts in the outbox, and begin to deliver them; twice is as once."""
        body = await body_of(request)
        planned = self._plans.get(text_in(body, "plan"))
        if planned is None:
            raise NotFound("this plan is not known any more: plan the answer again")
        async with planned.turn:
            if not planned.sent:
                signer = Presigned(planned.author, planned.plan.drafts, _events(body))
                planned.sent = (await self._keep(planned.plan, signer)).id
                self._sent.add(planned.sent)
        return json(
            {
                "id": planned.sent,
                "state": f"/answer/{planned.sent}",
                "href": note_path(planned.sent),
            },
            status=HTTPStatus.ACCEPTED,
        )

    async def state(self, request: Request) -> Response:
        """Say where an answer is."""
        posting = await off_loop(self._nostr.store.posting, request.path_params["posting"])
        if posting is None:
            raise NotFound("nothing in the outbox has this id")
        report = Report(posting)
        return json(report_object(report))

    async def _again(self) -> None:
        while True:
            await asyncio.sleep(self._pause)  # each relay says when it is due: this comes round
            if not self._sent:
                continue
            try:
                await self._nostr.outbox.resume(everything=False, only=self._sent)
            except NostrThreadsError as error:
                _log.warning("what is due stays in the outbox: %s", error)

    async def _keep(self, plan: Plan, signer: Presigned) -> Posting:
        """Hand an answer over, and wait until it is in the outbox."""
        kept: asyncio.Future[Posting] = asyncio.get_running_loop().create_future()
        await self._jobs.put(partial(self._deliver, plan, signer, kept))
        return await kept

    async def _deliver(self, plan: Plan, signer: Presigned, kept: asyncio.Future[Posting]) -> None:
        loop = asyncio.get_running_loop()

        def enqueue(posting: Posting) -> None:
            self._nostr.store.enqueue(posting)
            loop.call_soon_threadsafe(kept.set_result, posting)

        try:
            await self._nostr.outbox.send(
                plan,
                signer,
                self._nostr.config.defaults.quorum,
                mining=lambda _: None,
                progress=lambda _: None,
                enqueue=enqueue,
            )
        except Exception as error:  # noqa: BLE001 - one answer's failure is not the viewer's
            if kept.done():
                _log.warning("an answer stays in the outbox: %s", error)
            else:
                kept.set_exception(error)


def _plan_object(name: str, author: str, plan: Plan) -> dict[str, object]:
    return {
        "plan": name,
        "parts": list(part_objects(plan.parts, plan.drafts)),
        "drafts": [
            {**draft_object(each), "id": each.id_for(author), "pubkey": author}
            for each in plan.drafts
        ],
        "relays": [
            {"url": choice.relay, "why": choice.words, "own": choice.is_own}
            for choice in plan.choices
        ],
        "warnings": list(plan.warnings),
    }


def _limit(body: dict[str, Any]) -> Limit:
    most = number_in(body, "limit")
    return DEFAULT_LIMIT if most is None else Limit(characters=most)


def _events(body: dict[str, Any]) -> list[Event]:
    events = body.get("events")
    if not isinstance(events, list):
        raise InvalidInput("`events` are the signed parts, in order")
    return [_event(place, each) for place, each in enumerate(events, 1)]


def _event(place: int, value: object) -> Event:
    try:
        return Event.from_json(dumps(value))
    except InvalidInput as error:
        raise InvalidInput(f"part {place}: {error}") from None
