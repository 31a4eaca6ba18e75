"""What happens, told at once to who wants to know: Server-Sent Events of a Space, and of a person's own news."""
