"""A user of the swarm with an account of their own on the server."""

from typing import Any

from locust import HttpUser
from locust.exception import StopUser

from loadtest.crew import Crew
from loadtest.venue import Venue


class Account(HttpUser):
    """Has a name, a token made for it, and the Space to go to; not used by itself."""

    abstract = True
    title = "user"
    """What the name begins with."""
    roles: tuple[str, ...] = ()
    """What the token says beside the name."""

    def sign_in(self) -> tuple[Crew, Venue]:
        """Wait for the Space and get a token; :raises StopUser: the run could not begin, or there is none."""
        environment: Any = self.environment
        crew = environment.crew
        if crew is None:
            raise StopUser
        venue: Venue = crew.wait_for_venue()
        self.number = crew.next_number(self.title)
        self.name = f"{self.title}{self.number + 1}"
        admin = {"Authorization": f"Bearer {environment.parsed_options.token}"}
        body: dict[str, Any] = {"users": [self.name], **({"roles": list(self.roles)} if self.roles else {})}
        with self.client.post("/tokens", json=body, headers=admin, catch_response=True) as response:
            if not response.ok:
                response.failure(f"HTTP {response.status_code}: {response.text[:300]}")
                raise StopUser
            self.token = str(response.json()["data"][0]["token"])
        self.headers = {"Authorization": f"Bearer {self.token}"}
        return crew, venue
