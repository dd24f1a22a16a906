"""Data races: found by vector clocks, reported with both stacks."""
