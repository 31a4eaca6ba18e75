"""Finding the right people: posts, who mentions what in them, invitations to a Space, and who came."""
