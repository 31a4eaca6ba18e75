"""The kernel's time of a datagram's arrival, as a socket is asked for it; apart from the kernels that read it."""

SO_TIMESTAMPNS = 35
"""asm-generic/socket.h: the socket option, and the type of the control message with the ``timespec``."""
