"""Ends many Spaces at once: all media first, then the log and the store, also while the store is away."""

from typing import Final

from media.server.audit.audit import Act, Audit
from media.server.database_faults import RETRY, StoreUnavailableError
from media.server.errors import Problem
from media.server.spaces import Spaces

ACTION: Final = "end all Spaces"
"""What stands in the audit log."""
EVERYBODY: Final = "*"
"""Subject in the audit log where no host is named; nobody can be called so."""


class KillSwitch:
    """Used by admins only; what it has done stays noted until the log has it."""

    def __init__(self, spaces: Spaces, audit: Audit) -> None:
        self._spaces = spaces
        self._audit = audit
        self._unwritten: list[Act] = []

    async def end_spaces(self, admin: str, host: str | None) -> int:
        """End every live Space, or every one of a host; return how many this call has ended.

        :raises Problem: 503, they are ended, but that cannot be written down before the store is back
        """
        count, writing = await self._spaces.end_all(host)
        self._unwritten.append(Act(admin, ACTION, host or EVERYBODY, f"{count} ended"))
        try:
            await writing
            await self.catch_up()
        except StoreUnavailableError:
            sentence = (
                f"{count} Spaces are ended for everyone and stay so, but the store is not available: it is "
                "written down as soon as the store is back."
            )
            retry = {"Retry-After": str(RETRY)}
            raise Problem(503, "store-unavailable", sentence, headers=retry) from None
        return count

    async def catch_up(self) -> None:
        """Write what the audit log does not have yet."""
        while self._unwritten:
            act = self._unwritten[0]
            await self._audit.note(act.actor, act.action, act.subject, act.reason)
            self._unwritten.remove(act)
