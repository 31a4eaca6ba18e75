"""What users are told of decisions about them, how they complain, and what is published about all of it."""
