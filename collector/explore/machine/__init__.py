"""The stepped machine: flat memory, threads, and one execution at a time, in an order that a strategy picks."""
