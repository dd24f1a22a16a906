"""Stress of the primitives alone, on real threads and without a heap: the stack, the termination barrier, the harvest.

A run is rounds, each on a machine of its own and checked when its threads have ended, until the time is over.
"""
