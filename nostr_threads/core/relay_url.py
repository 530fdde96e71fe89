"""Relay URLs: one spelling for each relay, and which must not be dialled on a stranger's word.

Knows what a URL says. Knows nothing of what a name resolves to: no DNS is asked here.
"""

from __future__ import annotations

import ipaddress
import re
from functools import lru_cache

from nostr_threads.errors import InvalidRelayUrl

__all__ = ["MAX_LENGTH", "is_local", "normalize"]

MAX_LENGTH = 1000
_MAX_HOST_LENGTH = 253
_DEFAULT_PORTS = {"ws": 80, "wss": 443}

# RFC 3986 appendix B, cut down to what a relay has. `urllib.parse` is not used: it repairs and
# refuses different things from one Python to the next. ASCII, or a long s would pass for an s.
_URL = re.compile(
    r"(?P<scheme>wss?)://(?P<authority>[^/?#]*)(?P<path>[^?#]*)(?P<query>\?[^#]*)?(?:#.*)?",
    re.IGNORECASE | re.ASCII,
)
_AUTHORITY = re.compile(r"(?P<host>\[[^\[\]]*\]|[^:\[\]]*)(?::(?P<port>[0-9]*))?")
_HOST_NAME = re.compile(r"[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*")
# Whatever `idna` takes for a full stop.
_DOTS = ".\u3002\uff0e\uff61"

# Names that RFC 6762, 6761, 8375 or plain habit keep inside one network.
_LOCAL_DOMAINS = (
    *(".localhost", ".local", ".internal", ".home.arpa", ".lan", ".localdomain"),
    *(".home", ".corp", ".intranet", ".private", ".svc"),
)
# All that was ever given out for public use (RFC 4291); is_global alone lets site-local ones pass.
_PUBLIC_IPV6 = ipaddress.IPv6Network("2000::/3")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
# What an error must not repeat: a secret key pasted into the wrong place, a password.
_HIDDEN = re.compile(r"n(?:crypt)?sec\S*|//[^/\s]*@", re.IGNORECASE)
_SHOWN_LENGTH = 100


@lru_cache(maxsize=4096)
def normalize(url: str) -> str:
    """Return the one spelling of a `ws:` or `wss:` URL; normalising that again changes nothing.

    Scheme and host become lower case (IDNA as punycode); default port, fragment, dots after the
    host and slashes at the end of the path go; the rest of the path and the query stay as they are.
    Raises `InvalidRelayUrl` for anything else, for user names, and over `MAX_LENGTH` characters.
    """
    try:
        return _normalize(url)
    except ValueError as error:
        raise InvalidRelayUrl(_shown(url), str(error)) from None


def is_local(url: str) -> bool:
    """Whether the host must not be dialled merely because a stranger's hint named it.

    True for names and addresses that are not public: local domains, single labels, and IPs that are
    private, loopback, link-local, multicast, reserved or unspecified, also inside IPv6. An IPv4
    address in any but the plain spelling is local whatever it means, since resolvers differ over
    it. No DNS is asked: a public name may still lead to a private address.
    Raises `InvalidRelayUrl`.
    """
    host = _host_of(normalize(url))
    if host.startswith("["):
        return _is_local_ip(ipaddress.IPv6Address(host[1:-1]))
    try:
        return _is_local_ip(ipaddress.IPv4Address(host))
    except ValueError:
        return _is_local_name(host)


def _normalize(url: str) -> str:
    """Do the work of `normalize`; every fault is a ValueError that says the reason."""
    if len(url) > MAX_LENGTH:
        raise ValueError(f"it is longer than {MAX_LENGTH} characters")
    if not url.isprintable() or any(char.isspace() for char in url):
        raise ValueError("it holds white space or control characters")
    if (parts := _URL.fullmatch(url)) is None:
        raise ValueError("it does not start with wss:// or ws://")
    scheme = parts["scheme"].lower()
    authority = _normal_authority(scheme, parts["authority"])
    query = parts["query"] or ""
    made = f"{scheme}://{authority}{parts['path'].rstrip('/')}{query if query != '?' else ''}"
    if len(made) > MAX_LENGTH:  # punycode can be longer than what it stands for
        raise ValueError(f"it is longer than {MAX_LENGTH} characters")
    return made


def _normal_authority(scheme: str, authority: str) -> str:
    if "@" in authority:
        raise ValueError("it holds a user name or password")
    if (parts := _AUTHORITY.fullmatch(authority)) is None:
        raise ValueError("its host or port is malformed")
    host = _normal_host(parts["host"])
    if not parts["port"]:
        return host
    port = int(parts["port"])
    if not 0 < port < 2**16:
        raise ValueError("its port is not between 1 and 65535")
    return host if port == _DEFAULT_PORTS[scheme] else f"{host}:{port}"


def _normal_host(host: str) -> str:
    if host.startswith("["):
        return f"[{_ipv6(host[1:-1])}]"
    try:
        name = host.rstrip(_DOTS).encode("idna").decode("ascii").lower()
    except UnicodeError:
        raise ValueError("its host is not a name that can be looked up") from None
    if not name:
        raise ValueError("it names no host")
    # Checked after IDNA, which turns look-alikes of `/`, `@` or `.` into the real thing.
    if len(name) > _MAX_HOST_LENGTH or _HOST_NAME.fullmatch(name) is None:
        raise ValueError("its host is not a name that can be looked up")
    return name


def _ipv6(text: str) -> ipaddress.IPv6Address:
    try:
        address = ipaddress.IPv6Address(text)
    except ValueError:
        raise ValueError("its host is not an IPv6 address") from None
    if address.scope_id is not None:
        raise ValueError("its host names a network interface of one machine")
    return address


def _host_of(normal: str) -> str:
    parts = _URL.fullmatch(normal)
    inner = _AUTHORITY.fullmatch(parts["authority"]) if parts else None
    return inner["host"] if inner else ""


def _is_local_ip(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    if isinstance(address, ipaddress.IPv6Address):
        # Both carry an IPv4 address that is the one really dialled.
        if (inner := address.ipv4_mapped or address.sixtofour) is not None:
            return _is_local_ip(inner)
        return address not in _PUBLIC_IPV6 or not address.is_global
    return not address.is_global or address.is_multicast or address.is_reserved


def _is_local_name(host: str) -> bool:
    labels = host.split(".")
    # No public top-level domain is a number: 127.1, 0x7f.1 and 0177.0.0.1 are addresses.
    if len(labels) == 1 or _NUMBER.fullmatch(labels[-1]):
        return True
    return f".{host}".endswith(_LOCAL_DOMAINS)


def _shown(url: str) -> str:
    """Return what an error may repeat of `url`."""
    text = _HIDDEN.sub("[hidden]", url[:MAX_LENGTH])
    return text if len(text) <= _SHOWN_LENGTH else f"{text[:_SHOWN_LENGTH]}…"
