"""The phases of a collection: the values of the global word `gcphase`.  (Go: _GCoff and the rest, runtime2.go.)

Guards.  I13: the phase changes only while the world is stopped, so between two safepoints a plain load is good.

Their names in logs and reports are `workbuf.events.PHASE_NAMES`.
"""

from __future__ import annotations


GCoff = 0
"""No collection; the sweeper may be running; the write barrier is off."""
GCquiesce = 1
"""Never entered at this commit."""
GCstw = 2
"""Never entered at this commit."""
GCscan = 3
"""Roots are scanned one level deep while mutators run; the write barrier is off."""
GCmark = 4
"""Marking while mutators run; the write barrier is on."""
GCmarktermination = 5
"""Marking in the stopped world; new objects are born marked."""
GCsweep = 6
"""Never entered at this commit: sweeping happens in GCoff."""
