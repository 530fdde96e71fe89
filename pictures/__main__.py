"""Makes the pictures of the README anew, in docs/pictures."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from pictures.recording import recorded
from pictures.screenshot import photographed

PLACE = Path(__file__).parents[1] / "docs" / "pictures"


async def main() -> None:
    """Write what is shown of the demo and of the viewer."""
    with tempfile.TemporaryDirectory() as folder:
        (PLACE / "demo.svg").write_text(await recorded(Path(folder)), encoding="utf-8")
        async for scheme, picture in photographed(Path(folder)):
            (PLACE / f"viewer-{scheme}.png").write_bytes(picture)


if __name__ == "__main__":
    asyncio.run(main())
