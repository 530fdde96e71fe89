"""What is done for a client that is known: by its policy, by a person's word, or not at all."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nostr_threads.core.event import Draft, Event, verify
from nostr_threads.core.nip46 import METHODS, Request, draft_json
from nostr_threads.errors import (
    BunkerError,
    CannotEncrypt,
    InvalidInput,
    NostrThreadsError,
    SigningError,
    StoreError,
)
from nostr_threads.signing import KeySigner, ReadOnlySigner, new_secret, secret_from_hex
from nostr_threads.signing.book import Book, Client
from nostr_threads.signing.clerk import Ask, Clerk, named, refused
from nostr_threads.signing.policy import Policy
from nostr_threads.testing import START, Author
from tests.signing.bunker_ends import ALICE, RELAYS, Drawer

if TYPE_CHECKING:
    from nostr_threads.core.event import Verified
    from nostr_threads.signing import Signer
    from nostr_threads.signing.clerk import Result

NOW = int(START)
BOB = KeySigner(secret_from_hex(Author(b"bob").secret_hex()))
DRAFT = Draft(NOW, 1, (("t", "nostr"),), "hello")
NOTHING = Policy(kinds=frozenset())
ASKED = Policy(kinds=frozenset(), ask=True)


@dataclass
class Office:
    """A clerk, the client that is there, and the person who may be asked."""

    policy: Policy = field(default_factory=Policy)
    signer: Signer = ALICE
    says: bool = True
    now: float = START
    asked: list[Ask] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0
    may_answer: asyncio.Event = field(default_factory=asyncio.Event)
    is_asked: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.may_answer.set()
        self.client = Client(BOB.public_key, self.policy, "a bot", NOW)
        self.drawer = Drawer(Book(new_secret(), RELAYS, {self.client.key: self.client}))
        self.clerk = Clerk(self.drawer, self.signer, clock=lambda: self.now, ask=self._ask)

    async def _ask(self, asked: Ask) -> bool:
        self.asked.append(asked)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        self.is_asked.set()
        await self.may_answer.wait()
        self.at_once -= 1
        return self.says

    async def do(self, method: str, *params: str) -> Result:
        async with asyncio.timeout(10):
            return await self.clerk.do(self.client, Request("1", method, params))

    async def sign(self, draft: Draft = DRAFT) -> Result:
        return await self.do("sign_event", draft_json(draft, ALICE.public_key))

    async def sign_once_said(self, before: Any) -> Result:
        """Have something signed; `before` happens while a person thinks about it."""
        self.may_answer.clear()
        signing = asyncio.create_task(self.sign())
        await self.is_asked.wait()
        await before()
        self.may_answer.set()
        return await signing


# What needs no leave


async def test_who_asks_whether_somebody_is_there_is_answered_and_nothing_is_told() -> None:
    office = Office(NOTHING)
    for method, value in (
        ("ping", "pong"),
        ("get_public_key", ALICE.public_key),
        ("switch_relays", json.dumps(RELAYS)),
    ):
        result = await office.do(method)
        assert (result.value, result.what, result.error) == (value, "", "")
    assert office.drawer.kept == []
    assert office.asked == []


async def test_relays_are_those_of_the_book_as_it_is_now() -> None:
    office = Office()
    await office.drawer.change(lambda book: replace(book, relays=("wss://new.example",)))
    assert json.loads((await office.do("switch_relays")).value) == ["wss://new.example"]


async def test_who_leaves_is_out_of_the_book_and_the_others_stay() -> None:
    office = Office()
    other = Client("other", Policy())
    await office.drawer.change(lambda book: book.letting_in(other))
    result = await office.do("logout")
    assert (result.value, result.what, result.outcome) == ("ack", "logout", "done")
    assert office.drawer.book.clients == {"other": other}


# Signing


@settings(max_examples=60)
@given(
    st.builds(Policy, kinds=st.none() | st.frozensets(st.sampled_from((0, 1))), ask=st.booleans()),
    st.sampled_from((0, 1)),
    st.sampled_from((NOW, NOW + 3_600)),
    st.booleans(),
)
def test_nothing_is_signed_but_by_the_policy_or_by_a_person(
    policy: Policy, kind: int, created_at: int, says: bool
) -> None:
    async def doing() -> None:
        office = Office(policy, says=says)
        draft = replace(DRAFT, kind=kind, created_at=created_at)
        is_allowed = (policy.kinds is None or kind in policy.kinds) and created_at == NOW
        is_asked = policy.ask and not is_allowed
        result = await office.sign(draft)
        assert len(office.asked) == is_asked
        if is_allowed or (is_asked and says):
            event = verify(Event.from_json(result.value))
            assert (event.pubkey, event.id) == (ALICE.public_key, result.event_id)
            assert (event.kind, event.created_at) == (kind, created_at)
            assert (result.outcome, result.error) == ("done", "")
        else:
            assert (result.value, result.event_id, result.outcome) == ("", "", "refused")
            assert result.error == result.why != ""

    asyncio.run(doing())


@pytest.mark.parametrize("params", [(), ("",), ("{}",), ("null",), ('{"kind":1}',), ("[" * 9_999,)])
async def test_what_is_no_draft_is_refused(params: tuple[str, ...]) -> None:
    result = await Office(ASKED).do("sign_event", *params)
    assert (result.outcome, result.error) == ("refused", "this is no draft of an event")


async def test_what_is_told_is_one_line_that_moves_no_cursor() -> None:
    text = "one\ntwo \x1b[2J\u202e" + "x" * 999
    result = await Office().sign(replace(DRAFT, content=text))
    assert result.what.isprintable()
    assert result.what.startswith("sign an event of kind 1: one two  [2J xxx")
    assert len(result.what) < 400


async def test_whatever_key_the_client_names_it_is_signed_with_the_one_there_is() -> None:
    result = await Office().do("sign_event", draft_json(DRAFT, BOB.public_key))
    assert json.loads(result.value)["pubkey"] == ALICE.public_key


# Texts


async def test_texts_are_encrypted_and_read_with_the_users_key() -> None:
    office = Office(Policy(encryption=True))
    encrypted = await office.do("nip44_encrypt", BOB.public_key, "for bob")
    assert await BOB.nip44_decrypt(ALICE.public_key, encrypted.value) == "for bob"
    read = await office.do("nip44_decrypt", BOB.public_key, encrypted.value)
    assert read.value == "for bob"
    for result, verb in ((encrypted, "encrypt"), (read, "decrypt")):
        assert result.what.startswith(f"{verb} a text of ")
        assert BOB.public_key in result.what
        assert "for bob" not in f"{result.what} {result.why} {result.error}"


@pytest.mark.parametrize("method", ["nip44_encrypt", "nip44_decrypt"])
async def test_no_text_is_touched_without_leave(method: str) -> None:
    office = Office()
    for peer in (BOB.public_key, "\x1b[2J\nbob"):
        result = await office.do(method, peer, "text")
        assert (result.outcome, result.error) == ("refused", "no texts are encrypted")
        assert (office.asked, result.value) == ([], "")
        # What a stranger calls somebody is told in one line, too.
        assert result.what.isprintable()


async def test_a_person_sees_what_is_to_be_encrypted_and_is_told_what_cannot_be_seen() -> None:
    office = Office(Policy(ask=True))
    payload = (await office.do("nip44_encrypt", BOB.public_key, "for bob")).value
    assert (await office.do("nip44_decrypt", BOB.public_key, payload)).value == "for bob"
    encrypting, decrypting = office.asked
    assert encrypting.text == "for bob"
    assert decrypting.text == "(what is in it is known only afterwards)"
    assert {each.why for each in office.asked} == {"no texts are encrypted"}


# A person


async def test_a_person_is_shown_all_that_would_be_signed() -> None:
    office = Office(ASKED)
    tags = (("p", BOB.public_key), ("e", 'a"b\n', "wss://x"))
    await office.sign(Draft(NOW + 999, 7, tags, "one\ntwo"))
    (asked,) = office.asked
    assert (asked.client, asked.what) == (office.client, "sign an event of kind 7")
    assert asked.text.split("\n") == [
        f"kind 7, dated {NOW + 999}",
        f'tag ["p", "{BOB.public_key}"]',
        r'tag ["e", "a\"b\n", "wss://x"]',
        "one",
        "two",
    ]


async def test_what_is_too_long_to_be_shown_says_how_much_more_there_is() -> None:
    office = Office(ASKED)
    tags = tuple(("t", f"{n}") for n in range(53))
    await office.sign(replace(DRAFT, tags=tags, content="x" * 4_007))
    lines = office.asked[0].text.split("\n")
    assert len(lines) == 1 + 50 + 1 + 2
    assert lines[51] == "… and 3 tags more"
    assert lines[-2:] == ["x" * 4_000, "… and 7 characters more"]
    await office.sign(replace(DRAFT, tags=tags[:50], content="x" * 4_000))
    assert "more" not in office.asked[1].text


async def test_a_person_is_asked_one_question_at_a_time() -> None:
    office = Office(ASKED)
    office.may_answer.clear()
    signing = [asyncio.create_task(office.sign(replace(DRAFT, created_at=n))) for n in range(5)]
    await office.is_asked.wait()
    office.may_answer.set()
    assert {result.outcome for result in await asyncio.gather(*signing)} == {"done"}
    assert (len(office.asked), office.most_at_once) == (5, 1)


async def test_what_the_policy_allows_does_not_wait_for_a_person() -> None:
    office = Office(replace(ASKED, kinds=frozenset((7,))))

    async def sign_what_is_allowed() -> None:
        assert (await office.sign(replace(DRAFT, kind=7))).outcome == "done"

    assert (await office.sign_once_said(sign_what_is_allowed)).outcome == "done"


async def test_a_yes_for_one_who_has_left_meanwhile_is_none() -> None:
    office = Office(ASKED)

    async def leave() -> None:
        await office.do("logout")

    result = await office.sign_once_said(leave)
    assert (result.value, result.error) == ("", "you are not known here any more")


async def test_a_yes_under_rules_that_have_changed_meanwhile_is_none() -> None:
    office = Office(ASKED)

    async def change() -> None:
        changed = replace(office.client, policy=NOTHING)
        await office.drawer.change(lambda book: book.letting_in(changed))

    result = await office.sign_once_said(change)
    assert (result.value, result.outcome) == ("", "refused")


async def test_a_yes_after_the_end_is_none() -> None:
    office = Office(replace(ASKED, until=NOW + 100))

    async def wait() -> None:
        office.now += 100

    result = await office.sign_once_said(wait)
    assert (result.value, result.error) == ("", "what you were allowed has come to its end")


# What goes wrong


@pytest.mark.parametrize("method", sorted(METHODS - {"connect"}))
async def test_every_method_is_answered_somehow(method: str) -> None:
    result = await Office(Policy(encryption=True)).do(method)
    assert bool(result.value) is not bool(result.error)


@pytest.mark.parametrize("method", ["nip04_encrypt", "nip04_decrypt", "rm -rf", "\x1b[2J", ""])
async def test_what_is_not_known_is_refused_and_told_by_no_name_of_theirs(method: str) -> None:
    result = await Office(ASKED).do(method, "x")
    assert (result.outcome, result.error) == ("refused", "this is not supported")
    assert result.what == (method if method in METHODS else "unknown") == named(method)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (InvalidInput("a key is\n64 digits"), "a key is 64 digits"),
        (CannotEncrypt("an empty text"), "an empty text"),
        (BunkerError("the bunker says no"), "the bunker says no"),
        (SigningError("cannot use /home/alice/keys"), "it failed here: its owner can see why"),
        (StoreError("/home/alice/threads.db"), "it failed here: its owner can see why"),
    ],
)
async def test_a_failure_is_an_answer_that_tells_nothing_of_this_machine(
    error: NostrThreadsError, told: str
) -> None:
    class Broken(KeySigner):
        async def sign(self, draft: Draft) -> Verified:  # noqa: ARG002
            raise error

    result = await Office(signer=Broken(secret_from_hex(Author(b"alice").secret_hex()))).sign()
    assert (result.value, result.outcome, result.error) == ("", "failed", told)
    assert result.why == str(error)
    assert result.what == "sign_event"


async def test_a_key_that_is_not_here_signs_nothing() -> None:
    result = await Office(signer=ReadOnlySigner(ALICE.public_key)).sign()
    assert (result.value, result.outcome) == ("", "failed")


async def test_what_is_no_failure_of_ours_goes_through() -> None:
    """A bug is not told to strangers as an answer, and not hidden from us."""

    class Wrong(KeySigner):
        async def sign(self, draft: Draft) -> Verified:  # noqa: ARG002
            raise ZeroDivisionError

    office = Office(signer=Wrong(new_secret()))
    with pytest.raises(ZeroDivisionError):
        await office.sign()


def test_a_refusal_says_the_same_to_both() -> None:
    result = refused("what", "why")
    assert (result.value, result.what, result.outcome) == ("", "what", "refused")
    assert result.why == result.error == "why"
