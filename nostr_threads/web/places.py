"""The addresses of the viewer's pages, made and read.

Knows which path leads where. Knows nothing of what is there.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from urllib.parse import urlencode

from nostr_threads.app.fetch import pointer
from nostr_threads.core.references import parse_address
from nostr_threads.errors import InvalidCode
from nostr_threads.render.html.links import anchor
from nostr_threads.render.wording import code_of, npub

__all__ = ["InViewer", "article_path", "key_of", "note_path", "person_path", "thread_path"]

# What is not on Nostr itself (NIP-73), such as a web page.
_EXTERNAL = "x-"


def thread_path(key: str, *, page: int = 1, at: str = "", form: str = "") -> str:
    """Return where the thread of a root's key is; `at` is the key of the note to go to.

    `form` is the form that is wanted; see `forms`.
    """
    asked = {"page": page if page > 1 else "", "format": form}
    query = urlencode({name: value for name, value in asked.items() if value})
    path = f"/t/{_named(key)}" + (f"?{query}" if query else "")
    return f"{path}#{anchor(at)}" if at else path


def note_path(key: str) -> str:
    """Return where it is found out in which thread, and on which page of it, a note is."""
    return f"/n/{_named(key)}"


def article_path(key: str) -> str:
    """Return where a long text is by itself."""
    return f"/a/{_named(key)}"


def person_path(pubkey: str) -> str:
    """Return where somebody's notes are."""
    return f"/p/{npub(pubkey)}"


def key_of(named: str) -> str:
    """Return the key that a path names: that of a code, an id, an address or an external id.

    A code may be any that `nip19.parse_event` takes, with or without `nostr:`. Raises `InvalidCode`
    for everything else.
    """
    if named.startswith(_EXTERNAL):
        try:
            return urlsafe_b64decode(named.removeprefix(_EXTERNAL) + "==").decode()
        except ValueError:
            raise InvalidCode("this names nothing") from None
    return named if parse_address(named) is not None else pointer(named).key


class InViewer:
    """The links of the viewer's pages."""

    def note(self, key: str) -> str:
        """Return where a note is shown in its thread."""
        return note_path(key)

    def article(self, key: str) -> str:
        """Return where a long text can be read by itself."""
        return article_path(key)

    def person(self, pubkey: str) -> str:
        """Return where more is said of somebody."""
        return person_path(pubkey)

    def hashtag(self, name: str) -> str:
        """Return where all notes of a hashtag are."""
        return f"/search?{urlencode({'q': f'#{name}'})}"

    def picture(self, url: str) -> str:
        """Return the frame in which a picture is shown once somebody asks for it."""
        return f"/picture?{urlencode({'url': url})}"


def _named(key: str) -> str:
    """Return what names a key in a path: its code, or else its bytes, which look like no code."""
    return code_of(key) or _EXTERNAL + urlsafe_b64encode(key.encode()).decode().rstrip("=")
