"""``python -m media``: a relay with its server, and tokens and profiles for those who are to use it."""

import argparse
import asyncio
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from media.server import config as settings


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says; return the exit status."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("alembic").setLevel(logging.WARNING)
    try:
        complaint = _COMMANDS.get(options.command, _serve)(options)
    except KeyboardInterrupt:  # before there was anything to end
        # At once: if the interrupt met code that a C extension had Python run, the interpreter would remember it
        # as unhandled and end the process by SIGINT after all.
        os._exit(0)
    except (ValueError, OSError) as error:
        complaint = str(error)
    if complaint:
        print(complaint, file=sys.stderr)
    return 1 if complaint else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m media",
        description="Serve Spaces: HTTP on one TCP port, media on one UDP port for each relay.",
    )
    settings.add_options(parser)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    token = commands.add_parser(
        "token", help="print a token", description="Print a token that this installation's servers accept."
    )
    settings.add_data(token, argparse.SUPPRESS)  # its default must not undo a --data before the command
    token.add_argument("--user", required=True, metavar="NAME", help="whom it names")
    token.add_argument("--admin", action="store_true", help="may make tokens and enforce the rules")
    token.add_argument(
        "--role", action="append", choices=["reviewer", "senior"], help="may review reports; may be given twice"
    )
    token.add_argument("--url", action="store_true", help="print the address of the page with the token in it")
    token.add_argument("--ttl", type=float, default=12 * 3600, help="seconds it lives (%(default)s)")
    taken = commands.add_parser(
        "import",
        help="import users and follows, or posts",
        description="Read users and follows from CSV, or posts from JSON Lines or CSV, into the store: all of "
        "them or, if one line is wrong, none.",
    )
    settings.add_data(taken, argparse.SUPPRESS)
    taken.add_argument("--database", metavar="URL", default=argparse.SUPPRESS, help="the store (SQLite in --data)")
    taken.add_argument(
        "users",
        type=Path,
        metavar="users.csv | posts",
        help="id,username,name[,protected,verified,created_at], or the word posts",
    )
    taken.add_argument(
        "follows",
        type=Path,
        nargs="?",
        metavar="follows.csv | FILE",
        help="follower_id,followed_id; after posts a .jsonl or .csv with author_id,text,created_at[,id,lang]",
    )
    audit = commands.add_parser(
        "audit",
        help="check the audit log",
        description="Check that nothing was changed in the audit log, and print its head: who keeps that elsewhere"
        " can tell later whether the log is still the same up to there.",
    )
    settings.add_data(audit, argparse.SUPPRESS)
    audit.add_argument("--database", metavar="URL", default=argparse.SUPPRESS, help="the store (SQLite in --data)")
    evidence = commands.add_parser(
        "evidence",
        help="open evidence, erase what is due, try a disk",
        description="check: open the evidence of all Spaces, or of one, a line of JSON each. retain: erase what is"
        " due, as a server that runs does by itself. try-disk: take and erase keys in --data, and look for them on"
        " the device that it is on.",
    )
    settings.add_data(evidence, argparse.SUPPRESS)
    evidence.add_argument(
        "--database", metavar="URL", default=argparse.SUPPRESS, help="the store (SQLite in --data)"
    )
    evidence.add_argument("what", choices=["check", "retain", "try-disk"])
    evidence.add_argument("--space", metavar="ID", help="check this one alone")
    evidence.add_argument("--raw", type=Path, metavar="DEVICE", help="for try-disk: the device or image")
    people = commands.add_parser(
        "people",
        help="invent people for a lab",
        description="Write users.csv and follows.csv for import: a follower graph with Pareto counts.",
    )
    people.add_argument("--users", type=int, required=True, metavar="N", help="how many people")
    people.add_argument(
        "--posts", type=int, default=0, metavar="N", help="write posts.jsonl, too, with so many (none)"
    )
    people.add_argument(
        "--seed", type=int, default=1, metavar="S", help="the same people for the same (%(default)s)"
    )
    people.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the files")
    end_all = commands.add_parser(
        "end-all",
        help="end all live Spaces, or all of one host",
        description="End every live Space of the running server for everyone, at once; safe to repeat.",
    )
    settings.add_data(end_all, argparse.SUPPRESS)
    end_all.add_argument("--host", dest="of_host", metavar="USER", help="only the Spaces of this host (all)")
    end_all.add_argument("--server", metavar="URL", help="where the server is (by --host and --port before this)")
    return parser


def _token(options: argparse.Namespace) -> str | None:
    from media.server.auth import issue_from  # the server's imports take a second

    token = issue_from(
        options.data, options.user, is_admin=options.admin, ttl=options.ttl, roles=options.role or ()
    )
    print(f"{settings.page_url(options)}#token={token}" if options.url else token)
    return None


def _import(options: argparse.Namespace) -> str | None:
    from media.server.finding.imports import import_posts_into
    from media.server.imports import import_into
    from media.server.store import StoreError

    options.data.mkdir(parents=True, exist_ok=True)
    url = settings.from_options(options).database_url
    try:
        if str(options.users) == "posts":
            if options.follows is None:
                return "Name the file with the posts: python -m media import posts FILE."
            print(f"{asyncio.run(import_posts_into(url, options.follows))} posts imported.")
            return None
        users, follows = asyncio.run(import_into(url, options.users, options.follows))
    except StoreError as error:
        return str(error)
    print(f"{users} users and {follows} follows imported.")
    return None


def _audit(options: argparse.Namespace) -> str | None:
    from media.server.audit.check import check_log
    from media.server.store import StoreError

    try:
        head = asyncio.run(check_log(settings.from_options(options).database_url))
    except StoreError as error:
        return str(error)
    print(head)
    return None


def _evidence(options: argparse.Namespace) -> str | None:
    from media.server.recordings.commands import run
    from media.server.recordings.slot_file import SlotError
    from media.server.store import StoreError

    config = settings.from_options(options)
    try:
        print(
            run(
                options.what,
                *(config.data, config.database_url, config.evidence_slots),
                options.space,
                options.raw,
            )
        )
    except (StoreError, SlotError) as error:
        return str(error)
    return None


def _people(options: argparse.Namespace) -> str | None:
    from media.server.lab import write

    users, follows = write(options.users, options.seed, options.out)
    print(f"{users} and {follows} written; python -m media import {users} {follows} takes them.")
    if options.posts:
        from media.server.lab_posts import write_posts

        posts = write_posts(options.users, options.posts, options.seed, options.out)
        print(f"{posts} written; python -m media import posts {posts} takes it after them.")
    return None


def _end_all(options: argparse.Namespace) -> str | None:
    from media.server.kill_switch.command import end_all

    print(end_all(options.data, options.server or settings.page_url(options), options.of_host))
    return None


def _serve(options: argparse.Namespace) -> str | None:
    import uvloop

    from media.relay.fleet import RelayFleet
    from media.relay.metrics import fleet_families
    from media.server.serve import serve

    config = settings.from_options(options)
    fleet = RelayFleet(
        *(config.host, config.udp_port, config.relays, config.public_ips, config.listeners_per_relay),
        recorded=config.recording,
    )
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(serve(config, fleet, lambda: fleet_families(fleet), fleet.refresh))


_COMMANDS = {
    "token": _token,
    "end-all": _end_all,
    "import": _import,
    "people": _people,
    "audit": _audit,
    "evidence": _evidence,
}


if __name__ == "__main__":
    sys.exit(main())
