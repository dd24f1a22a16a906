"""A pool of boxes of work, which workers empty together; who finds it empty waits, until all of them do."""

from workbuf.machine import Pause


class Pool:
    """`boxes` counts those that nobody has, `waiting` the workers that wait for one."""

    def __init__(self, machine, workers):
        self.workers = workers
        self.boxes = machine.word(0, "boxes")
        self.waiting = machine.word(0, "waiting")

    def put(self, port):
        """One more box.  Only a worker that has a box puts another."""
        port.xadd(self.boxes, 1)

    def trytake(self, port):
        """A box, if there is one: says whether there was."""
        while boxes := port.load(self.boxes):
            if port.cas(self.boxes, boxes, boxes - 1):
                return True
            port.pause(Pause.PROCYIELD, 1)
        return False

    def take(self, port):
        """A box: True.  Or all the work is done: False, to every worker."""
        if self.trytake(port):
            return True
        port.xadd(self.waiting, 1)
        while True:
            if port.load(self.boxes) and self.trytake(port):
                port.xadd(self.waiting, -1)
                return True
            if port.load(self.waiting) == self.workers:
                return False
            port.pause(Pause.PROCYIELD, 1)
