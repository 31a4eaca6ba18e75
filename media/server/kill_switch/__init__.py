"""The kill switch: every live Space, or every one of a host, ends in the media path in one command."""
