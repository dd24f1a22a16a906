"""Mutation testing: every small change of the protocol's source, and planted faults, against race programs and stress.

A *mutant* is the protocol with one change.  It is *killed* if a check fails, *equivalent* if no run can tell it from the
protocol, and else it has *survived*: a hole in the checks.
"""
