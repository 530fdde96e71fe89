"""bot.toml: what may stand in it, and where each mistake is found."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nostr_threads.app.bots.botfile import BotFile, parse_bot, read_bot
from nostr_threads.app.bots.tables import seconds_in
from nostr_threads.core.article import Form
from nostr_threads.core.bots.budgets import Budgets
from nostr_threads.core.bots.guards import Known, Limits
from nostr_threads.core.bots.never import Never
from nostr_threads.core.bots.patterns import Pattern
from nostr_threads.core.bots.quiet import Quiet
from nostr_threads.core.bots.saying import Says
from nostr_threads.core.bots.specs import (
    BankOf,
    CommandOf,
    FileOf,
    ModelOf,
    PluginOf,
    PythonOf,
    Spec,
    TemplateOf,
    TextOf,
)
from nostr_threads.core.bots.ways import Listening, Way
from nostr_threads.core.bots.when import Match, Rule, When
from nostr_threads.core.entities import Address, EventPointer, PublicKey
from nostr_threads.core.nip19 import encode
from nostr_threads.errors import InvalidConfig, InvalidInput

PATH = Path("/bots/faq.toml")
ANN, BOB, NOTE = "aa" * 32, "bb" * 32, "11" * 32
NPUB = encode(PublicKey(ANN))
NEVENT = encode(EventPointer(NOTE))
NADDR = encode(Address(30023, ANN, "faq"))
RULE = '[[rule]]\nname = "x"\nanswer = { text = "hi" }\n'

FULL = f"""
[bot]
name = "helper"
key = "faq"
relays = ["wss://Relay.example/", "wss://relay.example"]
listen = ["mentions", "tagged"]
hashtags = ["#AskNostr"]
threads = ["{NEVENT}", "{NADDR}"]
authors = ["{NPUB}", "{BOB}"]
kinds = [1, 30023]
match = "all"
catch_up = "12h"
pace = "2.5s"
at_once = 2
kill_file = "stop"
mark = false

[guards]
allow = "{NPUB}"
deny = ["{BOB}"]
allow_bots = true
allow_content_warnings = true
too_fast = "5s"
depth = 5
future = "1m"
quiet = ["23:00-07:00", "12:00-13:00"]
timezone = "Europe/Berlin"
known = "whole"
whole = 2
pause = "1500ms"

[budgets]
per_author_hour = 1
per_author_day = 2
per_thread = 3
per_author_thread = 4
per_hour = 5
per_day = 6
total = 7

[says]
most_characters = 100
most_mentions = 0
most_quotes = 1
most_hashtags = 2
never = ["internal", "/x+y/", "{NPUB}"]

[[rule]]
name = "first"
as = "auto"
title = "Title"
content_warning = ""
[rule.when]
ways = ["mention", "thread"]
kinds = [1]
regex = ["a+b", "c"]
exact = true
words = "help"
all_words = ["a", "b"]
question = false
authors = ["{NPUB}"]
not_authors = ["{BOB}"]
hashtags = ["Ask"]
min_length = 0
max_length = 500
[rule.answer]
text = "yes"

