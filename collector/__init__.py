"""The collector itself: phases, roots, marking, termination and sweep, and all that looks at it while it runs."""
