"""Who a process is. Its number alone does not tell: that is given away again."""

from __future__ import annotations

from pathlib import Path


def born(process: int) -> str | float:
    """When a process began: with its number, that names it for good. Empty or 0 when it is gone.

    Linux counts from the start of the machine. The time of day that follows from it moves whenever
    somebody sets the clock, so both are taken as they are. Elsewhere it is the time of day.
    """
    try:
        machine = Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except OSError:
        return _time_of_start(process)
    try:
        stat = Path(f"/proc/{process}/stat").read_text("utf-8", "replace")
    except OSError:
        return ""
    fields = stat.rpartition(")")[2].split()  # from the third on
    return "" if fields[0] in "ZX" else f"{machine} {fields[19]}"


def is_it(process: int, noted: str | float) -> bool | None:
    """Whether the process of this number is the one of which that was noted. None if nobody knows:
    an older workshop noted the time of day, and the clock may have been set since."""
    if not noted:
        return False
    if isinstance(noted, str):
        return born(process) == noted
    start = _time_of_start(process)
    return False if not start else start == noted or None


def _time_of_start(process: int) -> float:
    import psutil

    try:
        found = psutil.Process(process)
        return 0.0 if found.status() == psutil.STATUS_ZOMBIE else found.create_time()
    except psutil.Error:
        return 0.0
