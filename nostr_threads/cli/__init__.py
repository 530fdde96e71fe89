"""The terminal: wires adapters together, translates arguments in and results out.

Data goes to stdout, talk to stderr. Importing a command's module is cheap; what it needs is
imported when it runs, so that `--help` is fast.
"""

from __future__ import annotations

__all__ = ["main"]


def main() -> None:
    """Run the command line; the exit codes are those of `docs/cli.md`."""
    import sys

    from nostr_threads.cli.commands import app
    from nostr_threads.cli.console import complain, speak_utf8
    from nostr_threads.cli.discretion import hidden, refuse_secrets
    from nostr_threads.cli.stopping import orderly_end
    from nostr_threads.errors import NostrThreadsError, NotFound

    speak_utf8()
    try:
        refuse_secrets(sys.argv[1:])
        with orderly_end():
            app(prog_name="nostr-threads")
    except NotFound as error:
        # It names the id that nobody has.
        complain(str(error))
        sys.exit(error.exit_code)
    except NostrThreadsError as error:
        complain(hidden(str(error), sys.argv[1:]))
        sys.exit(error.exit_code)
    except OSError as error:
        # A full disk or a closed stream, where nothing nearer knew what it was about.
        complain(f"{error.strerror or error}")
        sys.exit(1)
