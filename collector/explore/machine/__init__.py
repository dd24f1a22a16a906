"""The stepped machine: runs a program's threads one step at a time, in an order that a strategy picks."""
