"""What hosts set: who comes into a Space while it is live, and what holds for all of their Spaces."""
