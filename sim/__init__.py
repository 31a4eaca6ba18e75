"""Models of how rooms grow, talk and load a relay, and the record that compares them with a measured run."""
