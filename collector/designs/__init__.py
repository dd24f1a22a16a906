"""The line of designs: how Go passed grey objects around before the seed commit and after it, one design to a file.

A design is a subclass that overrides as few of the seed's methods as will do; `compare` measures designs side by side.
The ownership checks, the audits and the world are the same for all.
"""
