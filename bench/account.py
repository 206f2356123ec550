"""What a group of processes used: CPU time of all, those that have ended included, and memory.

A control group counts exactly that; where none can be made (no root), the processes below the first
one are added up from /proc, with the time of the children they have waited for.
"""
import os
import re
import time
from pathlib import Path

TICKS = os.sysconf('SC_CLK_TCK')


def make_group(name):
    for base, usage in (('/sys/fs/cgroup/cpuacct', 'cpuacct.usage'),
                        ('/sys/fs/cgroup', 'cpu.stat')):
        path = Path(base, name)
        try:
            path.mkdir(exist_ok=True)
        except OSError:
            continue
        if (path / usage).exists() and (path / 'cgroup.procs').exists():
            return Group(path, usage)
    return Descendants()


class Group:
    """A control group, version 1 or 2."""

    def __init__(self, path, usage):
        self.path, self.usage = path, usage

    def enter(self):
        """In the child, before exec."""
        (self.path / 'cgroup.procs').write_text(str(os.getpid()))

    def watch(self, pid):
        pass

    def pids(self):
        return [int(pid) for pid in (self.path / 'cgroup.procs').read_text().split()]

    def cpu(self):
        """Seconds."""
        text = (self.path / self.usage).read_text()
        if self.usage == 'cpu.stat':
            return int(re.search(r'^usage_usec (\d+)', text, re.M).group(1)) / 1e6
        return int(text) / 1e9

    def remove(self):
        for _ in range(50):
            try:
                self.path.rmdir()
                return
            except OSError:
                time.sleep(0.1)


class Descendants:
    """The processes below one, by /proc."""

    def __init__(self):
        self.root = None

    def enter(self):
        pass

    def watch(self, pid):
        self.root = pid

    def pids(self):
        parents = {}
        for entry in Path('/proc').iterdir():
            if entry.name.isdigit():
                try:
                    parents[int(entry.name)] = int(_stat(entry.name)[1])
                except OSError:
                    pass
        found, grown = {self.root}, True
        while grown:
            more = {p for p, parent in parents.items() if parent in found} - found
            grown = bool(more)
            found |= more
        return sorted(found)

    def cpu(self):
        total = 0
        for pid in self.pids():
            try:
                total += sum(int(field) for field in _stat(pid)[11:15])
            except OSError:
                pass
        return total / TICKS

    def remove(self):
        pass


def _stat(pid):
    return Path(f'/proc/{pid}/stat').read_text().rsplit(')', 1)[1].split()


def kernel_cpu():
    """Seconds that threads of the kernel took: write-back and the file system's own journal, which
    no group accounts for. Of the whole machine, whoever caused it."""
    total = 0
    for entry in Path('/proc').iterdir():
        if entry.name.isdigit():
            try:
                fields = _stat(entry.name)
            except OSError:
                continue
            if fields[1] == '2':
                total += int(fields[11]) + int(fields[12])
    return total / TICKS


def pss(pids):
    """Bytes of memory, what is shared divided by those who share it."""
    total = 0
    for pid in pids:
        try:
            rollup = Path(f'/proc/{pid}/smaps_rollup').read_text()
            total += int(re.search(r'^Pss:\s+(\d+) kB', rollup, re.M).group(1)) * 1024
        except (OSError, AttributeError):
            pass
    return total
