"""What is asked and answered in a demo, and in the pictures of one.

Knows two texts and how they are cut. Does nothing with them.
"""

from __future__ import annotations

__all__ = ["ANSWER", "LIMIT", "QUESTION"]

QUESTION = "Why do long answers on Nostr so often stop in the middle?"
ANSWER = """\
# Where the tail goes

Every relay sets a limit of its own. One takes 2,000 characters, another 64 kilobytes, a third \
counts the bytes of the whole message, and none of them says so before the last word is typed. So \
a client sends everything in one event; one relay says no, another says yes and keeps nothing, and \
the reader gets an answer without its end.

## What helps

- **Cut it where a person would**: at a heading, between paragraphs, after a sentence; never in \
a link such as https://github.com/nostr-protocol/nips/blob/master/10.md or in a piece of code.
- **Say which part it is**, and chain the parts: each one answers the one before it.
- **Sign everything before anything is sent**, so that a crash in the middle leaves no half.

```python
parts = nt.split(answer, limit=nt.Limit(characters=2_000))
assert nt.join(parts) == answer  # to the last byte
```

## And then

Ask the relay for what it said it took. An OK is not a copy: read it back. 🧵
"""
LIMIT = 420
"""Characters in a part: the answer becomes three."""
