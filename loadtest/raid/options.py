"""The flags of a raid, beside those of the swarm."""

from locust.argument_parser import LocustArgumentParser


def add_options(parser: LocustArgumentParser) -> None:
    """Called by Locust before it parses the command line."""
    group = parser.add_argument_group("Raid", "Who disturbs, who reports it, and who decides")
    group.add_argument("--raiders", type=int, default=20, metavar="N", help="who disturb (%(default)s)")
    group.add_argument("--reporters", type=int, default=3, metavar="N", help="who report it (%(default)s)")
    group.add_argument("--moderators", type=int, default=3, metavar="N", help="who decide (%(default)s)")
    group.add_argument(
        "--raid-apart",
        type=float,
        default=3.0,
        metavar="SECONDS",
        help="mean time from one raider's first noise to the next one's (%(default)s)",
    )
    group.add_argument(
        "--report-after",
        type=float,
        default=2.0,
        metavar="SECONDS",
        help="mean time until a reporter reports who disturbs (%(default)s)",
    )
    group.add_argument(
        "--review-median",
        type=float,
        default=8.0,
        metavar="SECONDS",
        help="median time a moderator takes to decide, lognormal; people take 240 (%(default)s)",
    )
    group.add_argument(
        "--review-error",
        type=float,
        default=0.0,
        metavar="SHARE",
        help="share of decisions that find nothing (%(default)s)",
    )
