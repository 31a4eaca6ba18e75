"""The recorder: a process that writes what relays say was heard, sealed, and nothing else.

It is apart from the relay so that no disk can make a tick late, and apart from the server so that neither's death
is the end of a recording.
"""
