"""A voice raid on a live Space, for plain ``locust``: a crowd, raiders, reporters and moderators.

For example::

    export SPACES_TOKEN=$(python -m media token --user swarm --admin)
    locust -f loadtest/raid/locustfile.py -H http://127.0.0.1:8080 --headless -u 100 -r 50 -t 90 --moderators 3
"""

from typing import Any

from locust import events

from loadtest.conductor import register
from loadtest.raid.moderator import Moderator
from loadtest.raid.options import add_options
from loadtest.raid.raider import Raider
from loadtest.raid.reporter import Reporter
from loadtest.shape import Audience
from loadtest.users import Listener, Speaker

__all__ = ["Audience", "Listener", "Moderator", "Raider", "Reporter", "Speaker"]


def _count(environment: Any, **_: Any) -> None:
    options = environment.parsed_options
    for users, count in (
        (Raider, options.raiders),
        (Reporter, options.reporters),
        (Moderator, options.moderators),
    ):
        users.fixed_count = count
        if not count:
            environment.user_classes = [each for each in environment.user_classes if each is not users]


register()
events.init_command_line_parser.add_listener(add_options)
events.init.add_listener(_count)
