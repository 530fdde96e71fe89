"""HTML as a browser's parser takes it apart, as far as tests want to know."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

__all__ = ["Element", "parsed"]

_VOID = frozenset(("br", "hr", "meta", "link", "input", "img"))


@dataclass(slots=True)
class Element:
    """One element with what is in it: texts and elements in their order."""

    name: str
    attributes: dict[str, str | None]
    inside: list[Element | str] = field(default_factory=list)

    @property
    def classes(self) -> list[str]:
        return (self.attributes.get("class") or "").split()

    @property
    def text(self) -> str:
        return "".join(each if isinstance(each, str) else each.text for each in self.inside)

    def all(self) -> list[Element]:
        """Return the elements in it, however deep, in the order of the document."""
        found: list[Element] = []
        waiting = [each for each in reversed(self.inside) if isinstance(each, Element)]
        while waiting:
            element = waiting.pop()
            found.append(element)
            waiting += [each for each in reversed(element.inside) if isinstance(each, Element)]
        return found

    def named(self, name: str, class_: str = "") -> list[Element]:
        return [
            each
            for each in self.all()
            if each.name == name and (not class_ or class_ in each.classes)
        ]


class _Parser(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.top = Element("", {})
        self._open = [self.top]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"{tag} says {names}"
        element = Element(tag, dict(attrs))
        self._open[-1].inside.append(element)
        if tag not in _VOID:
            self._open.append(element)

    def handle_endtag(self, tag: str) -> None:
        assert self._open[-1].name == tag, f"</{tag}> ends <{self._open[-1].name}>"
        self._open.pop()

    def handle_data(self, data: str) -> None:
        self._open[-1].inside.append(data)

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data}")


def parsed(page: str) -> Element:
    """Take a page apart; every element must be closed, in order, where it was opened."""
    parser = _Parser()
    parser.feed(page)
    parser.close()
    assert parser._open == [parser.top], [each.name for each in parser._open]
    return parser.top
