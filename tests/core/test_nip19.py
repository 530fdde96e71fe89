"""NIP-19 codes: strict to read, exact to write, and silent about secret keys."""

from __future__ import annotations

import copy
import dataclasses
import json
import pickle
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pynostr.bech32 import Encoding, bech32_encode, convertbits

from nostr_threads.core import bech32, nip19
from nostr_threads.core.nip19 import (
    Address,
    Entity,
    EventPointer,
    Note,
    Profile,
    PublicKey,
    SecretKey,
    decode,
    encode,
    nip05_parts,
    parse_event,
    parse_pubkey,
)
from nostr_threads.core.relay_url import normalize
from nostr_threads.errors import InvalidCode

if TYPE_CHECKING:
    from collections.abc import Callable

VECTORS = Path(__file__).parent.parent / "vectors"


def _load(name: str) -> Any:
    return json.loads((VECTORS / name).read_text(encoding="utf-8"))


SPEC = _load("nip19/nip19.spec.json")["vectors"]
PEERS = _load("nip19/nip19.peer-tests.json")
ADDRESSES = _load("nip05/nip05.cases.json")["addresses"]

KEY = "3bf0c63fcb93463407af97a5e5ee64fa883d107ef9e558472c4eb9aaaefa459d"
ID = "46d731680add2990efe1cc619dc9b8014feeb23261ab9dee50e9d11814de5a2b"
NPUB = "npub180cvv07tjdrrgpa0j7j7tmnyl2yr6yr7l8j4s3evf6u64th6gkwsyjh6w6"
NOTE = "note1gmtnz6q2m55epmlpe3semjdcq987av3jvx4emmjsa8g3s9x7tg4sclreky"
NSEC = "nsec1vl029mgpspedva04g90vltkh6fvh240zqtv9k0t9af8935ke9laqsnlfe5"
SECRET = "67dea2ed018072d675f5415ecfaed7d2597555e202d85b3d65ea4e58d2d92ffa"
NPROFILE = encode(Profile(KEY, ("wss://r.x.com",)))
NEVENT = encode(EventPointer(ID, ("wss://r.x.com",), KEY, 1))
NADDR = encode(Address(30023, KEY, "banana", ("wss://r.x.com",)))

hex_ids = st.binary(min_size=32, max_size=32).map(bytes.hex)
kinds = st.integers(0, 65_535)
hosts = st.from_regex(r"[a-z]{1,20}(\.[a-z]{2,10}){1,3}(:[1-9][0-9]{1,3})?", fullmatch=True)
paths = st.sampled_from(["", "/", "/inbox", "/a/b/", "?key=1"])
urls = st.builds(lambda host, path: normalize(f"wss://{host}{path}"), hosts, paths)
relays = st.lists(urls, max_size=3, unique=True).map(tuple)
identifiers = st.text(max_size=60)
entities: st.SearchStrategy[Entity] = st.one_of(
    st.builds(PublicKey, hex_ids),
    st.builds(SecretKey, hex_ids),
    st.builds(Note, hex_ids),
    st.builds(Profile, hex_ids, relays),
    st.builds(EventPointer, hex_ids, relays, st.none() | hex_ids, st.none() | kinds),
    st.builds(Address, kinds, hex_ids, identifiers, relays),
)


def _tlv(*items: tuple[int, bytes]) -> bytes:
    return b"".join(bytes((number, len(value))) + value for number, value in items)


def _unlimited(prefix: str, payload: bytes) -> str:
    code: str = bech32_encode(prefix, convertbits(payload, 8, 5), Encoding.BECH32)
    return code


def _said(read: Callable[[str], object], text: str) -> str:
    try:
        read(text)
    except InvalidCode as error:
        return str(error)
    return ""


def _refusal(code: str) -> str:
    with pytest.raises(InvalidCode) as caught:
        decode(code)
    return str(caught.value)


# --- what others wrote


