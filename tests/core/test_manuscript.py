# ruff: noqa: RUF001 (marks of other scripts are meant)
"""What is taken out of a text, and which texts stop before their end."""

from __future__ import annotations

import time

import pytest
from hypothesis import given

from nostr_threads.core.endings import Ending, Unfinished, unfinished
from nostr_threads.core.manuscript import Removed, cleaned, removal
from tests.core.strategies import AWKWARD, texts

CODE = "nostr:npub10elfcs4fr0l0r8af98jlmgdh9c8tcxjvz9qkw038js35mp4dma8qzvjptg"


class TestCleaned:
    def test_control_characters_are_taken_out_and_named_with_their_lines(self) -> None:
        text, removed = cleaned("one\r\nt\0w\x1bo\nthree\r\x1bfour\x7f\x9f")
        assert text == "one\r\ntwo\nthree\rfour"
        assert removed == (
            Removed("\0", 1, (2,)),
            Removed("\x1b", 2, (2, 4)),
            Removed("\x7f", 1, (4,)),
            Removed("\x9f", 1, (4,)),
        )

    @pytest.mark.parametrize("char", ["\x0b", "\x0c", "\x85", "\u2028"])
    def test_what_parts_lines_becomes_a_line_break(self, char: str) -> None:
        assert cleaned(f"a{char}b") == ("a\nb", (Removed(char, 1, (1,), "\n"),))

    def test_a_paragraph_separator_becomes_an_empty_line(self) -> None:
        assert cleaned("a\u2029b")[0] == "a\n\nb"

    def test_half_a_surrogate_pair_and_a_byte_order_mark_are_taken_out(self) -> None:
        assert cleaned("a\ud800b\ufeffc")[0] == "abc"

    @pytest.mark.parametrize(
        "text",
        ["", "a\tb\r\nc\rd\n", "👨\u200d👩\u200d👧", "a\u200cb", "\u202eabc\u202c", "\xad\xa0"],
    )
    def test_what_an_author_may_mean_stays(self, text: str) -> None:
        assert cleaned(text) == (text, ())

    @given(texts)
    def test_cleaning_twice_is_cleaning_once(self, text: str) -> None:
        clean, removed = cleaned(text + AWKWARD)
        assert cleaned(clean) == (clean, ())
        assert sum(each.count for each in removed) > 0

    def test_the_warning_says_what_was_removed_and_where(self) -> None:
        removed = cleaned("a\nb\0\x1b\nc\n\n\n\n\n\nd\0")[1]
        assert removal(removed) == "removed 3 control characters (U+0000, U+001B) in lines 2 and 9"
        assert removal(cleaned("\0")[1]) == "removed 1 control character (U+0000) in line 1"
        assert removal(cleaned("\0\n" * 9)[1]).endswith("in lines 1, 2, 3, 4, 5 and 4 more")
        assert removal(()) == ""


