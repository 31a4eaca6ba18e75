"""Sound: arrays in, arrays out. No I/O, no clock."""