@pytest.mark.parametrize("row", SPEC, ids=lambda row: row["string"][:14])
def test_the_examples_of_the_nip_are_read_as_it_says(row: dict[str, Any]) -> None:
    """NIP-19, Examples."""
    found = decode(row["string"])
    match found:
        case PublicKey(key):
            assert (row["type"], row["hex"]) == ("npub", key)
        case SecretKey():
            assert (row["type"], row["hex"]) == ("nsec", found.reveal())
        case _:
            assert row["type"] == "nprofile"
            assert found == Profile(row["pubkey"], tuple(row["relays"]))
    assert encode(found) == row["string"]


def _expected(kind: str, data: Any) -> Entity:
    """What a peer read, as our value; its relays as they are normalised here."""
    match kind:
        case "npub":
            return PublicKey(data)
        case "nsec":
            return SecretKey(data)
        case "note":
            return Note(data)
    found = tuple(map(normalize, data["relays"]))
    match kind:
        case "nprofile":
            return Profile(data["pubkey"], found)
        case "nevent":
            return EventPointer(data["id"], found, data.get("author"), data.get("kind"))
        case _:
            return Address(data["kind"], data["pubkey"], data["identifier"], found)


@pytest.mark.parametrize("row", PEERS, ids=lambda row: row["string"][:20])
def test_codes_in_the_tests_of_peers_are_read_as_nostr_tools_reads_them(
    row: dict[str, Any],
) -> None:
    peer = row["nostr_tools"]
    if not peer["ok"]:
        assert row["string"] not in _refusal(row["string"])
        return
    found = decode(row["string"])
    assert found == _expected(peer["type"], peer["data"])
    assert decode(encode(found)) == found


@pytest.mark.parametrize(
    "code",
    [row["string"] for row in SPEC]
    + [
        "nevent1qqst8cujky046negxgwwm5ynqwn53t8aqjr6afd8g59nfqwxpdhylpcpzamhxue69uhhyetvv9ujuetcv9khqmr99e3k7mg8arnc9"
    ],
)
def test_codes_are_written_as_peers_write_them(code: str) -> None:
    assert encode(decode(code)) == code


@pytest.mark.parametrize(
    "row", _load("bech32/bip173.json")["invalid"], ids=lambda row: row["reason"]
)
def test_what_bip173_calls_invalid_is_refused(row: dict[str, str]) -> None:
    _refusal(row["string"])


@pytest.mark.parametrize("code", _load("bech32/bip173.json")["valid"])
def test_what_bip173_calls_valid_fails_only_by_its_prefix(code: str) -> None:
    """They have a good checksum and no prefix of Nostr's."""
    assert "no Nostr code has the prefix" in _refusal(code)


@pytest.mark.parametrize("code", _load("bech32/bip350_bech32m_must_be_refused.json")["bech32m"])
def test_bech32m_is_refused(code: str) -> None:
    """NIP-19: bech32, not bech32m."""
    assert "bech32m" in _refusal(code)


def test_a_key_with_a_bech32m_checksum_is_refused() -> None:
    words = convertbits(bytes.fromhex(KEY), 8, 5)
    assert "bech32m" in _refusal(bech32_encode("npub", words, Encoding.BECH32M))


def test_bits_left_over_are_zero() -> None:
    """BIP-173: padding that is not zero is refused, or one key would have many codes."""
    words = convertbits(bytes.fromhex(KEY), 8, 5)
    words[-1] |= 1
    assert "whole bytes" in _refusal(bech32_encode("npub", words, Encoding.BECH32))


# --- round trips


@given(entities)
def test_what_is_encoded_decodes_to_the_same(entity: Entity) -> None:
    code = encode(entity)
    assert decode(code) == entity
    assert decode(code.upper()) == entity
    assert decode(f" {code}\n") == entity


@given(
    st.text()
    | st.sampled_from([NPUB, NSEC, NEVENT, "nostr:"]).flatmap(lambda c: st.text().map(c.__add__))
)
def test_any_text_is_decoded_or_refused(text: str) -> None:
    try:
        encode(decode(text))
    except InvalidCode:
        return


@given(st.sampled_from(["nprofile", "nevent", "naddr", "npub"]), st.binary(max_size=120))
def test_any_payload_is_read_or_refused(prefix: str, payload: bytes) -> None:
    try:
        found = decode(bech32.join(prefix, payload))
    except InvalidCode:
        return
    assert decode(encode(found)) == found


