# ruff: noqa: RUF001 (the look-alike punctuation of other scripts is meant)
"""The marks that end a sentence or a clause, in the scripts that have marks for it.

Knows the characters. What ends where also depends on what stands around them: see `sentences`.
"""

from __future__ import annotations

__all__ = ["CLAUSE_MARKS", "SENTENCE_MARKS"]

SENTENCE_MARKS = ".!?…‥。｡．！？؟۔।॥။།༎។៕።፧։՞‽⸮‼⁇⁈⁉᙮᠃꓿\u037e"
CLAUSE_MARKS = ",;:，、；：،؛՝፣፤፥፦၊᠂"
