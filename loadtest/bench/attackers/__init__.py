"""What strangers and members could do to a server, one attack a file: bounded in count and time, on loopback."""