@given(st.sampled_from([NPUB, NOTE, NSEC, NPROFILE, NEVENT, NADDR]), st.data())
def test_a_code_with_one_character_changed_is_refused(code: str, data: st.DataObject) -> None:
    """BIP-173: a checksum finds any single wrong character."""
    at = data.draw(st.integers(0, len(code) - 1))
    other = data.draw(
        st.characters(min_codepoint=33, max_codepoint=126).filter(lambda c: c != code[at])
    )
    with pytest.raises(InvalidCode):
        decode(code[:at] + other + code[at + 1 :])


# --- strictness


@pytest.mark.parametrize("prefix", ["npub", "note", "nsec"])
@pytest.mark.parametrize("size", [0, 31, 33, 64])
def test_a_bare_code_holds_32_bytes(prefix: str, size: int) -> None:
    assert f"has {size} bytes" in _refusal(bech32.join(prefix, bytes(size)))


@pytest.mark.parametrize(
    ("prefix", "payload", "reason"),
    [
        ("nprofile", b"", "lacks the value of type 0"),
        ("nevent", _tlv((2, bytes(32))), "lacks the value of type 0"),
        ("naddr", _tlv((2, bytes(32)), (3, bytes(4))), "lacks the value of type 0"),
        ("naddr", _tlv((0, b""), (3, bytes(4))), "lacks the value of type 2"),
        ("naddr", _tlv((0, b""), (2, bytes(32))), "lacks the value of type 3"),
        ("nprofile", _tlv((0, bytes(31))), "31 bytes"),
        ("nevent", _tlv((0, bytes(33))), "33 bytes"),
        ("nevent", _tlv((0, bytes(32)), (2, bytes(31))), "31 bytes"),
        ("nevent", _tlv((0, bytes(32)), (3, b"\0\1")), "kind"),
        ("nevent", _tlv((0, bytes(32)), (3, b"\0\1\0\0")), "kind"),
        ("naddr", _tlv((0, b"\xff"), (2, bytes(32)), (3, bytes(4))), "identifier is not UTF-8"),
        ("nprofile", _tlv((0, bytes(32)), (1, b"\xff")), "relay is not UTF-8"),
        ("nprofile", _tlv((0, bytes(32)))[:-1], "cut off"),
        ("nprofile", _tlv((0, bytes(32))) + b"\1", "cut off"),
        ("nprofile", _tlv((0, bytes(32))) + b"\1\1", "cut off"),
    ],
)
def test_a_list_that_breaks_the_nip_is_refused(prefix: str, payload: bytes, reason: str) -> None:
    refusal = _refusal(bech32.join(prefix, payload))
    assert reason in refusal
    assert prefix in refusal


def test_unknown_types_are_ignored_and_the_first_of_a_repeated_type_counts() -> None:
    """NIP-19, Notes: TLVs that are not recognised should be ignored."""
    payload = _tlv(
        (9, b"?"), (0, b"\1" * 32), (0, b"\2" * 32), (2, b"\3" * 32), (2, b""), (3, b"\0\0\0\1")
    )
    assert decode(bech32.join("nevent", payload)) == EventPointer("01" * 32, (), "03" * 32, 1)


def test_an_author_or_kind_in_an_nprofile_is_an_unknown_type() -> None:
    payload = _tlv((0, b"\1" * 32), (2, b"x"), (3, b"y"))
    assert decode(bech32.join("nprofile", payload)) == Profile("01" * 32)


def test_relays_come_out_normalised_once_each_and_in_order() -> None:
    hints = (
        b"wss://B.example/",
        b"https://no.relay",
        b"wss://a.example",
        b"wss://b.example:443",
        b"",
    )
    payload = _tlv((0, bytes.fromhex(KEY)), *((1, hint) for hint in hints))
    assert decode(bech32.join("nprofile", payload)) == Profile(
        KEY, ("wss://b.example", "wss://a.example")
    )


