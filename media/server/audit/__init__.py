"""The audit log: who did what in moderation, and why, as a chain of hashes in the store."""
