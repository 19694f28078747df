"""A stand-in for the Hugging Face Hub on this machine, to push and pull models where there is no internet.

It keeps repositories in a folder and answers the ``huggingface_hub`` client: create, upload, tag, list, download,
delete; private and gated repositories; models, datasets and Spaces (their files: nothing is run). It is not the Hub:
it has no Xet storage, no pull requests and no search, does not read .gitignore, and its only accounts are those named
by --users. Set the three variables it prints before Python starts: the client reads them once, when it is imported.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from tests.hub.server import serve
from tests.hub.store import Store


def main() -> None:
    parser = argparse.ArgumentParser(
        "python -m tests.hub", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--folder", type=Path, required=True, help="where the repositories are, or will be")
    parser.add_argument("--port", type=int, default=0, help="default: a free one")
    parser.add_argument("--users", nargs="+", default=["owner"], metavar="NAME", help="default: owner")
    parser.add_argument("--child", action="store_true", help="for a program: one line of JSON; ends with its input")
    arguments = parser.parse_args()
    names = tuple(arguments.users)
    say = _for_a_program if arguments.child else _for_a_person
    try:
        serve(arguments.folder, arguments.port, names, lambda url, store: say(url, store, names), arguments.child)
    except KeyboardInterrupt:
        pass
    except OSError as error:
        parser.error(str(error))


def _for_a_program(url: str, store: Store, names: tuple[str, ...]) -> None:
    owner, guest = names[0], names[-1]
    tokens = store.users.tokens
    hub = {"url": url, "owner": owner, "token": tokens[owner]["write"], "read_token": tokens[owner]["read"]}
    _say(json.dumps(hub | {"guest": guest, "guest_token": tokens[guest]["write"]}))


def _for_a_person(url: str, store: Store, names: tuple[str, ...]) -> None:
    _say(f"A stand-in for the Hugging Face Hub (no Xet, no pull requests, no search) over {store.folder}")
    for name in names:
        tokens = store.users.tokens[name]
        _say(f"user {name}: token {tokens['write']}, only for reading {tokens['read']}")
    _say(f"\nexport HF_ENDPOINT={url}")
    _say(f"export HF_TOKEN={store.users.tokens[names[0]]['write']}")
    _say("export HF_HUB_DISABLE_XET=1\n\nCtrl-C ends it; the repositories stay.")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
