"""`key`: named keys, encrypted on disk (NIP-49)."""

from __future__ import annotations

from typing import Annotated

import typer

from nostr_threads.cli.console import emit, emit_json, say
from nostr_threads.cli.options import AsJson, PasswordFd
from nostr_threads.cli.secrets import ask_password, key_folder
from nostr_threads.errors import NoSigner

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="Keys: made, chosen and shown, never printed.")

Name = Annotated[str, typer.Argument(metavar="NAME", help="a-z, 0-9, _ and -.")]


@app.command("new")
def new(name: Name, password_fd: PasswordFd = None, as_json: AsJson = False) -> None:
    """Make a key, keep it encrypted under NAME, and use it from now on if it is the first.

    Example: nostr-threads key new work
    """
    from nostr_threads.signing import new_secret

    folder = key_folder()
    password = ask_password(password_fd, confirm=True)
    public_key = folder.add(name, new_secret(), password)
    if folder.current() is None:
        folder.use(name)
    _show(name, public_key, used=folder.current() == name, as_json=as_json)
    say("without its password nobody can restore this key: keep both")


@app.command("show")
def show(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="Default: in use.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show the public half of a key.

    Example: nostr-threads key show
    """
    folder = key_folder()
    chosen = name or folder.current()
    if chosen is None:
        raise NoSigner("there is no key: make one with `nostr-threads key new NAME`")
    used = folder.current() == chosen
    _show(chosen, folder.public_key(chosen), used=used, as_json=as_json)


@app.command("list")
def list_keys(as_json: AsJson = False) -> None:
    """List the keys by name; * marks the one in use.

    Example: nostr-threads key list
    """
    folder = key_folder()
    current = folder.current()
    for name in folder.names():
        _show(name, folder.public_key(name), used=name == current, as_json=as_json)
    if not folder.names() and not as_json:
        say("there is no key: make one with `nostr-threads key new NAME`")


@app.command("use")
def use(name: Name) -> None:
    """Sign with this key from now on.

    Example: nostr-threads key use work
    """
    key_folder().use(name)
    say(f"{name} signs from now on")


def _show(name: str, public_key: str, *, used: bool, as_json: bool) -> None:
    from nostr_threads.core import nip19

    npub = nip19.encode(nip19.PublicKey(public_key))
    if as_json:
        emit_json({"name": name, "npub": npub, "public_key": public_key, "used": used})
    else:
        emit(f"{'*' if used else ' '} {name}  {npub}  {public_key}\n")
