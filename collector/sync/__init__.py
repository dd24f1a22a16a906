"""Synchronisation made of the port's operations, as Go's package `sync` and the literature define it.

    mutex      lock, try-lock, unlock                            waitqueue   those who wait, first come, first served
    cond       condition variable                                waitgroup   wait until all others are through (join)
    semaphore  count that may be waited for                      barrier     wait until all others are there
    rwmutex    many readers, or one writer

They run on the stepped machine and on real threads.  On the stepped machine every step within them is explored, so that a
test of code that uses them is a test of them, too; `tests/race/sync` has them alone, each with a faulty variant.
"""
