"""The evidence copy of a Space as bytes: Ogg pages of Opus packets, sealed record by record.

Bytes in, bytes out: nothing here opens a file, knows the time or draws a random number, so that every cut and
every flipped bit of a recording can be tried in a test.
"""
