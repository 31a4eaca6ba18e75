"""Stories told top to bottom: measure, fit, simulate, compare, plan."""
