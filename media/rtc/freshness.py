"""Whether a peer is alive, and whether it may be sent to: two questions, answered by different packets.

Leave to send (RFC 7675) comes from connectivity checks on the path in use: the peer's own, or its answers to
ours, which are sent when its own cease. It lapses after :data:`CONSENT_TIMEOUT`; then sending stops, and receiving
goes on. Alive is whose authentic packets arrive, of whatever kind.

A check can be overheard and sent again for ever, in its sender's name. So the checks of a peer that has ever
answered one of ours count only while something else vouches for it: sound, reports, or answers, none of which can
be repeated. A peer that answers nothing is taken at its word.
"""

from math import inf

LIFE_TIMEOUT = 15.0
"""Seconds without an authentic packet until the session ends."""
CONSENT_TIMEOUT = 30.0
"""Seconds without a check or an answer from the path in use until sending stops (RFC 7675 §5.1)."""
FIRST_CHECK_TIMEOUT = 30.0
"""Seconds a client has from the answer to its first check."""
PROBE_AFTER = 7.5
"""Seconds without one until the peer is sent a check; consent checks of most agents come every 2.5 to 6 s."""
PROBE_INTERVAL = 2.5
"""Seconds between two checks that are not answered."""


class Freshness:
    """What time does to one session. Times are the caller's, in seconds."""

    def __init__(self, now: float) -> None:
        self._began = False
        self.alive_until = now + FIRST_CHECK_TIMEOUT
        self.consent_until = -inf
        self._vouched = -inf
        """When something came that cannot be repeated."""
        self._answers = False
        self._probed = -inf

    def note_check(self, when: float, in_use: bool) -> None:
        """A check of the peer came; ``in_use``: from where it is sent to."""
        if self._answers and when - self._vouched > LIFE_TIMEOUT:
            return
        self._live(when)
        if in_use:
            self.consent_until = max(self.consent_until, when + CONSENT_TIMEOUT)

    def note_media(self, when: float) -> None:
        """Authentic sound, or an authentic report, came."""
        self._vouched = max(self._vouched, when)
        self._live(when)

    def note_answer(self, when: float, in_use: bool) -> None:
        """The peer has answered a check of ours."""
        self._answers = True
        self.note_media(when)
        if in_use:
            self.consent_until = max(self.consent_until, when + CONSENT_TIMEOUT)

    def note_probe(self, now: float) -> None:
        """A check of ours has been sent."""
        self._probed = now

    def may_send(self, now: float) -> bool:
        """The leave has not lapsed."""
        return now < self.consent_until

    @property
    def probe_at(self) -> float:
        """When the peer is to be sent a check, since its own say too little; never once the leave has lapsed."""
        if not self._began:
            return inf
        stale = self.consent_until - CONSENT_TIMEOUT
        if self._answers:
            stale = min(stale, self._vouched)
        due = max(stale + PROBE_AFTER, self._probed + PROBE_INTERVAL)
        return due if due < self.consent_until else inf

    def _live(self, when: float) -> None:
        until = when + LIFE_TIMEOUT
        self.alive_until = max(self.alive_until, until) if self._began else until
        self._began = True
