import pytest

from media.server.errors import Problem
from media.server.events.places import Places


def test_places_are_counted_for_each_person_and_each_address_and_given_back() -> None:
    places = Places(per_person=2, per_address=3)
    mine = [places.take("lea", "192.0.2.1") for _ in range(2)]
    with pytest.raises(Problem, match="streams of yours"):
        places.take("lea", "192.0.2.2")
    anonymous = places.take(None, "192.0.2.1")
    with pytest.raises(Problem, match="from your address") as refused:
        places.take("ben", "192.0.2.1")
    assert (refused.value.status, refused.value.headers) == (429, {"Retry-After": "5"})
    for _ in range(10):
        places.take(None, "")  # this machine itself
    places.give(mine.pop())
    places.give(anonymous)
    places.take("lea", "192.0.2.1")
    places.take("ben", "192.0.2.1")
