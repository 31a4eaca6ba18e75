"""Tickets: offered, bought, checked at the door, refunded, and what a host earns by them."""
