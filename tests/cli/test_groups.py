"""Options that belong together, laid open for typer."""

from __future__ import annotations

from dataclasses import dataclass
from inspect import signature
from typing import Annotated

import typer
from typer.testing import CliRunner

from nostr_threads.cli.groups import grouped


@dataclass(frozen=True, slots=True, kw_only=True)
class Common:
    name: Annotated[str, typer.Option("--name", help="Whose.")] = "nobody"


@dataclass(frozen=True, slots=True, kw_only=True)
class Loud(Common):
    shout: Annotated[bool, typer.Option("--shout", help="Loudly.")] = False


@grouped
def greet(word: Annotated[str, typer.Argument()], loud: Loud) -> None:
    """Greet."""
    said = f"{word} {loud.name}"
    typer.echo(said.upper() if loud.shout else said)


def run(*words: str) -> str:
    app = typer.Typer()
    app.command()(greet)
    return CliRunner().invoke(app, words).output


def test_each_field_of_a_group_is_an_option_also_those_it_inherits() -> None:
    assert list(signature(greet).parameters) == ["word", "name", "shout"]
    assert run("hello", "--name", "Ann", "--shout") == "HELLO ANN\n"
    help_text = run("--help")
    assert "--shout" in help_text
    assert "Whose." in help_text


def test_what_is_not_given_has_the_default_of_its_field() -> None:
    assert run("hello") == "hello nobody\n"
    greet(word="hello")