def test_a_code_of_5000_characters_is_read_and_a_longer_one_refused() -> None:
    """NIP-19, Notes: limited in size to 5000 characters."""
    found = Address(1, KEY, "")
    items = [(0, b""), (2, bytes.fromhex(KEY)), (3, b"\0\0\0\1"), *[(200, bytes(255))] * 11]
    assert decode(_unlimited("naddr", _tlv(*items, (200, bytes(246))))) == found
    assert "longer than 5000" in _refusal(_unlimited("naddr", _tlv(*items, (200, bytes(247)))))


@pytest.mark.parametrize(
    ("code", "named"),
    [
        (bech32.join("nrelay", _tlv((0, b"wss://r.x.com"))), "nrelay"),
        (bech32.join("ncryptsec", bytes(91)), "ncryptsec"),
        (bech32.join("nfuture", bytes(32)), "nfuture"),
    ],
)
def test_other_prefixes_are_refused_by_name_only(code: str, named: str) -> None:
    refusal = _refusal(code)
    assert named in refusal
    assert code[: len(named) + 3] not in refusal


@pytest.mark.parametrize("code", [NPUB, NOTE, NPROFILE, NEVENT, NADDR])
@pytest.mark.parametrize("scheme", ["nostr:", "NOSTR:", "Nostr:"])
def test_a_nostr_link_is_read_in_any_case(code: str, scheme: str) -> None:
    """NIP-21; RFC 3986 3.1: schemes are case-insensitive."""
    assert decode(scheme + code) == decode(code)


def test_a_refusal_repeats_no_more_than_the_start_of_the_text() -> None:
    refusal = _refusal("npub1\x1b[31m" + "q" * 100)
    assert "\x1b" not in refusal
    assert "q" * 21 not in refusal


@pytest.mark.parametrize(
    "entity",
    [
        PublicKey(KEY[1:]),
        PublicKey(KEY.upper()),
        Note("g" * 64),
        Profile(""),
        Profile(KEY, ("wss://" + "a" * 250,)),
        Profile(KEY, ("wss://\ud800",)),
        Profile(KEY, tuple(f"wss://{number:0200}.com" for number in range(20))),
        EventPointer(ID, author="x"),
        EventPointer(ID, kind=65_536),
        EventPointer(ID, kind=-1),
        Address(1, KEY, "é" * 128),
    ],
    ids=repr,
)
def test_what_no_code_can_hold_is_not_encoded(entity: Entity) -> None:
    with pytest.raises(InvalidCode):
        encode(entity)


def test_an_identifier_of_255_bytes_is_encoded() -> None:
    longest = Address(30023, KEY, "a" * 255)
    assert decode(encode(longest)) == longest


def test_an_address_knows_its_coordinate() -> None:
    """NIP-01: `<kind>:<pubkey>:<d>`."""
    assert Address(30023, KEY, "a:b").coordinate == f"30023:{KEY}:a:b"


# --- secret keys


@pytest.mark.parametrize("show", [str, repr, "{}".format, lambda key: f"{[key]} {key!a} %s" % key])
def test_a_secret_key_never_shows_itself(show: Callable[[object], str]) -> None:
    """Architecture, rule 7."""
    shown = show(decode(NSEC))
    assert "hidden" in shown
    assert SECRET[:6] not in shown


def test_a_secret_key_is_told_only_to_who_asks() -> None:
    key = decode(NSEC)
    assert isinstance(key, SecretKey)
    assert key.reveal() == SECRET
    assert not hasattr(key, "__dict__")
    assert not dataclasses.is_dataclass(key)


@pytest.mark.parametrize("take", [copy.copy, copy.deepcopy, pickle.dumps, hash])
def test_a_secret_key_is_not_copied_pickled_or_hashed(take: Callable[[object], object]) -> None:
    with pytest.raises(TypeError):
        take(SecretKey(SECRET))


def test_secret_keys_are_equal_by_value_and_to_nothing_else() -> None:
    assert SecretKey(SECRET) == SecretKey(SECRET)
    assert SecretKey(SECRET) != SecretKey(KEY)
    assert SecretKey(SECRET) != SECRET


