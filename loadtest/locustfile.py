"""The swarm, for plain ``locust``: real listeners and speakers in a Space, following a scenario or a staircase.

For example::

    export SPACES_TOKEN=$(python -m media token --user swarm --admin)
    locust -f loadtest/locustfile.py -H http://127.0.0.1:8080 --headless --scenario product-launch --listeners 300
"""

from loadtest.conductor import register
from loadtest.shape import Audience
from loadtest.users import Listener, Speaker

__all__ = ["Audience", "Listener", "Speaker"]

register()
