"""The swarm's own flags, beside Locust's; they also stand in the web UI's form."""

from locust.argument_parser import LocustArgumentParser


def add_options(parser: LocustArgumentParser) -> None:
    """Called by Locust before it parses the command line."""
    group = parser.add_argument_group("Spaces", "Who comes to the Space, and where the record of the run goes")
    group.add_argument(
        "--scenario",
        default="",
        metavar="NAME",
        help="let the audience of this scenario come (see: python -m sim list); its arrivals replace -u and -r",
    )
    group.add_argument(
        "--listeners", type=int, default=200, metavar="N", help="the scenario's peak, scaled to this (%(default)s)"
    )
    group.add_argument(
        "--duration",
        type=float,
        default=60.0,
        metavar="SECONDS",
        help="the scenario's length, compressed to this (%(default)s)",
    )
    group.add_argument(
        "--steps", default="", metavar="N,N,...", help="a staircase of listeners instead of a scenario"
    )
    group.add_argument(
        "--step-time", type=float, default=15.0, metavar="SECONDS", help="length of a step (%(default)s)"
    )
    group.add_argument(
        "--join-rate", type=float, default=50.0, metavar="N", help="listeners a second up a step (%(default)s)"
    )
    group.add_argument(
        "--speakers",
        type=int,
        default=2,
        metavar="N",
        help="synthetic speakers on stage (%(default)s, at most 12)",
    )
    group.add_argument(
        "--continuous", action="store_true", help="let speakers talk without pauses instead of in talk-spurts"
    )
    group.add_argument(
        "--probes",
        type=int,
        default=0,
        metavar="N",
        help="listeners who play what they hear, and one speaker whose chirps they time from mouth to ear"
        " (%(default)s)",
    )
    group.add_argument("--seed", type=int, default=1, metavar="N", help="seed of everything drawn (%(default)s)")
    parser.add_argument(
        "--token",
        default="",
        env_var="SPACES_TOKEN",
        is_secret=True,
        help="admin token of the server (python -m media token --user NAME --admin)",
    )
    group.add_argument("--runs", default="runs", metavar="DIR", help="folder of run records (%(default)s)")
    group.add_argument("--run-id", default="", metavar="ID", help="name of the record (made up if not given)")
