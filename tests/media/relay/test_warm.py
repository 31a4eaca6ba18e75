"""No kernel is compiled or loaded once a relay runs: a join or a packet would wait for it, and every tick."""

from numba.core.dispatcher import Dispatcher

from media.rtc.inbox import Inbox
from tests.media.relay.world import ROOM, World


def test_a_conversation_calls_no_kernel_that_was_not_called_before(world: World, monkeypatch):
    Inbox().warm()
    world.core.warm()
    late: list[str] = []
    begin = Dispatcher._compile_for_args

    def note(self: Dispatcher, *arguments: object, **named: object) -> object:
        late.append(self.py_func.__name__)
        return begin(self, *arguments, **named)

    monkeypatch.setattr(Dispatcher, "_compile_for_args", note)
    ana, listener = world.speaker("ana", 440.0), world.join("lea", "recvonly")
    ana.loses = lambda number: number % 10 == 7
    world.run(0.6)
    world.core.mute(ROOM, "ana", True)
    world.run(0.2)
    world.core.let_talk(ROOM, "ana", False)
    world.run(1.0)
    world.core.drop_session(listener.name)
    world.core.close_room(ROOM)
    world.run(0.2)
    assert late == []
