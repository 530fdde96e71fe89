"""How everything is put together: a store, a pool of relays and a signer, closed at the end.

Knows which adapters a job needs and where they are found. Decides nothing.
"""

from __future__ import annotations

import asyncio
import os
import time
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING
from urllib.request import getproxies

from nostr_threads.app.blocking import off_loop
from nostr_threads.app.client import Nostr
from nostr_threads.app.config import Config, find_config
from nostr_threads.app.documents import Documents
from nostr_threads.app.places import config_folder, key_folder, store_path
from nostr_threads.app.routes import Routes
from nostr_threads.core import kinds
from nostr_threads.core.event import Draft
from nostr_threads.errors import SigningError
from nostr_threads.net.pool import Pool
from nostr_threads.net.relay import Timeouts
from nostr_threads.signing.source import signer_from_env as from_environment
from nostr_threads.store.opening import open_store

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from nostr_threads.core.event import Verified
    from nostr_threads.signing.signer import Signer

__all__ = ["open", "signer_from_env", "signer_from_key"]


# Seconds in which a signer elsewhere signs us in at a relay: everything else can be read meanwhile.
_SIGN_IN = 30.0


@asynccontextmanager
async def open(  # noqa: A001 - `nostr_threads.open` reads as what it does
    store: str | Path | None = None,
    relays: str | Path | Config | None = None,
    signer: Signer | None = None,
    *,
    viewer: str | None = None,
    clock: Callable[[], float] = time.time,
    random: Random | None = None,
) -> AsyncIterator[Nostr]:
    """Open a store and a pool of relays; both are closed at the end.

    `store` is a path (":memory:" for one that is forgotten) or a `postgresql://` URL, by default
    the user's. `relays` is the path of a relays.toml or a `Config`; by default the one that is
    found (see `find_config`).
    `viewer` (a public key in hex, by default the signer's) is whose mute list hides notes. `random`
    decides between relays that are as good as each other. Raises `StoreError`, `InvalidConfig`.
    """
    config = relays if isinstance(relays, Config) else _configured(relays)
    defaults = config.defaults
    timeouts = Timeouts(defaults.connect, defaults.idle, defaults.answer, defaults.ok)
    nostr_store = await off_loop(open_store, store or store_path(os.environ))

    routes = Routes(config, random or Random())  # noqa: S311 - no secret depends on it
    documents = Documents(
        nostr_store,
        lambda: int(clock()),
        # A proxy of the environment may be one for web pages alone, or for anything but them.
        lambda url: not routes.options(url).proxy and not getproxies(),
        lambda url: routes.options(url).public_only,
    )

    async def authenticate(url: str, challenge: str) -> Verified | None:
        if signer is None:
            return None
        tags = (("relay", url), ("challenge", challenge))
        try:
            async with asyncio.timeout(_SIGN_IN):
                return await signer.sign(Draft(int(clock()), kinds.AUTH, tags, ""))
        except (SigningError, TimeoutError):
            # Not to be known to one relay is that relay's answer, not the end of the job.
            return None

    try:
        async with Pool(
            options=routes.options,
            timeouts=timeouts,
            authenticate=authenticate,
            limits=documents.limits,
        ) as pool:
            yield Nostr(nostr_store, pool, config, signer, clock, routes, documents, viewer)
    finally:
        nostr_store.close()


def _configured(path: str | Path | None) -> Config:
    return find_config(
        Path(path) if path is not None else None, os.environ, config_folder(os.environ)
    )


def signer_from_key(password: str, name: str | None = None) -> Signer:
    """Return who signs with a key that `nostr-threads key new` made, by default the one in use.

    Raises `NoSigner` when there is none, `WrongPassword`, `SigningError`.
    """
    from nostr_threads.signing import KeyFolder, KeySigner

    folder = KeyFolder(key_folder(os.environ))
    return KeySigner(folder.load(folder.chosen(name), password))


def signer_from_env() -> Signer | None:
    """Return who `$NOSTR_SECRET_KEY` (hex or nsec) signs for; None when it is not set.

    Raises `SigningError`, without the value, when it is no key, and `NoSigner` when it is an
    ncryptsec: for its password see `nostr_threads.signing.signer_from_env`.
    """
    return from_environment(os.environ)
