"""Reminders of scheduled Spaces: who wants them, and how they come: in the app, by Web Push, in a calendar."""
