"""Other servers that do what our relay does, each started, configured at its best and heard by the same ears.

One file per rival; each has ``stage()``, a context in which it runs, somebody talks, and listeners
may come by WHEP, each with a socket of its own.
"""
