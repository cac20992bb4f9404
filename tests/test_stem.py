"""Who calls a stem and goes away leaves nobody behind."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from producing import until

from workshop.checks import processes


@pytest.mark.parametrize("said", [b"", b'{"argv": '], ids=["nothing", "half a call"])
def test_a_caller_that_hangs_up(said: bytes, tmp_path: Path) -> None:
    address = tmp_path / "stem"
    owner, ends = os.pipe()
    stem = subprocess.Popen(
        [sys.executable, processes._STEM, address, str(owner)], cwd=tmp_path, pass_fds=[owner]
    )
    os.close(owner)
    until(address.exists)
    with socket.socket(socket.AF_UNIX) as call:
        call.connect(str(address))
        call.sendall(said)
        until(psutil.Process(stem.pid).children)
    until(lambda: not psutil.Process(stem.pid).children())
    os.close(ends)
    assert stem.wait(10) == 0
