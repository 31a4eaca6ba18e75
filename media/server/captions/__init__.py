"""Captions: who consents to them, the process that makes them, the lines that stay, and transcripts."""
