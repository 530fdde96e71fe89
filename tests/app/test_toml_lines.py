"""In which line of a TOML file each key stands."""

from __future__ import annotations

import json
import tomllib
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nostr_threads.app.toml_lines import line_of, lines_of

if TYPE_CHECKING:
    from nostr_threads.app.toml_lines import Place

FILE = """\
# [bot] is not here
[bot]
name = "a # b = [c]"   # name = 2
relays = [
  "wss://a",  # one
  # none
  "wss://b"
]

[[rule]]
name = '''
[[rule]]
name = "no"
'''
when.words = ["x", "y"]
when.question = true

[[rule]]
"name" = \"\"\"a \\\"\"\" [b]\"\"\"\"
when = { words = ["x", { }], "min_length" = 5, regex = 'a=b' }
[rule.answer]
text = 1979-05-27 07:32:00
[[rule.more]]
x = 1
[[rule.more]]
x = [[1, 2],
     [3]]
[guards]
"""


@pytest.mark.parametrize(
    ("place", "line"),
    [
        (("bot",), 2),
        (("bot", "name"), 3),
        (("bot", "relays"), 4),
        (("bot", "relays", 0), 5),
        (("bot", "relays", 1), 7),
        (("rule",), 10),
        (("rule", 0), 10),
        (("rule", 0, "name"), 11),
        (("rule", 0, "when"), 15),
        (("rule", 0, "when", "words", 1), 15),
        (("rule", 0, "when", "question"), 16),
        (("rule", 1), 18),
        (("rule", 1, "name"), 19),
        (("rule", 1, "when"), 20),
        (("rule", 1, "when", "words", 1), 20),
        (("rule", 1, "when", "min_length"), 20),
        (("rule", 1, "when", "regex"), 20),
        (("rule", 1, "answer"), 21),
        (("rule", 1, "answer", "text"), 22),
        (("rule", 1, "more", 0, "x"), 24),
        (("rule", 1, "more", 1), 25),
        (("rule", 1, "more", 1, "x", 1, 0), 27),
        (("guards",), 28),
    ],
)
def test_each_key_is_found(place: Place, line: int) -> None:
    tomllib.loads(FILE)
    assert line_of(FILE, place) == lines_of(FILE)[place] == line


def test_of_what_is_not_there_the_nearest_around_it_is_told() -> None:
    assert line_of(FILE, ("rule", 0, "answer", "text")) == 10
    assert line_of(FILE, ("bot", "name", "x")) == 3
    assert line_of(FILE, ("other",)) is None
    assert line_of(FILE, ()) is None
    assert line_of("", ("x",)) is None


def test_line_breaks_of_windows_count_once() -> None:
    assert line_of(FILE.replace("\n", "\r\n"), ("rule", 1, "name")) == 19


# A file is written in one of the many ways there are, and each key's line kept as it is written.
_KEYS = st.one_of(
    st.sampled_from(("name", "rule", "a-b", "1", "x y", "[[", 'q"', "#", "=", "é")),
    st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=4),
)
_LEAVES = st.one_of(
    st.integers(-9, 9),
    st.booleans(),
    st.sampled_from(('a"b', "[[x]]", "a = 1", "# no", "x\ny = 2\n[z]\n", "'", '"""', "\\", "}")),
)
_TREES = st.dictionaries(
    _KEYS,
    st.recursive(
        _LEAVES,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=3),
        max_leaves=8,
    ),
    max_size=4,
)


class _Writer:
    def __init__(self, draw: st.DrawFn) -> None:
        self._draw = draw
        self.text = ""
        self.lines: dict[Place, int] = {}

    def table(self, tree: dict[str, Any], place: Place, name: str) -> None:
        headed = [
            key
            for key, value in tree.items()
            if (isinstance(value, dict) or _is_tables(value)) and self._coin()
        ]
        for key, value in tree.items():
            if key not in headed:
                self._pair(value, (*place, key))
                self.text += self._any("\n", " # x = [\n", "\n\n")
        for key in headed:
            self._headed(tree[key], (*place, key), f"{name}.{_key(key)}".lstrip("."))

    def _headed(self, value: Any, place: Place, name: str) -> None:
        tables = [(f"[{name}]", value, place)]
        if isinstance(value, list):
            tables = [(f"[[{name}]]", each, (*place, at)) for at, each in enumerate(value)]
        for header, each, at in tables:
            self._here(place)
            self._here(at)
            self.text += header + self._any("\n", "  # [[x]]\n")
            self.table(each, at, name)

    def _pair(self, value: Any, place: Place) -> None:
        self._here(place)
        self.text += _key(place[-1])
        while isinstance(value, dict) and len(value) == 1 and self._coin():
            ((key, value),) = value.items()
            place = (*place, key)
            self._here(place)
            self.text += self._any(".", " . ") + _key(key)
        self.text += self._any(" = ", "=")
        self._value(value, place)

    def _value(self, value: Any, place: Place) -> None:
        if isinstance(value, list):
            self.text += "["
            for index, each in enumerate(value):
                self.text += self._any("", "\n  ", " # ]\n")
                self._here((*place, index))
                self._value(each, (*place, index))
                self.text += "," if index < len(value) - 1 or self._coin() else ""
            self.text += self._any("]", "\n]")
        elif isinstance(value, dict):
            self.text += "{ "
            for index, (key, each) in enumerate(value.items()):
                self.text += ", " if index else ""
                self._pair(each, (*place, key))
            self.text += " }"
        else:
            self.text += self._leaf(value)

    def _leaf(self, value: Any) -> str:
        if not isinstance(value, str):
            return json.dumps(value)
        forms = [json.dumps(value)]
        if "'" not in value:
            forms.append(f"'''{value}'''")
        if "\\" not in value and '"""' not in value and not value.endswith('"'):
            forms.append(f'"""{value}"""')
        return self._any(*forms)

    def _here(self, place: Place) -> None:
        self.lines.setdefault(place, self.text.count("\n") + 1)

    def _coin(self) -> bool:
        return self._draw(st.booleans())

    def _any(self, *texts: str) -> str:
        return self._draw(st.sampled_from(texts))


def _is_tables(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(each, dict) for each in value)


def _key(key: object) -> str:
    text = str(key)
    is_bare = text.isascii() and text.replace("-", "").isalnum()
    return text if is_bare else json.dumps(text, ensure_ascii=False)


@st.composite
def written(draw: st.DrawFn) -> tuple[str, dict[Place, int], dict[str, Any]]:
    tree = draw(_TREES)
    writer = _Writer(draw)
    writer.table(tree, (), "")
    return writer.text, writer.lines, tree


@given(written())
def test_however_a_file_is_written_each_key_is_found(
    made: tuple[str, dict[Place, int], dict[str, Any]],
) -> None:
    text, lines, tree = made
    assert tomllib.loads(text) == tree
    assert lines_of(text) == lines
