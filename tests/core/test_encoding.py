# ruff: noqa: RUF001 (text in a wrong code page is the point)
"""Bytes as text, and text that was read in a wrong code page."""

from __future__ import annotations

import time
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE

import ftfy.bad_codecs  # noqa: F401 (names the code pages that have holes)
import pytest
from hypothesis import given

from nostr_threads.core.encoding import Garble, decode, garbled, mend
from nostr_threads.errors import InvalidText
from tests.core.strategies import texts


class TestDecode:
    @given(texts)
    def test_utf_8_and_utf_16_are_read_as_they_were_written(self, text: str) -> None:
        plain = text.replace("\ufeff", "").replace("\0", "")
        assert decode(plain.encode()) == plain
        assert decode(BOM_UTF8 + text.encode()) == text
        # With a zero first, the mark of UTF-16 is the mark of UTF-32.
        assert decode(BOM_UTF16_LE + plain.encode("utf-16-le")) == plain
        assert decode(BOM_UTF16_BE + text.encode("utf-16-be")) == text

    @pytest.mark.parametrize(
        ("data", "place"),
        [
            (b"\xff", "line 1, byte 1 is not UTF-8; save the file as UTF-8"),
            (b"a\r\nb\nab\xe9cd", "line 3, byte 3 is not UTF-8"),
            ("ä\nää".encode() + b"\x80", "line 2, byte 5 is not UTF-8"),
            (BOM_UTF8 + b"a\xe9", "line 1, byte 5 is not UTF-8"),
            (b"a\rb\xc3", "line 2, byte 2 is not UTF-8"),
            (b"\xed\xa0\x80", "line 1, byte 1 is not UTF-8"),
            (BOM_UTF16_LE + b"a\0b", "line 1, byte 5 is not UTF-16"),
            (BOM_UTF16_BE + b"\0a\0\n\xd8\0\0a", "line 2, byte 1 is not UTF-16"),
            (BOM_UTF16_LE + b"a\0\0\xdc", "line 1, byte 5 is not UTF-16"),
        ],
    )
    def test_what_cannot_be_read_is_refused_with_its_place(self, data: bytes, place: str) -> None:
        with pytest.raises(InvalidText) as caught:
            decode(data)
        assert str(caught.value).startswith(place)

    @pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
    @pytest.mark.parametrize("text", ["Hello", "Γειά σου κόσμε\n", "a"])
    def test_utf_16_without_its_mark_is_named(self, codec: str, text: str) -> None:
        with pytest.raises(InvalidText, match="UTF-16 without"):
            decode(text.encode(codec))

    def test_utf_32_is_named(self) -> None:
        with pytest.raises(InvalidText, match="UTF-32"):
            decode("Hello".encode("utf-32"))

    def test_a_few_zeros_are_no_utf_16(self) -> None:
        assert decode(b"one\0two\0three") == "one\0two\0three"
        assert decode(b"") == ""


WINDOWS = ("windows-1252", "windows-1251", "windows-1253", "windows-1250")
CODE_PAGES = (*(f"sloppy-{name}" for name in WINDOWS), "latin-1", "mac-roman", "cp437")
WRITTEN = [
    "naïve café, “déjà vu”",
    "fürs Übermaß – „Straße“",
    "Señor, el niño aquí… ¿qué?",
    "Γειά σου, τι κάνεις; — «όλα καλά»…",
    "Привет, мир! “Да”…",
    "ağaç, ışık, İstanbul",
    "żółć, gęślą jaźń",
    "it’s 5 € – or more…",
    "∀x∈ℝ: x² ≥ 0 → ∞",
    "emoji 😀👍🏽 here",
]
RIGHT = [
    *WRITTEN,
    "le café\xa0» et «\xa0la société\xa0» à\xa0« bientôt »",
    "“CAFÉ”, «DÉJÀ VU», ÇA ALORS À… ÉTÉ²",
    "“Ä” “Å” “Ø” „Ö“ la letra “Ñ”",
    "«MAÇÃ», IRMÃ…, “Ã”, NÃO, PÃO",
    "«está»… «él»”",
    "дії в Австралії, Річ РІСІ ВІСІМ НАЦІЇ «ВІЙ» — Її",
    "Ђорђе, Љубав, Њ; Ўзбекистан, Ґанок",
    "Ξένος, ΟΏ, “ΝΕΡΟ” — Ίσως;",
    "CĂŞTIGĂ, OBĂŞTESC, ţară",
    "Čeština „Ž“, Łódź ”Ł”, Ő„ Ű“",
    "Tiếng Việt có dấu: ậ ệ ộ, Â và Ă",
    "Türkçe: ağaç, ışık, “ş” Ğ, ilâ…",
    "«está»…pero él» «á»”",
    "Ăştia, ăşti, ÎNVĂŢĂ, CĂŞTIGĂ „Ăsta”",
    "Ľúbim ĽAVÝ ŽIAĽ ĹBIŤ Ĺ Ľ; NÃO À Ã e Ã",
    "BÂŞ; Đ Ơ Ư Â Ă “Ă”",
    "„Ärger“ ‚Ärger‘ ‚Äußerst‘",
    "中文，「引用」。日本語のテキスト。한국어",
    "مرحبا، שלום, हिन्दी।",
    "3×² Ø±0.1 100 µΩ ±5 % 20 °C Ångström 5 Å",
    "2√π √∞ √Ω a√b x√2 ∂f/∂x ≈ ∑∫ α→β β² β≤γ x Γ± y",
    "├──╔═╗╝ └── ║ ─│┌┐ ░▒▓",
    "BJÖRK™ MÖTLEY CRÜE® société²³",
    "`â€œ` and ``Ã¼``\n```\nâ€œ Ã¼\n```\n~~~\nвЂњ",
]