[[rule]]
name = "second"
as = "article"
answer.file = "yes.md"
"""


def parsed(text: str) -> BotFile:
    return parse_bot(text, PATH)


def test_everything_can_be_said() -> None:
    assert parsed(FULL) == BotFile(
        name="helper",
        path=str(PATH),
        key="faq",
        relays=("wss://relay.example",),
        listening=Listening(
            frozenset((Way.MENTION, Way.TAGGED)),
            frozenset(("asknostr",)),
            frozenset((ANN, BOB)),
            frozenset((NOTE, f"30023:{ANN}:faq")),
            (1, 30023),
        ),
        match=Match.ALL,
        rules=(
            Rule(
                "first",
                TextOf("yes"),
                When(
                    ways=frozenset((Way.MENTION, Way.THREAD)),
                    kinds=frozenset((1,)),
                    authors=frozenset((ANN,)),
                    not_authors=frozenset((BOB,)),
                    hashtags=frozenset(("ask",)),
                    min_length=0,
                    max_length=500,
                    question=False,
                    words=("help",),
                    all_words=("a", "b"),
                    patterns=(Pattern("a+b", exact=True), Pattern("c", exact=True)),
                ),
                form=None,
                title="Title",
                content_warning="",
            ),
            Rule("second", FileOf("/bots/yes.md"), form=Form.ARTICLE),
        ),
        limits=Limits(
            allow=frozenset((ANN,)),
            deny=frozenset((BOB,)),
            allow_bots=True,
            allow_content_warnings=True,
            too_fast=5,
            depth=5,
            catch_up=43_200,
            future=60,
            quiet=(Quiet(1380, 420), Quiet(720, 780)),
            zone=ZoneInfo("Europe/Berlin"),
            known=Known.WHOLE,
            whole=2,
            pause=1.5,
        ),
        budgets=Budgets(1, 2, 3, 4, 5, 6, 7),
        says=Says(100, 0, 1, 2, (Never("internal"), Never(pattern=Pattern("x+y")), Never(key=ANN))),
        at_once=2,
        pace=2.5,
        kill_file="/bots/stop",
        marks=False,
    )


def test_a_rule_is_all_that_is_needed() -> None:
    assert parsed(RULE) == BotFile(
        name="faq", path=str(PATH), rules=(Rule("x", TextOf("hi"), form=Form.THREAD),)
    )
    assert parsed(RULE).limits == Limits(zone=UTC)


def test_to_listen_to_no_calls_can_be_said() -> None:
    assert parsed(f"[bot]\nlisten = []\nhashtags = 'x'\n{RULE}").listening.ways == frozenset()
    assert parsed(RULE).listening.ways == {Way.MENTION, Way.REPLY}


@pytest.mark.parametrize(
    ("answer", "spec"),
    [
        ('text = "a"', TextOf("a")),
        ('file = "a.md"', FileOf("/bots/a.md")),
        ('file = "/etc/a.md"', FileOf("/etc/a.md")),
        ('bank = "answers"', BankOf("/bots/answers")),
        ('bank = "answers", threshold = 1', BankOf("/bots/answers", 1.0)),
        ('template = "hi {{ author.name }}"', TemplateOf(text="hi {{ author.name }}")),
        ('template_file = "a.j2"', TemplateOf(path="/bots/a.j2")),
        ('command = ["python3", "x.py"]', CommandOf(("python3", "x.py"))),
        (
            'command = "./x", timeout = "5s", most = 10, environment = ["TOKEN"]',
            CommandOf(("./x",), 5.0, 10, ("TOKEN",)),
        ),
        ('python = "my.module:make"', PythonOf("my.module:make")),
        ('python = "m:a.b", timeout = "1m"', PythonOf("m:a.b", 60.0)),
        ('plugin = "weather", timeout = "0.5s"', PluginOf("weather", 0.5)),
        ('model = ""', ModelOf()),
        (
            'model = "gpt", system = "be kind", context = 0, continued = 0, timeout = "9s"',
            ModelOf("gpt", "be kind", 0, 0, 9.0),
        ),
    ],
)
def test_each_source_of_answers_is_read(answer: str, spec: Spec) -> None:
    text = f'[[rule]]\nname = "x"\nanswer = {{ {answer} }}\n'
    assert parsed(text).rules[0].answer == spec


def wrong(text: str) -> InvalidConfig:
    with pytest.raises(InvalidConfig) as caught:
        parsed(text)
    assert str(caught.value).startswith(str(PATH))
    return caught.value


MISTAKES: list[tuple[str, str, str]] = [
    # what stands in the file, in which of its lines the mistake is (marked `!`), what is said
    ("", "x = 1", "x: unknown key"),
    ("", "[bots]", "bots: unknown key; known here: bot"),
    ("", "bot = 1", "bot: a table is wanted"),
    ("", "rule = 1", "rule: it is written [[rule]]"),
    ("", "rule = [1]", "rule 1: a table is wanted"),
    ("[bot]", "nam = 'x'", "bot.nam: unknown key; known here: name"),
    ("[bot]", "name = 1", "bot.name: text in quotes is wanted"),
    ("[bot]", "name = ''", "bot.name: text in quotes is wanted"),
    ("[bot]", "name = 'a b'", "bot.name: a bot's name is of at most 64"),
    ("[bot]", f"name = '{'a' * 65}'", "bot.name: a bot's name"),
    ("[bot]", f"key = '{'AB' * 32}'", "bot.key: a key is named here"),
    ("[bot]", "relays = 'x y'", "bot.relays 1: cannot use relay"),
    ("[bot]\nrelays = ['wss://a.example',", "'http://x']", "bot.relays 2: cannot use relay"),
    ("[bot]", "relays = [1]", "bot.relays 1: a text in quotes"),
    ("[bot]", "relays = 1", "bot.relays: a list of texts"),
    ("[bot]", "listen = ['mention']", "bot.listen 1: one of mentions, replies, tagged is"),
    ("[bot]", "hashtags = ['a b']", "bot.hashtags 1: a hashtag is one word"),
    ("[bot]", "hashtags = ['#']", "bot.hashtags 1: a hashtag is one word"),
    ("[bot]", "threads = ['x']", "bot.threads 1: "),
    ("[bot]", f"threads = ['{NPUB}']", "bot.threads 1: this is a public key"),
    ("[bot]", f"authors = ['{NEVENT}']", "bot.authors 1: this is an event"),
    ("[bot]", "kinds = 1", "bot.kinds: a list of whole numbers"),
    ("[bot]", "kinds = [1, -1]", "bot.kinds 2: a whole number"),
    ("[bot]", "kinds = [65536]", "bot.kinds 1: a whole number"),
    ("[bot]", "kinds = [true]", "bot.kinds 1: a whole number"),
    ("[bot]", "kinds = []", "bot.kinds: there is nothing in this list"),
    ("[guards]", "allow = []", "guards.allow: there is nothing in this list"),
    *(
        (RULE, f"when.{key} = []", f"rule 1.when.{key}: there is nothing in this list")
        for key in ("ways", "kinds", "authors", "not_authors", "hashtags", "words", "all_words")
    ),
    (RULE, "when.regex = []", "rule 1.when.regex: there is nothing in this list"),
    ("[bot]", "match = 'last'", "bot.match: one of first, all is wanted"),
    ("[bot]", "catch_up = 24", "bot.catch_up: text in quotes"),
    ("[bot]", "catch_up = '24'", 'bot.catch_up: a duration is written "90s"'),
    ("[bot]", "catch_up = '367d'", "bot.catch_up: a duration from 0 to 31,622,400 seconds"),
    ("[bot]", "pace = '-2s'", "bot.pace: a duration is written"),
    ("[bot]", "pace = '2h'", "bot.pace: a duration from 0 to 3,600 seconds"),
    ("[bot]", "at_once = 0", "bot.at_once: a whole number from 1 to 64"),
    ("[bot]", "at_once = 65", "bot.at_once: a whole number from 1 to 64"),
    ("[bot]", "at_once = 1.5", "bot.at_once: a whole number"),
    ("[bot]", "at_once = true", "bot.at_once: a whole number"),
    ("[bot]", "listen = []", "bot.listen: nothing would be heard"),
    ("[bot]", f"kill_file = '{'x' * 256}'", "bot.kill_file: the name of a file has at most 255"),
    ("[bot]", f"kill_file = '{'x' * 256}/stop'", "bot.kill_file: the name of a file has"),
    ("[bot]", 'kill_file = "\\u0000"', "bot.kill_file: a path has no NUL"),
    ("[bot]", "kill_file = '~nobody-of-this-name/stop'", "bot.kill_file: "),
    ("[bot]", "mark = 'yes'", "bot.mark: true or false is wanted"),
    ("[guards]", "pauze = '2s'", "guards.pauze: unknown key; known here: pause"),
    ("[guards]", "pause = '1s'", "guards.pause: the pause before an answer is longer"),
    ("[guards]", "pause = '0.5s'", "guards.pause: the pause before an answer is longer"),
    ("[guards]", "allow = ['x']", "guards.allow 1: "),
    ("[guards]", "allow_bots = 1", "guards.allow_bots: true or false"),
    ("[guards]", "quiet = ['22-7']", "guards.quiet 1: quiet hours are written"),
    ("[guards]", "timezone = 'Nowhere/Town'", "guards.timezone: no time zone that is known"),
    ("[guards]", "timezone = '../x'", "guards.timezone: no time zone that is known"),
    ("[guards]", "known = 'all'", "guards.known: one of any, parents, whole is wanted"),
    ("[guards]", "whole = 0", "guards.whole: a whole number from 1"),
    ("[budgets]", "per_hour = 0", "budgets.per_hour: a whole number from 1"),
    ("[budgets]", "total = 0", "budgets.total: a whole number from 1"),
    ("[budgets]", "per_year = 1", "budgets.per_year: unknown key"),
    ("[says]", "most_mentions = 101", "says.most_mentions: a whole number from 0 to 100"),
    ("[says]", "never = ['x', '']", "says.never 2: a text in quotes is wanted"),
    ("[says]", "never = ['/(/']", "says.never 1: not a regular expression"),
    (RULE, "when = 1", "rule 1.when: a table is wanted"),
    (RULE, "when.wrods = ['x']", "rule 1.when.wrods: unknown key; known here: words"),
    (RULE, "when = { kinds = [1], regex = '(' }", "rule 1.when.regex 1: not a regular"),
    (f"{RULE}[rule.when]\nregex = [\n'a',", "'*']", "rule 1.when.regex 2: not a regular"),
    (RULE, "when.ways = ['mentions']", "rule 1.when.ways 1: one of mention, reply"),
    (RULE, "when.question = 'yes'", "rule 1.when.question: true or false"),
    (RULE, "when.min_length = -1", "rule 1.when.min_length: a whole number from 0"),
    (RULE, "when = { min_length = 2, max_length = 1 }", "rule 1.when.min_length: it is more"),
    (RULE, 'when.words = ["\\u200b"]', "rule 1.when.words 1: this is no word"),
    (RULE, "as = 'poem'", "rule 1.as: one of note, thread, article, auto is wanted"),
    (RULE, "title = ''", "rule 1.title: text in quotes"),
    (RULE, "answr = 1", "rule 1.answr: unknown key; known here: answer"),
    ("", "[[rule]]\nanswer.text = 'x'", "rule 1: a rule needs a name"),
    ("", "[[rule]]\nname = 'x'", "rule 1: a rule needs an answer"),
    ("[[rule]]", f"name = '{'x' * 65}'\nanswer.text = 'x'", "rule 1.name: a name is one line"),
    ("[[rule]]", 'name = "a\\nb"\nanswer.text = "x"', "rule 1.name: a name is one line"),
    (f"{RULE}[[rule]]\nanswer.text = 'x'", "name = 'x'", "rule 2.name: another rule is called"),
    *(
        (f"{RULE}[[rule]]\nname = 'y'", f"answer = {{ {answer} }}", f"rule 2.answer{said}")
        for answer, said in (
            ("", ": an answer needs one of text, file, bank, template"),
            ("timeout = '1s'", ": an answer needs one of"),
            ("text = 'a', file = 'b'", ".file: an answer has one source, not text and file"),
            ("text = 'a', timeout = '1s'", ".timeout: unknown key; known here: text"),
            ("text = ''", ".text: text in quotes"),
            ("bank = 'x', threshold = 0", ".threshold: a number above 0, up to 1"),
            ("bank = 'x', threshold = 1.1", ".threshold: a number above 0, up to 1"),
            ("bank = 'x', threshold = true", ".threshold: a number above 0, up to 1"),
            ("command = []", ".command: there is nothing in this list"),
            ('command = ["\\u0000"]', ".command 1: a program is given no NUL"),
            ("command = 'x', environment = ['A=B']", ".environment 1: the name of a variable"),
            ("command = 'x', timeout = '0s'", ".timeout: a duration from 0.1 to 3,600"),
            ("command = 'x', most = 0", ".most: a whole number from 1"),
            ("python = 'module'", '.python: a function is written "module:name"'),
            ("python = 'a b:c'", '.python: a function is written "module:name"'),
            ("plugin = ''", ".plugin: text in quotes"),
            ("model = 1", ".model: text in quotes"),
            ("model = 'x', continued = 21", ".continued: a whole number from 0 to 20"),
        )
    ),
]


@pytest.mark.parametrize(("before", "line", "said"), MISTAKES)
def test_each_mistake_is_told_with_its_line_and_key(before: str, line: str, said: str) -> None:
    start = f"# a file\n{before}".rstrip("\n") + "\n"
    end = "" if RULE in before or "rule" in line or "[[rule]]" in before else f"\n{RULE}"
    error = wrong(f"{start}{line}\n{end}")
    assert error.line == start.count("\n") + 1
    assert error.reason.startswith(said)


def test_without_rules_there_is_nothing_to_do() -> None:
    assert wrong("[bot]\nname = 'x'").reason.startswith("there is no [[rule]]")
    assert wrong("").line is None


def test_a_file_named_unfit_needs_a_name() -> None:
    with pytest.raises(InvalidConfig, match=r"bot\.name"):
        parse_bot(RULE, Path("/bots/my bot.toml"))


@pytest.mark.parametrize(
    ("text", "line"), [("a = 1\nb = \n", 2), ("a = 1\na = 2\n", 2), ("a = [1,\n", 2), ("\n[x", 2)]
)
def test_what_is_no_toml_is_told_with_its_line(text: str, line: int) -> None:
    error = wrong(text)
    assert error.line == line
    assert "at line" not in error.reason


def test_what_python_cannot_read_is_no_crash() -> None:
    assert wrong(f"a = {'1' * 5_000}").reason == "a number in it is far too long"
    assert "lists" in wrong(f"a = {'[' * 100_000}").reason


@pytest.mark.parametrize("text", ["[bot]\nkey = '{}'\n", "# {}\n", "{} = 1\n", "bad = \n'{}'"])
def test_a_secret_key_is_refused_and_never_repeated(text: str) -> None:
    secret = "nsec1" + "q" * 58
    error = wrong(text.format(secret))
    assert "secret key" in str(error)
    assert "qqq" not in str(error)
    assert error.line is not None
    assert secret in text.format(secret).splitlines()[error.line - 1]


def test_a_long_key_may_be_a_secret_and_is_not_repeated() -> None:
    assert "abab" not in str(wrong(f"{'ab' * 32} = 1\n{RULE}"))


def test_a_file_is_read_where_it_is(tmp_path: Path) -> None:
    path = tmp_path / "helper.toml"
    path.write_text(RULE.replace('text = "hi"', 'file = "a/b.md"'), encoding="utf-8")
    found = read_bot(path)
    assert found.name == "helper"
    assert found.path == str(path)
    assert found.rules[0].answer == FileOf(str(tmp_path / "a/b.md"))


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(InvalidConfig, match="No such file"):
        read_bot(tmp_path / "none.toml")
    path = tmp_path / "latin.toml"
    path.write_bytes(b"# a\n# \xe9\n")
    with pytest.raises(InvalidConfig, match=":2: not UTF-8"):
        read_bot(path)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("2.5s", 2.5), ("500ms", 0.5), ("15m", 900), ("24h", 86_400), (" 7 d ", 604_800)],
)
def test_durations_are_read(text: str, seconds: float) -> None:
    assert seconds_in(text) == seconds


@pytest.mark.parametrize("text", ["", "s", "5", "5x", "1h30m", "-1s", "1e3s", "infs", ".5s", "5.s"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        seconds_in(text)


LINES = [line for line in FULL.splitlines() if line]


@given(st.lists(st.sampled_from(LINES), max_size=30).map("\n".join))
def test_no_file_raises_anything_else(text: str) -> None:
    last = text.count("\n") + 1
    try:
        parsed(text)
    except InvalidConfig as error:
        line = error.line
    else:
        line = last
    assert line is None or 0 < line <= last


@given(st.data())
def test_whatever_line_is_broken_that_line_is_told(data: st.DataObject) -> None:
    """Each line that sets a key, with a value that no key has."""
    lines = FULL.splitlines()
    setting = [at for at, line in enumerate(lines) if "=" in line]
    at = data.draw(st.sampled_from(setting))
    key = lines[at].partition("=")[0]
    value = data.draw(st.sampled_from(("[[]]", "{ x = 1 }", "1979-05-27", "-1.5", "[{}]")))
    broken = [*lines[:at], f"{key}= {value}", *lines[at + 1 :]]
    assert wrong("\n".join(broken)).line == at + 1


def test_times_are_told_in_a_zone_that_is_always_there() -> None:
    for name in ("UTC", "utc"):
        found = parsed(f"[guards]\ntimezone = '{name}'\n{RULE}")
        assert found.limits == replace(Limits(), zone=UTC)
