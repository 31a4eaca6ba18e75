"""The crowd against a dictionary: whatever comes, goes and changes, everyone hears what they should."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from media.rtc.crowd import Crowd
from tests.media.rtc.ears import Ear, Wire, ssrc_of

picks = st.integers(0, 1000)


class CrowdMachine(RuleBasedStateMachine):
    """Two addresses, any number of rows and listeners; the model is ``hears``: listener to (row, address)."""

    def __init__(self) -> None:
        super().__init__()
        self.wires = (Wire(), Wire())
        self.crowd = Crowd()
        self.rows: list[int] = [self.crowd.new_row()]
        self.ears: list[Ear] = []
        self.hears: dict[int, tuple[int, int]] = {}
        self.tick = 0

    @rule(row=picks, wire=st.integers(0, 1), many=st.sampled_from([1, 1, 1, 40]))
    def join(self, row: int, wire: int, many: int) -> None:
        for _ in range(many):
            ear = Ear()
            ear.join(self.crowd, self.wires[wire].address, self.rows[row % len(self.rows)])
            self.ears.append(ear)
            self.hears[ear.ssrc] = (self.rows[row % len(self.rows)], wire)

    @precondition(lambda self: self.ears)
    @rule(who=picks)
    def leave(self, who: int) -> None:
        ear = self.ears.pop(who % len(self.ears))
        self.crowd.remove(ear)
        assert ear.place == -1
        ear.context.close()  # a packet sent with it would crash or fail
        del self.hears[ear.ssrc]

    @precondition(lambda self: self.ears)
    @rule(who=picks, row=picks)
    def hear(self, who: int, row: int) -> None:
        ear, row = self.ears[who % len(self.ears)], self.rows[row % len(self.rows)]
        self.crowd.hear(ear, row)
        self.hears[ear.ssrc] = (row, self.hears[ear.ssrc][1])

    @precondition(lambda self: self.ears)
    @rule(who=picks)
    def move(self, who: int) -> None:
        ear = self.ears[who % len(self.ears)]
        row, wire = self.hears[ear.ssrc]
        self.crowd.move(ear, self.wires[1 - wire].address)
        self.hears[ear.ssrc] = (row, 1 - wire)

    @rule(many=st.sampled_from([1, 20]))
    def open_rows(self, many: int) -> None:
        new = [self.crowd.new_row() for _ in range(many)]
        assert not set(new) & set(self.rows) and len(set(new)) == many
        self.rows += new

    @precondition(lambda self: len(self.rows) > 1)
    @rule(which=picks)
    def close_row(self, which: int) -> None:
        row = self.rows[which % len(self.rows)]
        if all(heard != row for heard, _ in self.hears.values()):
            self.rows.remove(row)
            self.crowd.free_row(row)

    @invariant()
    def everyone_hears_what_they_should(self) -> None:
        self.tick += 1
        spoken = {}
        for row in self.rows:
            if (row + self.tick) % 4:
                spoken[row] = f"{row}/{self.tick}".encode()
                self.crowd.fill(row, spoken[row], 960 * self.tick, None, False)
            else:
                self.crowd.silence(row)
        self.crowd.send(self.wires[0].fd)
        ears = {ear.ssrc: ear for ear in self.ears}
        heard = {
            (ssrc_of(datagram), wire, ears[ssrc_of(datagram)].read(datagram).payload)
            for wire in (0, 1)
            for datagram in self.wires[wire].take()
        }
        expected = {(ssrc, wire, spoken[row]) for ssrc, (row, wire) in self.hears.items() if row in spoken}
        assert heard == expected

    @invariant()
    def places_are_dense_and_known_to_their_holders(self) -> None:
        assert len(self.crowd) == len(self.ears)
        assert sorted(ear.place for ear in self.ears) == list(range(len(self.ears)))
        assert self.crowd.failures == 0

    def teardown(self) -> None:
        for wire in self.wires:
            wire.close()


TestCrowd = CrowdMachine.TestCase
TestCrowd.settings = settings(max_examples=40, stateful_step_count=30, derandomize=True, deadline=None)
