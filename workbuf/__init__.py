"""Buffers, lists and the memory they live in: Go's work buffers at a15818fed303, below any collector."""
