"""Captions: the speech of each speaker who consented, as lines of text.

The parts decide on sound and text with time passed in; only the process around them (``python -m media.captions``)
has a clock, a socket and a model.
"""
