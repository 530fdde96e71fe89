"""Relay URLs: one spelling each, and none dialled into a private network on a stranger's word."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nostr_threads.core import relay_url
from nostr_threads.core.relay_url import is_local, normalize
from nostr_threads.errors import InvalidRelayUrl

# Text that gets past the first check, so that the later ones are tried too.
_ASCII = [
    "relay",
    ".",
    "com",
    "wss://",
    ":",
    "443",
    "0",
    "/",
    "?",
    "#",
    "=",
    "@",
    "[",
    "]",
    "::1",
    "%",
]
_LOOK_ALIKES = ["é", "ß", "\u3002", "\uff0e", "\u2024", "\uff0f", "\u00ad", "\u200b", "\uff11"]
_PIECES = st.sampled_from([*_ASCII, *_LOOK_ALIKES])
_URLISH = st.builds("".join, st.lists(_PIECES, max_size=12)).map("wss://".__add__)


@pytest.mark.parametrize(
    ("given", "normal"),
    [
        ("wss://relay.example.com", "wss://relay.example.com"),
        ("wss://relay.example.com/", "wss://relay.example.com"),
        ("WSS://Relay.Example.COM", "wss://relay.example.com"),
        ("ws://relay.example.com", "ws://relay.example.com"),
        ("wss://relay.example.com:443", "wss://relay.example.com"),
        ("wss://relay.example.com:", "wss://relay.example.com"),
        ("ws://relay.example.com:80/", "ws://relay.example.com"),
        ("wss://relay.example.com:80", "wss://relay.example.com:80"),
        ("ws://relay.example.com:0443", "ws://relay.example.com:443"),
        ("wss://relay.example.com.", "wss://relay.example.com"),
        ("wss://relay.example.com/Path/", "wss://relay.example.com/Path"),
        ("wss://relay.example.com/a//b//", "wss://relay.example.com/a//b"),
        ("wss://relay.example.com/%41", "wss://relay.example.com/%41"),
        ("wss://relay.example.com/?Key=a/", "wss://relay.example.com?Key=a/"),
        ("wss://relay.example.com/?", "wss://relay.example.com"),
        ("wss://relay.example.com/x#part", "wss://relay.example.com/x"),
        ("wss://bücher.example", "wss://xn--bcher-kva.example"),
        ("wss://BÜCHER。example。", "wss://xn--bcher-kva.example"),
        ("wss://[2001:DB8:0:0::1]:443/", "wss://[2001:db8::1]"),
        ("wss://[::1]:7777", "wss://[::1]:7777"),
        ("wss://my_relay.example.com", "wss://my_relay.example.com"),
    ],
)
def test_a_relay_has_one_spelling(given: str, normal: str) -> None:
    assert normalize(given) == normal


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ("relay.example.com", "does not start with wss"),
        ("https://relay.example.com", "does not start with wss"),
        ("w\u017fs://relay.example.com", "does not start with wss"),
        ("wss:relay.example.com", "does not start with wss"),
        ("", "does not start with wss"),
        ("wss://", "names no host"),
        ("wss://:443", "names no host"),
        ("wss://...", "names no host"),
        ("wss:///path", "names no host"),
        ("wss://bob@relay.example.com", "user name or password"),
        ("wss://relay.example.com:0", "port"),
        ("wss://relay.example.com:65536", "port"),
        ("wss://relay.example.com:٤٤٣", "port"),
        ("wss://relay.example.com:-1", "port"),
        ("wss://relay.example.com:1:2", "port"),
        (" wss://relay.example.com", "white space"),
        ("wss://relay.example.com\n", "white space"),
        ("wss://relay.example.com/\x00", "control"),
        ("wss://relay.example.com/\u202e", "control"),
        ("wss://relay.example.com/\ud800", "control"),
        ("wss://relay..example.com", "not a name"),
        ("wss://" + "a" * 64 + ".com", "not a name"),
        ("wss://" + "a." * 130 + "com", "not a name"),
        ("wss://relay.example.com%2f.evil.com", "not a name"),
        ("wss://relay.example.com\\.evil.com", "not a name"),
        ("wss://relay.example.com\uff0f.evil.com", "not a name"),
        ("wss://[::1", "malformed"),
        ("wss://[::1]x", "malformed"),
        ("wss://[1.2.3.4]", "not an IPv6"),
        ("wss://[v1.a]", "not an IPv6"),
        ("wss://[fe80::1%eth0]", "network interface"),
        ("wss://relay.example.com/" + "a" * 1000, "longer than 1000"),
    ],
)
def test_what_is_no_relay_url_is_refused_with_the_reason(given: str, reason: str) -> None:
    with pytest.raises(InvalidRelayUrl) as caught:
        normalize(given)
    assert reason in caught.value.reason


def test_a_url_of_the_greatest_length_is_taken() -> None:
    longest = "wss://relay.example.com/".ljust(relay_url.MAX_LENGTH, "a")
    assert normalize(longest) == longest


def test_a_url_that_punycode_makes_too_long_is_refused() -> None:
    url = "wss://bücher.example/".ljust(relay_url.MAX_LENGTH, "a")
    with pytest.raises(InvalidRelayUrl, match="longer than"):
        normalize(url)


@pytest.mark.parametrize(
    "url",
    [
        "wss://bob:hunter2@relay.example.com",
        "nsec1hunter2",
        "wss://relay.example.com/ NSEC1hunter2",
        "ncryptsec1hunter2",
    ],
)
def test_an_error_repeats_neither_password_nor_key(url: str) -> None:
    """Architecture, rule 7: a key never prints itself."""
    with pytest.raises(InvalidRelayUrl) as caught:
        normalize(url)
    assert "hunter2" not in f"{caught.value!s} {caught.value!r} {caught.value.url}"


def test_an_error_does_not_repeat_a_url_of_any_length() -> None:
    with pytest.raises(InvalidRelayUrl) as caught:
        normalize("x" * 100_000)
    assert len(str(caught.value)) < 300


@given(st.text() | _URLISH)
def test_any_text_is_normalised_once_for_all_or_refused(text: str) -> None:
    try:
        once = normalize(text)
    except InvalidRelayUrl:
        return
    assert normalize(once) == once
    assert len(once) <= relay_url.MAX_LENGTH
    assert is_local(once) in (True, False)


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LOCALHOST.",
        "relay.localhost",
        "printer.local",
        "db.internal",
        "router.home.arpa",
        "home.arpa",
        "nas.lan",
        "intranet",
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "169.254.169.254",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "0.0.0.0",  # noqa: S104
        "127.1",
        "0x7f.1",
        "0x7f000001",
        "127.0.0.0x1",
        "2130706433",
        "0177.0.0.1",
        "127.000.000.001",
        "\uff11\uff12\uff17.0.0.1",
        "127。0。0。1",
        "[::1]",
        "[::]",
        "[fc00::1]",
        "[fe80::1]",
        "[fec0::1]",
        "[ff02::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:a9fe:a9fe]",
        "[::127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "[2001:db8::1]",
    ],
)
def test_a_host_inside_a_network_is_local(host: str) -> None:
    assert is_local(f"wss://{host}")
    assert is_local(f"ws://{host}:7777/path")


@pytest.mark.parametrize(
    "host",
    [
        "relay.example.com",
        "localhost.example.com",
        "notlocal.com",
        "mylocal.dev",
        "127.0.0.1.example.com",
        "expyuzz4wqqyqhjn.onion",
        "8.8.8.8",
        "[2606:4700::1111]",
        "[::ffff:8.8.8.8]",
        "[2002:808:808::]",
        "xn--bcher-kva.example",
    ],
)
def test_a_host_of_the_public_network_is_not_local(host: str) -> None:
    assert not is_local(f"wss://{host}")


@given(st.ip_addresses(v=4, network="127.0.0.0/8") | st.ip_addresses(v=4, network="10.0.0.0/8"))
def test_no_spelling_of_a_private_address_gets_through(address: object) -> None:
    """The spellings that a system's `inet_aton` reads."""
    number = int(address)  # type: ignore[call-overload]
    a, b, c, d = number.to_bytes(4, "big")
    spellings = [
        f"{a}.{b}.{c}.{d}",
        f"{a}.{b}.{c << 8 | d}",
        f"{a}.{number & 0xFFFFFF}",
        str(number),
        hex(number),
        f"0{number:o}",
        f"{a:#x}.{b:#x}.{c:#x}.{d:#X}",
        f"0{a:o}.0{b:o}.0{c:o}.0{d:o}",
        f"[::ffff:{a}.{b}.{c}.{d}]",
    ]
    assert [text for text in spellings if not is_local(f"wss://{text}")] == []


def test_asking_whether_nonsense_is_local_is_refused() -> None:
    with pytest.raises(InvalidRelayUrl):
        is_local("localhost")


def test_its_public_names_are_all_there() -> None:
    assert all(hasattr(relay_url, name) for name in relay_url.__all__)
