"""Answers from templates: what they see, and what neither they nor a stranger can do."""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from nostr_threads.app.bots.answering import answering
from nostr_threads.core.article import Form
from nostr_threads.core.bots.asks import Answer
from nostr_threads.core.bots.specs import TemplateOf
from nostr_threads.errors import AnswerFailed, InvalidConfig, InvalidInput
from tests.core.bots.asking import ALICE, asking, asking_in_a_thread

if TYPE_CHECKING:
    from pathlib import Path

HOSTILE = "{{ 7 * 7 }} {% for x in y %} {{ note.__class__ }} %s {0.__class__} <b>&</b>"


async def filled(template: str, folder: Path, text: str = "Hi") -> str | None:
    answer = await answering(TemplateOf(text=template), folder).answer(
        asking(text, **{ALICE.pubkey: "Al"})
    )
    return answer.text if answer is not None else None


async def test_it_sees_the_note_its_author_and_the_thread(tmp_path: Path) -> None:
    ask = replace(asking_in_a_thread(), names={ALICE.pubkey: "Al"})
    template = (
        "{{ author.name }} asks {{ note.text }} ({{ note.kind }}, {{ note.code[:7] }}) at"
        " {{ now }};"
        "{% for line in thread if line.author.name == 'Al' %} {{ loop.index }} {{ line.depth }}"
        " {{ line.text | upper }}{% endfor %} of {{ thread | length }}\n"
    )
    bot = answering(TemplateOf(text=template), tmp_path, form=Form.NOTE)
    text = f"Al asks Why? (1, nevent1) at {ask.now}; 1 2 WHY? of 6"
    assert await bot.answer(ask) == Answer(text, Form.NOTE)


async def test_what_a_stranger_writes_is_text_and_nothing_else(tmp_path: Path) -> None:
    assert await filled("{{ note.text }}|{{ note.text ~ '' }}", tmp_path, HOSTILE) == (
        f"{HOSTILE}|{HOSTILE}"
    )


@pytest.mark.parametrize(
    "template", ["{# nothing #}", " {{ '' }}\n", "{% if now < 0 %}x{% endif %}"]
)
async def test_nothing_is_silence(template: str, tmp_path: Path) -> None:
    assert await filled(template, tmp_path) is None


@pytest.mark.parametrize(
    "template",
    [
        "{{ note.__class__ }}",
        "{{ note['__class__'] }}",
        "{{ ''.__class__.__mro__ }}",
        "{{ note.text.__init__.__globals__ }}",
        "{{ self.__init__ }}",
        "{{ [note] | map(attribute='__class__') | first }}",
        "{{ [note] | sum(attribute='__dict__') }}",
        "{{ [note] | selectattr('__class__') | list }}",
        "{{ (range(3) | list).append(4) }}",
        "{{ '{0.__class__}'.format(note) }}",
        "{{ '{a}'.format_map(a) }}",
        "{{ lipsum }}",
        "{{ cycler }}",
        "{{ namespace }}",
        "{{ nope }}",
        "{{ author.secret }}",
        "{{ undefined.attribute }}",
    ],
)
async def test_no_attribute_leads_anywhere(template: str, tmp_path: Path) -> None:
    with pytest.raises(AnswerFailed, match="line 3 of the template: ") as caught:
        await filled(f"a\n\n{template}", tmp_path)
    assert "Traceback" not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("{% for a in range(10 ** 9) %}{% endfor %}", "Range too big"),
        ("{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}", "steps"),
        (
            "{% macro m(n) %}{% if n %}{{ m(n - 1) }}{{ m(n - 1) }}{% endif %}{% endmacro %}"
            "{{ m(40) }}",
            "steps",
        ),
        ("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "recursion"),
        ("{{ 'x' * 10 ** 9 }}", "only numbers"),
        ("{{ note.text * 999999999 }}", "only numbers"),
        ("{{ [1] * 99999999 }}", "only numbers"),
        ("{{ 10 ** 10 ** 10 }}", "power"),
        ("{{ 10000000 ** 64 }}", "power"),
        ("{{ '%999999999d' % 1 }}", "width"),
        ("{{ '%*d' % (999999999, 1) }}", "width"),
        ("{{ 'x'.ljust(999999999) }}", "unsafe"),
        ("{{ 1 / 0 }}", "division by zero"),
    ],
)
async def test_it_ends_soon_whatever_is_in_it(template: str, words: str, tmp_path: Path) -> None:
    began = time.monotonic()
    with pytest.raises(AnswerFailed, match=words):
        await filled(template, tmp_path)
    assert time.monotonic() - began < 20


async def test_it_gives_no_more_than_is_allowed(tmp_path: Path) -> None:
    template = "{% for a in range(9999) %}{{ note.text }}{% endfor %}"
    with pytest.raises(AnswerFailed, match="more than 200,000 characters"):
        await filled(template, tmp_path, "x" * 100)
    assert await filled(template, tmp_path, "x" * 20) == "x" * 9999 * 20


@pytest.mark.parametrize(
    ("template", "line", "words"),
    [
        ("a\n{% for x in %}", 2, "Expected an expression"),
        ("a\nb\n{% if x %}", 3, "Unexpected end of template"),
        ("\n{% include '/etc/passwd' %}", 2, "reads no other file"),
        ("{% import 'x' as x %}", 1, "reads no other file"),
        ("{% from 'x' import y %}", 1, "reads no other file"),
        ("{% extends 'x' %}", 1, "reads no other file"),
        ("\n{{ note | attr('text') }}", 2, "No filter named 'attr'"),
        ("{{ 'a' | center(999999999) }}", 1, "No filter named 'center'"),
    ],
)
def test_what_is_no_template_is_refused_with_its_line(
    template: str, line: int, words: str, tmp_path: Path
) -> None:
    (tmp_path / "t.j2").write_text(template, "utf-8")
    with pytest.raises(InvalidConfig, match=words) as caught:
        answering(TemplateOf(path="t.j2"), tmp_path)
    assert (caught.value.path, caught.value.line) == (tmp_path / "t.j2", line)


async def test_one_in_a_file_is_read_anew_each_time(tmp_path: Path) -> None:
    file = tmp_path / "t.j2"
    file.write_text("One {{ note.text }}", "utf-8")
    bot = answering(TemplateOf(path="t.j2"), tmp_path)
    assert await bot.answer(asking("Hi")) == Answer("One Hi")
    file.write_text("Two {{ note.text }}", "utf-8")
    assert await bot.answer(asking("Hi")) == Answer("Two Hi")
    file.write_text("{% if %}", "utf-8")
    with pytest.raises(InvalidConfig, match=r"t\.j2:1"):
        await bot.answer(asking("Hi"))
    file.write_text("Two {{ note.text }}", "utf-8")
    assert await bot.answer(asking("Hi")) == Answer("Two Hi")


@pytest.mark.parametrize("spec", [TemplateOf(), TemplateOf(text="a", path="b")])
def test_it_is_a_text_or_a_file(spec: TemplateOf, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="either"):
        answering(spec, tmp_path)


async def test_each_answer_has_its_own_steps(tmp_path: Path) -> None:
    template = "{% for a in range(60000) %}{% endfor %}x"
    bot = answering(TemplateOf(text=template), tmp_path)
    for _ in range(3):
        assert await bot.answer(asking("Hi")) == Answer("x")


def test_without_jinja2_its_extra_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delitem(sys.modules, "nostr_threads.app.bots.templates", raising=False)
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(InvalidInput, match=r"pip install 'nostr-threads\[bots\]'"):
        answering(TemplateOf(text="x"), tmp_path)
