"""The machines of a service: hosts, relays, cards, files, the control plane, and which of them breaks first."""