class TestGarbled:
    @pytest.mark.parametrize("text", RIGHT)
    def test_right_text_of_any_language_is_left_alone(self, text: str) -> None:
        assert garbled(text) == ()
        assert mend(text) == text

    @pytest.mark.parametrize("code_page", CODE_PAGES)
    @pytest.mark.parametrize("text", WRITTEN)
    def test_text_read_in_a_wrong_code_page_is_mended(self, text: str, code_page: str) -> None:
        assert mend(text.encode().decode(code_page)) == text

    @pytest.mark.parametrize(
        "text", ["Tiếng Việt có dấu", "日本語のテキスト。", "हिन्दी में", "שלום עולם"]
    )
    def test_other_scripts_read_as_western_are_mended(self, text: str) -> None:
        assert mend(text.encode().decode("sloppy-windows-1252")) == text

    @pytest.mark.parametrize(
        ("wrong", "right"),
        [
            ("Viá»‡t Nam", "Việt Nam"),
            ("tiáº¿ng Viá»‡t lÃ\xa0 ngÃ´n ngá»¯", "tiếng Việt là ngôn ngữ"),
            ("tiáº¿ng Viá»‡t lÃ  ngÃ´n ngá»¯", "tiếng Việt là ngôn ngữ"),
            ("tiáº¿ng Viá»‡t lÃ ngÃ´n ngá»¯ lÃ", "tiếng Việt là ngôn ngữ là"),
            ("ngÆ°á»\x9di Ä‘á»™ Viá»‡t — right", "người độ Việt — right"),
            ("GrĂĽĂźe aus MĂĽnchen", "Grüße aus München"),
            ("MĂĽller", "Müller"),
            ("MГјller", "Müller"),
            ("schĂ¶ne FĂĽĂźe fĂĽr Ă„rzte", "schöne Füße für Ärzte"),
        ],
    )
    def test_a_line_is_mended_whole_when_one_letter_of_it_is_sure(
        self, wrong: str, right: str
    ) -> None:
        assert mend(wrong).replace("\xa0", " ").replace("  ", " ") == right

    def test_right_signs_beside_a_garbled_one_stay(self) -> None:
        text = "Il a dit «\xa0café\xa0» et “Ä” — câ€™est bon"
        assert mend(text) == text.replace("â€™", "’")

    @pytest.mark.parametrize(
        ("wrong", "right"),
        [
            ("â€œ", "“"),
            ("Ã¼", "ü"),
            ("β€œ", "“"),
            ("вЂњ", "“"),
            ("ΓÇÖ", "’"),
            ("‚Äô", "’"),
            ("â€™", "’"),
        ],
    )
    def test_a_garbled_stretch_is_told_with_its_place(self, wrong: str, right: str) -> None:
        text = f"Right.\r\nStill “right”: «é».\n\nHere {wrong} it is."
        assert garbled(text) == (Garble(text.index(wrong), 4, wrong, right),)
        assert mend(text) == text.replace(wrong, right)

    def test_what_was_read_wrongly_twice_is_mended_whole(self) -> None:
        once = "it’s".encode().decode("cp1252")
        assert mend(once.encode().decode("cp1252")) == "it’s"

    def test_nothing_but_the_stretch_is_changed(self) -> None:
        """No quotation is straightened, no width, ligature or line ending is changed."""
        around = "ﬁne “quotes” ＡＢ e\u0301 &amp; \x1b[31m\r\n"
        assert mend(f"{around}Ã¼{around}`Ã¼`") == f"{around}ü{around}`Ã¼`"

    @given(texts)
    def test_any_text_can_be_mended_and_code_never_changes(self, text: str) -> None:
        mended = mend(f"{text}\n\n```\nÃ¼{text.replace('`', '').replace('~', '')}")
        assert "\n```\nÃ¼" in mended or "`" in text or "~" in text
        for garble in garbled(text):
            assert text.startswith(garble.text, garble.position)
            assert garble.mended != garble.text

    @pytest.mark.parametrize("piece", ["Ã¼", "é\n", "Р", "Ã ", "`Ã¼", "Ã¼ né »"])
    def test_a_hostile_text_is_read_in_linear_time(self, piece: str) -> None:
        text = piece * (100_000 // len(piece))
        start = time.process_time()
        garbled(text)
        assert time.process_time() - start < 3