@pytest.mark.parametrize("secret", [SECRET[:-1], SECRET.upper(), f"{SECRET}\n", ""])
def test_a_bad_secret_key_is_refused_without_repeating_it(secret: str) -> None:
    with pytest.raises(InvalidCode) as caught:
        SecretKey(secret)
    assert SECRET[:6] not in str(caught.value).lower()


MANGLED = [
    NSEC.upper(),
    NSEC[:-1],
    f"{NSEC}x",
    f"{NSEC} and more",
    f"nostr:{NSEC}",
    f"NOSTR:{NSEC.upper()}",
    f"nostr:{NSEC[:-2]}",
    f"key:{NSEC}",
    f"x{NSEC}",
    f"https://njump.me/{NSEC}",
    f"https://{NSEC}.com",
    f"{NSEC}@example.com",
    NSEC.replace("nsec1", "nsec"),
    NSEC.replace("nsec1", "nsecl"),
    f"{NSEC}1{NSEC[5:]}",
    bech32.join("ncryptsec", bytes.fromhex(SECRET)),
    bech32.join(NSEC, bytes(32)),
    SECRET[:-1],
    f"{SECRET}0",
    f"nostr:{SECRET}",
]


@pytest.mark.parametrize("text", [NSEC, *MANGLED])
@pytest.mark.parametrize("read", [decode, parse_event, parse_pubkey])
def test_no_error_repeats_any_part_of_a_secret_key(
    read: Callable[[str], object], text: str
) -> None:
    if read is decode and text in (NSEC, NSEC.upper()):
        return
    with pytest.raises(InvalidCode) as caught:
        read(text)
    said = f"{caught.value!s} {caught.value!r} {caught.value.args}".lower()
    assert NSEC[5:11] not in said
    assert SECRET[:6] not in said


@given(hex_ids, st.data())
def test_no_damage_makes_an_error_repeat_a_secret_key(secret: str, data: st.DataObject) -> None:
    code = encode(SecretKey(secret))
    at = data.draw(st.integers(0, len(code)))
    text = (
        data.draw(st.sampled_from(["", "nostr:", " ", "key="]))
        + code[:at]
        + data.draw(st.text(max_size=3))
        + code[at:]
    )
    for read in (decode, parse_event, parse_pubkey):
        assert code[15:25] not in _said(read, text)


@pytest.mark.parametrize("text", [NSEC, NSEC.upper(), f"nostr:{NSEC}", f"https://njump.me/{NSEC}"])
@pytest.mark.parametrize("read", [parse_event, parse_pubkey])
def test_a_secret_key_given_for_something_else_is_called_one(
    read: Callable[[str], object], text: str
) -> None:
    with pytest.raises(InvalidCode, match="this is a secret key; it was not used"):
        read(text)


def test_a_nostr_link_to_a_secret_key_is_refused() -> None:
    """NIP-21: the identifiers of NIP-19, except nsec."""
    assert "NIP-21" in _refusal(f"nostr:{NSEC}")


# --- what a person pastes


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (ID, EventPointer(ID)),
        (f"  {ID.upper()}\n", EventPointer(ID)),
        (NOTE, EventPointer(ID)),
        (NOTE.upper(), EventPointer(ID)),
        (f"nostr:{NOTE}", EventPointer(ID)),
        (NEVENT, decode(NEVENT)),
        (NADDR, decode(NADDR)),
        (f"https://njump.me/{NEVENT}", decode(NEVENT)),
        (f"https://njump.me/nostr:{NEVENT}", decode(NEVENT)),
        (f"https://primal.net/e/{NOTE}", EventPointer(ID)),
        (f"https://primal.net/e/{ID}/", EventPointer(ID)),
        (f"HTTPS://habla.news/a/{NADDR}?lang=en#top", decode(NADDR)),
        (f"https://habla.news/u/{NPUB}/{NADDR}", decode(NADDR)),
        (f"http://example.com/#/e/{NEVENT}", decode(NEVENT)),
        (f"https://example.com/view?event={NEVENT}&lang=en", decode(NEVENT)),
        (f"https://example.com/nostr%3A{NEVENT}", decode(NEVENT)),
    ],
)
def test_an_event_is_named_by_code_id_or_link(text: str, found: Entity) -> None:
    assert parse_event(text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (KEY, Profile(KEY)),
        (KEY.upper(), Profile(KEY)),
        (NPUB, Profile(KEY)),
        (f"nostr:{NPUB}", Profile(KEY)),
        (NPROFILE, Profile(KEY, ("wss://r.x.com",))),
        (f"https://njump.me/{NPUB}", Profile(KEY)),
        (f"https://primal.net/p/{NPROFILE}", Profile(KEY, ("wss://r.x.com",))),
    ],
)
def test_an_author_is_named_by_code_key_or_link(text: str, found: Entity) -> None:
    assert parse_pubkey(text) == found