FINISHED = [
    "",
    " \n",
    "Yes",
    "42",
    "gm everyone",
    "Answer: 42",
    "# A heading",
    "It works.",
    "It works!",
    "Does it work?",
    "Well…",
    "Well...",
    "He said: “It works.”",
    'He said: "It works."',
    "(It works.)",
    "It **works.**",
    "It works.*",
    "It works.[^1]",
    "It works.[2]",
    "It works.²",
    "It works.\n\n",
    "これは文です。",
    "「これは文です。」",
    "これは何ですか？",
    "هل هذا نص؟",
    "یہ ایک جملہ ہے۔",
    "यह एक वाक्य है।",
    "Τι κάνεις;",
    "Τι κάνεις. Πού είσαι;",
    "ይህ ጽሑፍ ነው።",
    "Սա նախադասություն է։",
    "ฉันชอบ Nostr. นี่คือข้อความ",
    "It works. 🎉",
    "It works. 👍🏽",
    "It works. ❤️",
    "It works. :)",
    "It does not. :(",
    "See more. https://a.example/x",
    "It works. See https://a.example/(x",
    "It works. #nostr #bitcoin",
    f"It works. Ask {CODE}",
    "It works. Ask @alice@a.example",
    "It works. Write to alice@a.example",
    "It works. :star:",
    "It works. [the text](https://a.example)",
    "It works (see above)",
    "It works. That is all (see above)",
    "It works.\n\n— Anna",
    "It works.\n\n-- Anna Smith",
    "It works.\n\nBest,\nAnna",
    "It works.\n\nViele Grüße,\nAnna",
    "It works.\n\n- item one\n- item t",
    "Things:\n* one\n* two\n* three",
    "Things:\n1. one\n2. two",
    "Things.\n\n- one;\n- two;\n- three",
    "Things.\n\n- one.\n- two.\n- three.",
    "Things.\n\n- one.\n- two.\n  And more of it.",
    "Things.\n\n- one (1)\n- two (2)",
    "It works.\n\n| a | b |\n|---|---|\n| 1 | 2 |",
    "It works:\n\n```python\nprint(1\n```",
    "It works:\n~~~\nthe\n~~~\n",
    "It works.\n\n---",
    "The answer is\n\n42.",
    "It works.\n\n| a |\n|---|\n| `x|y` \\| |",
    "It works.\n\n*Anna*",
    "x = 5",
    "It works. He calls it “Nostr”",
    "- [x] done\n- [ ] to do",
    "Sure:\n\n- **A**: one thing\n- **B**: another thing",
    "It works.\n\n<!-- done -->",
    "It works.\n\n$$x = 1$$",
    "Roses are red\nViolets are blue\nSugar is sweet\nAnd so are you",
    "I wandered lonely\nAs a cloud\n\nThat floats on high.\n\nWhen all at once\nI saw a crowd",
    "Use `the` here.",
    "It ends in code: `print(1)`.",
    "First.\r\n\r\nSecond.",
    "Good. Use `a`",
    "Good. Use **`a`**",
    "- First.\n- Use `a`.\n- Use `b`",
    "Good. It grew by 100%",
    "Good. It has 20°C",
    "Good. It costs 5€",
    "Good. I write C++",
    "Good. I write C#",
    "Good. It takes n²",
    "Good. Write:\n\n    code\n    more (",
    "Good. Thanks!\n\nBob",
    "Good.\n\nThank you so much",
    "これは文です。\n\nよろしくお願いします",
    "これは文です。\nよろしくお願いします",
    "Write it so:\n\n```text\n     ```python\n     code\n     ```\n```\n\nThanks. The end.\n",
    "- a\n  ```\n  code\n\nNext para. Done.\n",
    "gm\n\n```\ncode.\n```\n\nhave fun",
]

