"""Reports and what becomes of them: cases, claims under a lease, decisions carried out in the media path."""
