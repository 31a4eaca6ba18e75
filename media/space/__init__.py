"""The rules of a Space: pure state machines, no I/O, no clock."""
