"""`key`: named keys, wherever each is: under a password (NIP-49), in the keyring, elsewhere."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from nostr_threads.cli import bunkers, elsewhere
from nostr_threads.cli.console import emit, say
from nostr_threads.cli.groups import grouped
from nostr_threads.cli.options import AsJson, Output, PasswordFd
from nostr_threads.cli.secrets import ask_password, ask_secret, key_folder
from nostr_threads.errors import InvalidInput, NoSigner, SigningError

if TYPE_CHECKING:
    from nostr_threads.signing import KeySecurity, SecretKey

__all__ = ["app"]

app = typer.Typer(
    no_args_is_help=True, help="Keys: made, kept, chosen, and lent to other machines."
)

Name = Annotated[str, typer.Argument(metavar="NAME", help="a-z, 0-9, _ and -.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
LogN = Annotated[
    int | None,
    typer.Option(
        "--log-n",
        metavar="N",
        min=1,
        max=22,
        help="How hard the password is to guess: scrypt takes 2^N KiB of memory [16].",
    ),
]


class Form(StrEnum):
    """How a key is written when it leaves."""

    NCRYPTSEC = "ncryptsec"
    NSEC = "nsec"
    HEX = "hex"


@dataclass(frozen=True, slots=True, kw_only=True)
class Vault:
    """Where a key is kept, and under what."""

    keyring: Annotated[
        bool, typer.Option("--keyring", help="In the system's keyring, without a password.")
    ] = False
    log_n: LogN = None
    password_fd: PasswordFd = None

    def password(self, *, confirm: bool) -> str:
        """Ask for a password."""
        return ask_password(self.password_fd, confirm=confirm)

    def keep(self, name: str, secret: SecretKey, security: KeySecurity) -> None:
        """Keep a key, under a password that is asked for; it is used if it is the first."""
        if self.keyring:
            from nostr_threads.app.signers import keep_in_keyring

            keep_in_keyring(key_folder(), name, secret)
        else:
            self._encrypt(name, secret, security, self.password(confirm=True))
        elsewhere.use_if_first(name)

    def keep_encrypted(self, name: str, code: str) -> None:
        """Keep an ncryptsec as it is, unless it goes to the keyring, or is to be harder."""
        from nostr_threads.signing import KeySecurity, decrypt

        password = self.password(confirm=False)
        if self.keyring:
            self.keep(name, decrypt(code, password), KeySecurity.UNTRACKED)
        elif self.log_n is not None:
            self._encrypt(name, decrypt(code, password), KeySecurity.UNTRACKED, password)
        else:
            key_folder().add_encrypted(name, code, password)
        elsewhere.use_if_first(name)

    def _encrypt(self, name: str, secret: SecretKey, security: KeySecurity, password: str) -> None:
        from nostr_threads.signing.keyfile import DEFAULT_LOG_N

        log_n = self.log_n or DEFAULT_LOG_N
        key_folder().add(name, secret, password, log_n=log_n, security=security)


@app.command("new")
@grouped
def new(name: Name, vault: Vault, as_json: AsJson = False) -> None:
    """Make a key, keep it encrypted under NAME, and use it from now on if it is the first.

    Example: nostr-threads key new work
    """
    from nostr_threads.signing import KeySecurity, new_secret

    vault.keep(name, new_secret(), KeySecurity.SECURE)
    elsewhere.show_key(name, as_json=as_json)
    if not vault.keyring:
        say("without its password nobody can restore this key: keep both")


@app.command("import")
@grouped
def import_key(
    name: Name,
    *,
    account: Annotated[
        int, typer.Option("--account", metavar="N", min=0, help="Of words: which account.")
    ] = 0,
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
    from nostr_threads.core.bunker_links import is_link
    from nostr_threads.signing import KeySecurity

    given = ask_secret("The key, or a bunker:// link (it is not shown)")
    if is_link(given):
        asyncio.run(elsewhere.connect_to(name, given))
    elif given.startswith("npub1"):
        elsewhere.keep_public(name, given)
    elif given.lower().startswith("ncryptsec1"):
        vault.keep_encrypted(name, given)
    else:
        phrase = ask_password(None, what="The passphrase of the words") if passphrase else ""
        vault.keep(name, _secret(given, account, phrase), KeySecurity.INSECURE)
    elsewhere.show_key(name, as_json=as_json)


@app.command("list")
def list_keys(as_json: AsJson = False) -> None:
    """List the keys by name, and where each is; * marks the one in use.

    Example: nostr-threads key list
    """
    names = key_folder().names()
    damaged: list[SigningError] = []
    for name in names:
        try:
            elsewhere.show_key(name, as_json=as_json)
        except SigningError as error:
            damaged.append(error)
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
    chosen = name or key_folder().current()
    if chosen is None:
        raise NoSigner("there is no key: make one with `nostr-threads key new NAME`")
    elsewhere.show_key(chosen, as_json=as_json)


@app.command("password")
def password(name: Name, log_n: LogN = None) -> None:
    """Change a key's password. Asks on the terminal for the old one and the new one.

    Example: nostr-threads key password work --log-n 18
    """
    folder = key_folder()
    folder.ncryptsec(name)  # one that is elsewhere has no password here
    old = ask_password(None, what="The old password")
    changed = ask_password(None, what="The new password", confirm=True)
    folder.change_password(name, old, changed, log_n=log_n)
    say(f"{name} has another password; copies of its file still have the old one")


@app.command("export")
def export(
    name: Name,
    form: Annotated[
        Form,
        typer.Option("--form", help="nsec and hex are the bare secret: who sees it is you."),
    ] = Form.NCRYPTSEC,
    output: Output = None,
    yes: Yes = False,
    password_fd: PasswordFd = None,
) -> None:
    """Write a key, to keep it elsewhere: as an ncryptsec under its password, unless you insist.

    Example: nostr-threads key export work -o work.ncryptsec
    """
    from nostr_threads.signing import private_file

    text = key_folder().ncryptsec(name)
    if form is not Form.NCRYPTSEC:
        if not yes:
            _insist(f"Write the bare secret of {name}? Whoever sees it can sign as you")
        text = _bare(name, form, ask_password(password_fd))
    if output is None or str(output) == "-":
        emit(f"{text}\n")
    elif private_file.create(output, f"{text}\n"):
        say(f"the key is in {output}, which only you can read")
    else:
        raise InvalidInput(f"{output} is there already, and is not overwritten")


@app.command("remove")
def remove(name: Name, yes: Yes = False) -> None:
    """Remove a key from this machine. Nobody can bring it back without a copy.

    A bunker is told that this machine will not come back.

    Example: nostr-threads key remove work
    """
    folder = key_folder()
    public_key = folder.entry(name).public_key
    if not yes:
        _insist(f"Remove the key {name}? Without a copy nobody can bring it back")
    asyncio.run(elsewhere.let_go(name))
    folder.remove(name)
    say(f"{name} is removed")
    bunkers.stop_lending(public_key)


app.command("program")(elsewhere.program)
app.command("plugin")(elsewhere.plugin)
app.command("connect")(elsewhere.connect)
app.command("bunker")(bunkers.bunker)
app.command("clients")(bunkers.clients)


def _insist(question: str) -> None:
    """Ask on the terminal; without one `--yes` is needed."""
    if sys.stdin is None or not sys.stdin.isatty():
        raise InvalidInput("this asks first, and there is nobody to ask: say --yes")
    typer.confirm(question, abort=True, err=True)


def _bare(name: str, form: Form, password: str) -> str:
    from nostr_threads.core.nip19 import encode

    secret = key_folder().load(name, password)
    return encode(secret) if form is Form.NSEC else secret.reveal()


def _secret(given: str, account: int, passphrase: str) -> SecretKey:
    from nostr_threads.signing import secret_from_hex, secret_from_nsec

    if len(given.split()) > 1:
        from nostr_threads.signing.words import secret_from_words

        return secret_from_words(given, passphrase=passphrase, account=account)
    if len(given) == 64:
        return secret_from_hex(given)
    if given.lower().startswith("nsec1"):
        return secret_from_nsec(given)
    raise SigningError(
        "this is no key: give an nsec, 64 hex digits, an ncryptsec, 12 to 24 words or a link"
    )
