"""What a failing program or function said, made fit for its owner's log.

Knows control characters and what looks like a secret key. Knows nothing of what is wrong.
"""

from __future__ import annotations

import re

__all__ = ["reported"]

_UNSEEN = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]+"
)
# A terminal's commands, of which only the first character is a control character.
_ESCAPES = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-_])|\x9b[0-?]*[@-~]"
)
# Badly copied, or with its end cut off, it is still most of a key.
_CODE = re.compile(r"(n(?:crypt)?sec1)[0-9a-z]{6,}", re.IGNORECASE)
# An id and a key look the same; the first digits are enough to tell an id.
_HEX = re.compile(r"(?<![0-9a-f])([0-9a-f]{8})[0-9a-f]{56}(?![0-9a-f])", re.IGNORECASE)
_SETTING = re.compile(
    r"((?:secret|password|passphrase|token|api[-_]?key)\w*\s*[=:]\s*)[^\s&]+", re.IGNORECASE
)


def reported(text: str, *, most: int = 500) -> str:
    """Return the last `most` characters of what was said, on one line, without secrets.

    Keys and passwords are replaced by `…` before anything is cut.
    """
    plain = _UNSEEN.sub(" ", _ESCAPES.sub("", text))
    hidden = _HEX.sub(r"\1…", _CODE.sub(r"\1…", _SETTING.sub(r"\1…", plain)))
    line = " ".join(hidden.split())
    return line if len(line) <= most else f"…{line[len(line) - most + 1 :]}"