CUT = [
    ("It is cheap, simple and therefore the", Ending.SENTENCE),
    ("It works. And it does so because", Ending.SENTENCE),
    ("It works. And it does so whenever peop", Ending.SENTENCE),
    ("It works.\n\nAnd it does so whenever peop", Ending.SENTENCE),
    ("It works.\n\nHere is the code:", Ending.SENTENCE),
    ("There are apples, pears,", Ending.SENTENCE),
    ("It works. The well-", Ending.SENTENCE),
    (
        "This is a text that somebody\nwrapped at the end of lines. It has\nsentences. It does not",
        Ending.SENTENCE,
    ),
    ("Das geht. Und es ist wichtig, dass", Ending.SENTENCE),
    ("Ça marche. Il faut donc que les", Ending.SENTENCE),
    ("Это работает. И потому что мы", Ending.SENTENCE),
    ("これは文です。これは", Ending.SENTENCE),
    ("Things:\n\n1. First.\n2. Second.\n3. The", Ending.LIST),
    ("1. First.\n2. Second.\n3. The", Ending.LIST),
    ("1. First.\n2. Second.\n3.", Ending.LIST),
    ("- First one.\n- Second one.\n- Thi", Ending.LIST),
    ("- First one.\n\n- Second one.\n\n- Thi", Ending.LIST),
    ("- First one.\n  More of it.\n- Second\n  one.\n- Thi\n  rd of", Ending.LIST),
    ("- one\n- two\n-", Ending.LIST),
    ("The three points are:\n\n1.", Ending.LIST),
    ("- one\n- two\n- and the", Ending.LIST),
    ("- one\n- two (see", Ending.BRACKET),
    ("It works.\n\n| a | b |\n|---|---|\n| 1 | 2", Ending.TABLE),
    ("It works.\n\n| a | b |\n|---|---|\n| 1 |", Ending.TABLE),
    ("It works.\n\n## Next steps", Ending.HEADING),
    ("It works:\n\n```python\nprint(1)", Ending.CODE),
    ("It works:\n\n```python\nprint(1).\n``", Ending.CODE),
    ("```\na\n```\n\nAnd:\n\n~~~\nb.", Ending.CODE),
    ("It works. Use `print(", Ending.BRACKET),
    ("It works. Use `print", Ending.CODE),
    ("It works (see the", Ending.BRACKET),
    ("It works [see the", Ending.BRACKET),
    ("これは文です（例えば", Ending.BRACKET),
    ("「これは", Ending.BRACKET),
    ("He said “it works and", Ending.QUOTATION),
    ("Er sagte: „Das geht", Ending.QUOTATION),
    ('He said "it works', Ending.QUOTATION),
    ("It works.\n\n| a | b |\n|---|---|", Ending.TABLE),
    ("It works.\n\na | b\n--- | :-:", Ending.TABLE),
    ("Run this:\n\n```\nx\n```\n\nThen we", Ending.SENTENCE),
    ("Run this:\n```\nx\n```\nThen we", Ending.SENTENCE),
    ("It works. See https://", Ending.SENTENCE),
    ("https://", Ending.SENTENCE),
    ("It works.\n\nThe", Ending.SENTENCE),
    ("It works.\n\nHowever", Ending.SENTENCE),
    ("これは文です。\n\nこれは", Ending.SENTENCE),
    ("It works (see `a`", Ending.BRACKET),
    ("It works. One `a` +", Ending.SENTENCE),
    ("It works. See `a` and the", Ending.SENTENCE),
    ("It works. **Important", Ending.EMPHASIS),
    ("Roses are red\nViolets are blue\nSugar is sweet\nAnd the", Ending.SENTENCE),
]


class TestUnfinished:
    @pytest.mark.parametrize("text", FINISHED)
    def test_a_text_with_an_end_of_its_own_is_finished(self, text: str) -> None:
        assert unfinished(text) is None

    @pytest.mark.parametrize(("text", "kind"), CUT)
    def test_a_text_that_stops_in_the_middle_is_pointed_out(self, text: str, kind: Ending) -> None:
        found = unfinished(text)
        assert found is not None
        assert found.kind is kind

    def test_the_last_words_are_told(self) -> None:
        assert unfinished("One two. Three four five six seven the") == Unfinished(
            Ending.SENTENCE, "Three four five six seven the"
        )

    def test_the_last_words_of_a_text_without_spaces_are_its_last_characters(self) -> None:
        found = unfinished("これは文です。" + "長" * 100)
        assert found is not None
        assert found.last_words == "長" * 60

    @given(texts)
    def test_any_text_can_be_judged(self, text: str) -> None:
        found = unfinished(text)
        assert found is None or found.last_words in " ".join(text.split())

    @pytest.mark.parametrize(
        "piece",
        [
            "- a.\n",
            "(",
            "`",
            "``\n",
            "|",
            "*",
            "> ",
            " \n",
            "#",
            "1. \n",
            "“„",
            "a:",
            "  x\n",
            ":-",
        ],
    )
    def test_a_hostile_text_is_judged_in_linear_time(self, piece: str) -> None:
        start = time.process_time()
        unfinished(piece * (200_000 // len(piece)) + "a")
        assert time.process_time() - start < 3
