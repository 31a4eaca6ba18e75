"""A voice raid and what is done about it: Locust users who disturb, report and review."""
