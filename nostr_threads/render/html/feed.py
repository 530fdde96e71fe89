"""Notes as an Atom feed (RFC 4287): each an entry that leads to its place.

Knows Atom. Knows nothing of what is put into it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from markupsafe import Markup

from nostr_threads.core.nip19 import Note, encode
from nostr_threads.render.html.entries import Entry, time_of
from nostr_threads.render.html.flat import flat
from nostr_threads.render.html.links import InFile
from nostr_threads.render.listing import called
from nostr_threads.render.wording import author

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nostr_threads.core.event import Verified
    from nostr_threads.render.html.entries import Stretch
    from nostr_threads.render.setting import Setting

__all__ = ["feed_of"]

_ATOM = "http://www.w3.org/2005/Atom"
# What no document of XML 1.0 may hold, and `printable` leaves as it is.
_NO_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_DECLARED = '<?xml version="1.0" encoding="utf-8"?>\n'
_QUOTED = Markup("<blockquote>{}</blockquote>")
_EARLIEST = "1970-01-01T00:00:00Z"


def feed_of(title: str, base: str, path: str, events: Sequence[Verified], setting: Setting) -> str:
    """Return the feed of a page at `path` under `base`, the newest of `events` first."""
    top = ET.Element("feed", xmlns=_ATOM)
    here = base.rstrip("/") + path
    dates = [iso for event in events if (iso := time_of(event.created_at, None).iso)]
    _text(top, "id", here)
    _text(top, "title", title)
    _text(top, "updated", max(dates, default=_EARLIEST))
    ET.SubElement(top, "link", rel="self", href=f"{here}?format=atom")
    ET.SubElement(top, "link", rel="alternate", href=here)
    for event, entry in zip(events, flat(events, setting, InFile(())), strict=True):
        if isinstance(entry, Entry):
            _entry(top, base.rstrip("/"), event, entry, setting)
    return _DECLARED + ET.tostring(top, encoding="unicode")


def _entry(top: ET.Element, base: str, event: Verified, entry: Entry, setting: Setting) -> None:
    code = encode(Note(event.id))
    made = ET.SubElement(top, "entry")
    # The event's own name: it stays the same wherever the viewer runs.
    _text(made, "id", f"nostr:{code}")
    _text(made, "title", entry.warning or called(event.id, event, setting))
    _text(made, "updated", entry.time.iso if entry.time and entry.time.iso else _EARLIEST)
    _text(ET.SubElement(made, "author"), "name", author(event.pubkey, setting))
    ET.SubElement(made, "link", rel="alternate", href=f"{base}/n/{code}")
    if not entry.warning:
        content = "".join(_html(entry, stretch) for stretch in entry.body)
        _text(made, "content", content).set("type", "html")


def _html(entry: Entry, stretch: Stretch) -> str:
    if stretch.quotation is not None:
        return str(_QUOTED.format(stretch.quotation.words))
    # Outside of our pages nobody knows that lines end where its author ended them.
    text = str(stretch.html)
    return text if entry.is_markdown else text.replace("\n", "<br>\n")


def _text(parent: ET.Element, name: str, text: str) -> ET.Element:
    element = ET.SubElement(parent, name)
    element.text = _NO_XML.sub("\ufffd", text)
    return element
