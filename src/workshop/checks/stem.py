"""Starts a project's programs without waiting for what they all import: Django, gunicorn.

Runs in the project's own environment, so it knows nothing but the standard library:
`python stem.py SOCKET OWNER MODULE...`. It imports the modules, none of them the project's, and
then, for each call on the socket, forks: the new process has everything imported, and runs the
program as Python itself would. It ends when OWNER, a pipe's end, is closed.

A call is one line of JSON (`argv` without the Python, `cwd`, `env`) with three descriptors: for
input, output and errors. The answers: `no` and a reason, or the process's number, and then
its exit code.
"""

import sys

del sys.path[0]  # this folder: it holds a module called `site`

import builtins
import contextlib
import gc
import importlib
import json
import os
import select
import signal
import socket
import threading
import time
import types
from typing import Any

_LARGEST = 1 << 20  # bytes of a call


def main(address: str, owner: int, modules: list[str]) -> int:
    """Import, listen, fork for each call. Returns the exit code of the forked program, too."""
    for name in modules:
        # What is not installed, or wants settings first, is imported by the program itself.
        with contextlib.suppress(Exception):
            importlib.import_module(name)
    gc.collect()
    gc.freeze()  # what is shared with the new processes stays shared
    part = f"{address}.part"
    with contextlib.suppress(FileNotFoundError):
        os.unlink(part)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(part)
    listener.listen(16)
    os.rename(part, address)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those who answer a call
    while True:
        ready = select.select([listener.fileno(), owner], [], [])[0]
        if owner in ready:
            os.unlink(address)
            return 0
        call, _ = listener.accept()
        if os.fork() == 0:
            listener.close()
            os.close(owner)
            return _answer(call)
        call.close()


def _answer(call: socket.socket) -> int:
    """Fork again: one runs the program, the other one says how it ended, or ends it."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    data, descriptors, _, _ = socket.recv_fds(call, _LARGEST, 3)
    while not data.endswith(b"\n"):
        more = call.recv(_LARGEST)
        if not more:  # it was killed, or has thought better of it
            os._exit(0)
        data += more
    words = json.loads(data)
    shadow = _shadowed(words["cwd"])
    if shadow:
        call.sendall(f"no {shadow}\n".encode())
        os._exit(0)
    number = os.fork()
    if number == 0:
        call.close()
        return _become(words, descriptors)
    for each in descriptors:
        os.close(each)
    call.sendall(b"%d\n" % number)
    code = _wait(call, number)
    with contextlib.suppress(OSError):
        call.sendall(b"%d\n" % code)
    os._exit(0)


def _wait(call: socket.socket, number: int) -> int:
    """The exit code, as `subprocess` has it. Who hung up does not want the process any more."""
    ended = os.pidfd_open(number) if hasattr(os, "pidfd_open") else None
    while True:
        done, status = os.waitpid(number, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        if ended is None:
            ready = select.select([call.fileno()], [], [], 0.005)[0]
        else:
            ready = select.select([call.fileno(), ended], [], [])[0]
        if call.fileno() in ready and not call.recv(1):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(number, signal.SIGKILL)


def _shadowed(folder: str) -> str:
    """A module of the project that has the name of one that is imported already."""
    known = {name.partition(".")[0] for name in sys.modules}
    for entry in os.listdir(folder):
        name, _, ending = entry.partition(".")
        if name in known and (ending in ("py", "so") or os.path.isdir(f"{folder}/{entry}")):
            return entry
    return ""


def _become(words: dict[str, Any], descriptors: list[int]) -> int:
    """Be the program, in all that it can notice."""
    os.setsid()
    for target, number in enumerate(descriptors):
        os.dup2(number, target)
    for number in set(descriptors):
        if number > 2:
            os.close(number)
    os.chdir(words["cwd"])
    os.environ.clear()
    os.environ.update(words["env"])
    time.tzset()
    sys.dont_write_bytecode = bool(os.environ.get("PYTHONDONTWRITEBYTECODE"))
    argv = words["argv"]
    code = 1
    try:
        _run(argv)
        code = 0
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else int(error.code is not None)
        if not isinstance(error.code, (int, type(None))):
            print(error.code, file=sys.stderr)
    except BaseException as error:
        # without our own lines, as if Python had started the program
        trace = error.__traceback__
        for _ in range(2):
            trace = trace.tb_next if trace else None
        # Python's own way to print: it says `Did you mean`, too
        sys.excepthook(type(error), error.with_traceback(trace), trace)
    getattr(threading, "_shutdown", int)()  # waits for its threads, as Python does
    import atexit

    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):
            stream.flush()
    os._exit(code & 0xFF)


def _run(argv: list[str]) -> None:
    if argv[0] == "-m":
        import runpy

        sys.argv = argv[1:]
        sys.path.insert(0, os.getcwd())
        runpy.run_module(argv[1], run_name="__main__", alter_sys=True)
        return
    main_module = types.ModuleType("__main__")
    main_module.__dict__["__builtins__"] = builtins
    sys.modules["__main__"] = main_module
    if argv[0] == "-c":
        sys.argv = ["-c", *argv[2:]]
        sys.path.insert(0, "")
        code = compile(argv[1], "<string>", "exec")
    else:
        sys.argv = list(argv)
        script = os.path.abspath(argv[0])
        sys.path.insert(0, os.path.dirname(script))
        main_module.__file__ = script
        with open(script, "rb") as file:
            code = compile(file.read(), script, "exec", dont_inherit=True)
    exec(code, main_module.__dict__)  # noqa: S102  what else should run a program?


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2]), sys.argv[3:]))
