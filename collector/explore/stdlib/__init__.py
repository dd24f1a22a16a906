"""Stand-ins for the standard library's `threading`, `queue` and `time`, over the stepped machine.

`load(machine, "bank")` loads the module `bank` with these in place of the real ones, its source as it is, so that a class
written for threads is explored:

    def program(machine):
        bank = load(machine, "bank")
        account = bank.Account(100)
        for _ in range(2):
            machine.spawn(lambda port: account.withdraw(60))
        def check():
            assert account.balance >= 0
        return check
"""

from __future__ import annotations

from collector.explore.stdlib.load import load


__all__ = ["load"]