@pytest.mark.parametrize(
    ("read", "text", "said"),
    [
        (parse_event, NPUB, "this is a public key (npub); a note, nevent or naddr is wanted"),
        (parse_event, NPROFILE, "(nprofile); a note, nevent or naddr is wanted"),
        (parse_event, f"https://njump.me/{NPUB}", "this is a public key (npub)"),
        (parse_pubkey, NOTE, "this is a note; an npub or nprofile is wanted"),
        (parse_pubkey, NEVENT, "this is an event (nevent)"),
        (parse_pubkey, NADDR, "this is an address (naddr)"),
        (parse_event, ID[:-1], "64 hex digits in one case; this has 63"),
        (parse_event, ID[:-1] + "B", "64 hex digits in one case"),
        (parse_event, "https://njump.me/", "this web link holds no"),
        (parse_event, "https://[", "this web link is malformed"),
        (parse_event, NEVENT[:-1], "checksum"),
        (parse_pubkey, "alice@example.com", "has no prefix"),
        (parse_event, "", "has no prefix"),
    ],
)
def test_what_cannot_be_used_is_named_and_what_is_wanted(
    read: Callable[[str], object], text: str, said: str
) -> None:
    with pytest.raises(InvalidCode) as caught:
        read(text)
    assert said in str(caught.value)


@given(st.text() | st.text().map("https://example.com/".__add__))
def test_any_text_is_parsed_or_refused(text: str) -> None:
    _said(parse_event, text)
    _said(parse_pubkey, text)
    assert nip05_parts(text) is None or "." in text


@pytest.mark.parametrize(
    "row", [row for row in ADDRESSES if "note" not in row], ids=lambda row: row["input"]
)
def test_nip05_names_are_told_from_other_text_as_peers_do(row: dict[str, Any]) -> None:
    expected = (row["name"], row["domain"]) if row["valid"] else None
    assert nip05_parts(row["input"]) == expected


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("a+b@example.com", None),
        (".alice@example.com", (".alice", "example.com")),
        ("alice..bob@example.com", ("alice..bob", "example.com")),
        ("alice@192.168.1.1", None),
        ("alice@localhost", None),
        ("alice@example.com:8080", None),
        ("alice@example.com/path", None),
        ("alice@exa_mple.com", None),
        ("alice@" + "a" * 64 + ".com", None),
        ("alice@" + "a." * 126 + "com", None),
        ("\u212aelvin@example.com", None),
        (" Alice@Example.com\n", ("alice", "example.com")),
        ("alice@opensec.org", ("alice", "opensec.org")),
        (NPUB, None),
        (f"{NSEC}.com", None),
        (f"{NSEC}@example.com", None),
    ],
)
def test_nip05_names_have_only_the_characters_of_the_nip(
    text: str, parts: tuple[str, str] | None
) -> None:
    """NIP-05: `a-z0-9-_.`; Showing just the domain as an identifier."""
    assert nip05_parts(text) == parts


# --- the module


def test_importing_the_module_does_not_import_pynostr() -> None:
    program = "import sys, nostr_threads.core.nip19; sys.exit('pynostr' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False, timeout=30).returncode == 0


def test_its_public_names_are_all_there() -> None:
    assert all(hasattr(nip19, name) for name in nip19.__all__)
