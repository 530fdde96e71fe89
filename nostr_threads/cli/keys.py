"""`key`: named keys, wherever each is: under a password (NIP-49), in the keyring, elsewhere."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from nostr_threads.cli import bunkers, clients, elsewhere, leaving
from nostr_threads.cli.console import complain, say
from nostr_threads.cli.elsewhere import Name
from nostr_threads.cli.groups import grouped
from nostr_threads.cli.options import AsJson
from nostr_threads.cli.prompts import ask_secret, ask_unseen
from nostr_threads.cli.secrets import key_folder
from nostr_threads.cli.vault import LogN, Vault, are_words, read_secret, require_bare
from nostr_threads.errors import InvalidInput, SigningError

__all__ = ["app"]

app = typer.Typer(
    no_args_is_help=True, help="Keys: made, kept, chosen, and lent to other machines."
)

_ONLY_OF_WORDS = "--account and --passphrase are for a key that comes as words"


@app.command("new")
@grouped
def new(name: Name, vault: Vault, as_json: AsJson = False) -> None:
    """Make a key, keep it encrypted under NAME, and use it from now on if it is the first.

    Example: nostr-threads key new work
    """
    from nostr_threads.signing import KeySecurity, new_secret

    key_folder().require_vacant(name)
    vault.keep(name, new_secret(), KeySecurity.SECURE)
    elsewhere.show_key(name, as_json=as_json)
    if vault.keyring:
        say(f"the keyring has the only copy: `nostr-threads key export {name} -o FILE` makes one")
    else:
        say("without its password nobody can restore this key: keep both")


@app.command("import")
@grouped
def import_key(
    name: Name,
    *,
    account: Annotated[
        int | None,
        typer.Option("--account", metavar="N", min=0, help="Of words: which account [0]."),
    ] = None,
    passphrase: Annotated[
        bool, typer.Option("--passphrase", help="Of words: ask for the passphrase they have.")
    ] = False,
    vault: Vault,
    as_json: AsJson = False,
) -> None:
    """Keep a key that you have: it is asked for, or read from stdin, and not shown.

    It is an nsec, 64 hex digits, an ncryptsec, 12 to 24 words (NIP-06), a bunker:// link, or an
    npub that is only to be read as.

    Example: nostr-threads key import work

    Example: nostr-threads key import bot --password-fd 3 < secret.txt 3< password.txt
    """
    key_folder().require_vacant(name)
    given = ask_secret("The key, or a bunker:// link (it is not shown)")
    require_bare(given)
    if not are_words(given) and (passphrase or account is not None):
        raise InvalidInput(_ONLY_OF_WORDS)
    _keep(name, given, account or 0, passphrase, vault)
    elsewhere.show_key(name, as_json=as_json)


def _keep(name: str, given: str, account: int, passphrase: bool, vault: Vault) -> None:
    from nostr_threads.core.bunker_links import is_link
    from nostr_threads.signing import KeySecurity

    if is_link(given):
        asyncio.run(elsewhere.connect_to(name, given))
    elif given.lower().startswith(("npub1", "nprofile1")):
        elsewhere.keep_public(name, given)
    elif given.lower().startswith("ncryptsec1"):
        vault.keep_encrypted(name, given)
    else:
        phrase = _passphrase() if passphrase else ""
        secret = read_secret(given, account=account, passphrase=phrase)
        vault.keep(name, secret, KeySecurity.INSECURE)


def _passphrase() -> str:
    otherwise = "the passphrase of words is asked for: run this on a terminal"
    return ask_unseen("The passphrase of these words", otherwise)


@app.command("list")
def list_keys(as_json: AsJson = False) -> None:
    """List the keys by name, and where each is; * marks the one in use.

    Example: nostr-threads key list
    """
    names = key_folder().names()
    width = max(map(len, names), default=0)
    damaged: list[SigningError] = []
    for name in names:
        try:
            elsewhere.show_key(name, as_json=as_json, width=width)
        except SigningError as error:
            damaged.append(error)
    for each in damaged[1:]:
        complain(str(each))
    if damaged:
        raise damaged[0]
    if not names and not as_json:
        say("there is no key: make one with `nostr-threads key new NAME`")


@app.command("use")
def use(name: Name) -> None:
    """Sign with this key from now on.

    Example: nostr-threads key use work
    """
    key_folder().use(name)
    say(f"{name} signs from now on")


@app.command("show")
def show(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="Default: in use.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show the public half of a key.

    Example: nostr-threads key show
    """
    elsewhere.show_key(key_folder().chosen(name), as_json=as_json)


@app.command("password")
def password(name: Name, log_n: LogN = None) -> None:
    """Change a key's password. Asks on the terminal for the old one and the new one.

    Example: nostr-threads key password work --log-n 18
    """
    folder = key_folder()
    folder.ncryptsec(name)  # one that is elsewhere has no password here
    otherwise = "passwords are changed on a terminal: run this on one"
    old = ask_unseen(f"The old password of {name!r}", otherwise)
    folder.load(name, old)  # a wrong one is told before a new one is thought of
    changed = ask_unseen(f"A new password for {name!r}", otherwise, confirm=True)
    folder.change_password(name, old, changed, log_n=log_n)
    say(f"{name} has another password; copies of its file still have the old one")


app.command("export")(leaving.export)
app.command("remove")(leaving.remove)
app.command("program")(elsewhere.program)
app.command("plugin")(elsewhere.plugin)
app.command("connect")(elsewhere.connect)
app.command("bunker")(bunkers.bunker)
app.command("clients")(clients.clients)
