"""Canaries, each a word that stands nowhere else: who finds one inside knows what has leaked."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from pathlib import Path

from workshop import git

# Where secrets lie around on laptops, and how they look there.
_SECRETS = {
    ".env": "SECRET_KEY={}\n",
    "application/.env": "SECRET_KEY={}\n",
    ".git/config": '[remote "origin"]\n\turl = https://me:{}@git.example.com/demo.git\n',
    "docker-compose.override.yml": "services:\n  application:\n    environment:\n"
    "      SECRET_KEY: {}\n",
}
_ARGUMENT = "the build argument SECRET_KEY"
# What lies around beside it. Everything that git has and only developers need comes in addition.
_LEFTOVERS = {
    "application/__pycache__/urls.cpython-310.pyc": "{}",
    ".tox/unit/pyvenv.cfg": "# {}\n",
}
_FOR_DEVELOPERS = re.compile(r"tests/.+|tox\.ini|(docker-)?compose\.ya?ml")


class Canaries:
    """Those of one clone: some where people keep their secrets, some in files that production does
    not need."""

    def __init__(self) -> None:
        self._base = f"canary{secrets.token_hex(8)}x"
        self._known: list[tuple[str, bool]] = []  # what each stands for, and if it is a secret

    def plant(self, clone: Path) -> str:
        """Put them into the clone. Returns the one that is for the build argument."""
        git.run("init", "--quiet", "--template=", cwd=clone)
        own = [
            file.relative_to(clone).as_posix()
            for file in sorted(clone.rglob("*"))
            if file.is_file()
        ]
        for name in own:
            if _FOR_DEVELOPERS.fullmatch(name):
                self._append(clone, name, "\n# {}\n", secret=False)
        for name, text in _LEFTOVERS.items():
            self._append(clone, name, text, secret=False)
        for name, text in _SECRETS.items():
            self._append(clone, name, text, secret=True)
        return self._new(_ARGUMENT, secret=True)

    def found(self, data: bytes) -> Iterator[tuple[str, bool]]:
        """What those that are in there stand for, and whether that is a secret."""
        if (base := self._base.encode()) in data:
            for number in dict.fromkeys(re.findall(base + rb"(\d+)x", data)):
                yield self._known[int(number)]

    def _append(self, clone: Path, name: str, text: str, *, secret: bool) -> None:
        file = clone / name
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("a", encoding="utf-8") as end:
            end.write(text.format(self._new(name, secret=secret)))

    def _new(self, what: str, *, secret: bool) -> str:
        self._known.append((what, secret))
        return f"{self._base}{len(self._known) - 1}x"
