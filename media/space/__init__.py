"""The rules of a Space: pure state machines, no I/O, no clock.

Time is handed in everywhere as ``now``, a float in seconds. The server passes Unix time, a simulation passes its
own; nothing here asks which. A call either returns the events that happened, in order, or raises a
:class:`~media.space.errors.SpaceError` and has changed nothing.
"""
