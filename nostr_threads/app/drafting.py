"""What a text would become, said without asking anybody: neither relays nor the domains of names.

Knows the forms. That relays may want it shorter, and where it goes, is found out by `app.writing`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nostr_threads.app.reading import check
from nostr_threads.app.writing import Plan
from nostr_threads.core.article import Form, choose_form, draft_article, linking_note
from nostr_threads.core.compose import compose, split_for
from nostr_threads.core.split import Part
from nostr_threads.errors import LimitTooSmall

if TYPE_CHECKING:
    from nostr_threads.app.writing import Style
    from nostr_threads.core.split import Limit

__all__ = ["NOBODY", "draft"]

NOBODY = "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
"""The generator of the curve: a public key of the right shape for what nobody has signed yet."""

# As long as the times of this century are.
_SOME_TIME = 2_000_000_000


def draft(text: str, style: Style, limit: Limit, marker: str) -> Plan:
    """Check and cut a text as `publish` would, for no relay in particular.

    Raises `InvalidText` and `LimitTooSmall`.
    """
    found = check(text, strict=style.strict, fix_encoding=style.fix_encoding)
    if style.form is Form.ARTICLE:
        return _article(found.text, style, "", found.warnings)
    parts = split_for(found.text, limit, author=NOBODY, marker=marker)
    form, why = (style.form, "") if style.form else choose_form(found.text, len(parts))
    if form is Form.ARTICLE:
        return _article(found.text, style, why, found.warnings)
    if form is Form.NOTE and len(parts) > 1:
        raise LimitTooSmall(f"it does not fit one note: it takes {len(parts)} parts")
    drafts = compose(parts, author=NOBODY, created_at=_SOME_TIME)
    return Plan(form, tuple(parts), tuple(drafts), (), why, 0, found.warnings)


def _article(text: str, style: Style, why: str, warnings: tuple[str, ...]) -> Plan:
    article = draft_article(text, style.described(text), author=NOBODY, created_at=_SOME_TIME)
    drafts = (article, linking_note(article, author=NOBODY, created_at=_SOME_TIME + 1))
    parts = tuple(Part(index, 2, each.content) for index, each in enumerate(drafts, 1))
    return Plan(Form.ARTICLE, parts, drafts, (), why, 0, warnings)
