"""Keys and signatures: the only ring that ever holds a secret.

Importing it is cheap: pynostr and cryptography are loaded when something is signed or opened.
"""

from nostr_threads.signing.keyfile import KeySecurity, decrypt, encrypt
from nostr_threads.signing.keyfolder import KeyEntry, KeyFolder, Kind
from nostr_threads.signing.pynostr_bridge import from_pynostr, to_pynostr
from nostr_threads.signing.secret import (
    SecretKey,
    new_secret,
    secret_bytes,
    secret_from_bytes,
    secret_from_hex,
    secret_from_nsec,
)
from nostr_threads.signing.signer import KeySigner, ReadOnlySigner, Signer, check_signed
from nostr_threads.signing.source import signer_from_env

__all__ = [
    "KeyEntry",
    "KeyFolder",
    "KeySecurity",
    "KeySigner",
    "Kind",
    "ReadOnlySigner",
    "SecretKey",
    "Signer",
    "check_signed",
    "decrypt",
    "encrypt",
    "from_pynostr",
    "new_secret",
    "secret_bytes",
    "secret_from_bytes",
    "secret_from_hex",
    "secret_from_nsec",
    "signer_from_env",
    "to_pynostr",
]
