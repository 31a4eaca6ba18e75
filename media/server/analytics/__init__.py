"""What the host of a Space learns about it, counted while it is live and without keeping who listened."""
