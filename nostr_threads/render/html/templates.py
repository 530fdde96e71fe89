"""The templates of all pages, in which every value is escaped unless it was made as HTML here.

Knows where they are. What they are given is known to who fills them.
"""

from __future__ import annotations

from functools import lru_cache

from jinja2 import Environment, PackageLoader, StrictUndefined

__all__ = ["fill"]


def fill(template: str, **values: object) -> str:
    """Return a template's page with these values."""
    return _environment().get_template(template).render(values)


@lru_cache(maxsize=1)
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("nostr_threads.render.html"),
        autoescape=True,
        undefined=StrictUndefined,
        lstrip_blocks=True,
    )
