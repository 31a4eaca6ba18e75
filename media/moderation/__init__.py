"""Rules of moderation: reports, cases, leases, decisions, appeals and the clocks of the evidence.

Pure: no I/O, no clock, no event loop. Time is an argument in seconds, what happened is the result. The server runs
these objects on the wall clock, and a simulation runs the same ones on simulated time.
"""
