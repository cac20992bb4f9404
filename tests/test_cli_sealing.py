"""`workshop seal`, as it is typed: whole outputs, and no value in any of them, nor on the disk."""

from __future__ import annotations

import contextlib
import os
import pty
import select
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from pairs import short

from workshop import sealed
from workshop.production import sealer
from workshop.sealing import Pair

CANARY = "canary-in-a-coal-mine"
SECRET = f"""\
apiVersion: v1
kind: Secret
metadata: {{name: app, namespace: production}}
stringData: {{KEY: {CANARY}}}
"""
WORDS = ("--namespace", "production", "app")


@pytest.fixture(autouse=True)
def pair(project: Path) -> Pair:
    """The first pair, short. Most tests would wait for a real one."""
    return sealer.newest(project, short)


@pytest.fixture(autouse=True)
def _nowhere(project: Path, home: Path) -> Iterator[None]:
    """What is typed or piped stands in no file: of the project, of the home, of the temporary."""
    yield
    for folder in (project.parent, home):
        for file in folder.rglob("*"):
            if file.is_file() and file.name not in ("plain.yaml", "link.yaml"):
                assert CANARY.encode() not in file.read_bytes(), file


def seal(project: Path, *words: str | Path, stdin: str = "", code: int = 0) -> tuple[str, str]:
    done = subprocess.run(
        [sys.executable, "-m", "workshop", "seal", *map(str, words)],
        cwd=project, input=stdin, capture_output=True, text=True, check=False,
        env=os.environ | {"TMPDIR": str(project.parent)},
    )  # fmt: skip
    assert CANARY not in done.stdout + done.stderr
    assert done.returncode == code, done.stderr
    return done.stdout, done.stderr


def values(project: Path, text: str) -> dict[str, bytes]:
    keys = [each.private for each in sealer.pairs(project)]
    (found,) = sealed.opened(text.encode(), keys, path="x", namespace="production")
    return dict(found.values)


def test_a_manifest_from_a_file_or_a_pipe(project: Path) -> None:
    plain = project / "plain.yaml"
    plain.write_text(SECRET)
    for words, stdin in (((plain,), ""), ((), SECRET), (("-",), SECRET)):
        out, err = seal(project, *words, stdin=stdin)
        assert (values(project, out), err) == ({"KEY": CANARY.encode()}, "")
    out, err = seal(project, plain, "--output", "sealed.yaml")
    assert (out, err) == ("Sealed: sealed.yaml. Commit it.\n", "")
    assert values(project, (project / "sealed.yaml").read_text()) == {"KEY": CANARY.encode()}
    assert plain.read_text() == SECRET
    more = ("--namespace", "integration", "--name", "web", "--scope", "namespace-wide")
    out, _ = seal(project, plain, *more)
    assert yaml.safe_load(out)["metadata"] == {
        "name": "web", "namespace": "integration",
        "annotations": {"sealedsecrets.bitnami.com/namespace-wide": "true"},
    }  # fmt: skip


def test_a_plain_file_is_never_written_over(project: Path) -> None:
    (project / "plain.yaml").write_text(SECRET)
    (project / "link.yaml").symlink_to("plain.yaml")
    (project / "notes").write_text("mine: [\n")
    from_file, from_pipe, typed = (("plain.yaml",), ""), ((), SECRET), ((*WORDS, "KEY"), CANARY)
    for output, ways in (
        ("plain.yaml", (from_file, from_pipe, typed)),
        ("link.yaml", (from_file,)),
        ("notes", (from_pipe,)),
        (".", (typed,)),
        ("/dev/null", (from_file,)),
    ):
        for words, stdin in ways:
            out, err = seal(project, *words, "--output", output, stdin=stdin, code=2)
            assert (out, err) == (
                "",
                f"error: {output}: this is not sealed, and would be lost\n"
                "       Write to another file.\n",
            )
    assert (project / "plain.yaml").read_text() == SECRET
    assert Path("/dev/null").is_char_device()
    (project / "empty.yaml").touch()
    seal(project, "plain.yaml", "--output", "empty.yaml")
    out, err = seal(project, "plain.yaml", "--output", "no/where.yaml", code=2)
    assert err.startswith("error: no/where.yaml: it can't be written: No such file or directory\n")


def test_values_from_a_pipe(project: Path) -> None:
    out, _ = seal(project, *WORDS, "KEY", stdin=f"{CANARY}\n")
    assert values(project, out) == {"KEY": CANARY.encode()}
    out, _ = seal(project, *WORDS, "KEY", stdin=f"{CANARY}\n2\n\n")
    assert values(project, out) == {"KEY": f"{CANARY}\n2\n".encode()}
    out, _ = seal(project, *WORDS, "A", "B", stdin=f"{CANARY}\r\n2\r\n")
    assert values(project, out) == {"A": CANARY.encode(), "B": b"2"}
    _, err = seal(project, *WORDS, "A", "B", stdin=f"{CANARY}\n", code=2)
    assert err == (
        "error: standard input: there are 1 lines for 2 keys: A, B\n"
        "       Give a line for each, in this order. A value of many lines is sealed alone.\n"
    )
    for stdin in (f"{CANARY}\n\n", ""):
        _, err = seal(project, *WORDS, *("A", "B")[: stdin.count("\n") or 1], stdin=stdin, code=2)
        assert "is empty" in err


def test_for_an_environment_by_its_name(project: Path) -> None:
    out, _ = seal(project, "--environment", "integration", "app", "KEY", stdin=CANARY)
    keys = [each.private for each in sealer.pairs(project)]
    (found,) = sealed.opened(out.encode(), keys, path="x", namespace="project-integration")
    assert dict(found.values) == {"KEY": CANARY.encode()}


def test_values_typed_unseen(project: Path) -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "workshop", "seal", *WORDS, "A", "B"], cwd=project,
        stdin=theirs, stdout=subprocess.PIPE, stderr=theirs, start_new_session=True, text=True,
        preexec_fn=lambda: __import__("fcntl").ioctl(0, __import__("termios").TIOCSCTTY, 0),
    )  # fmt: skip
    os.close(theirs)
    seen = b""
    for key, value in (("A", CANARY), ("B", "2")):
        while f"{key} (you see nothing while you type): ".encode() not in seen:
            assert select.select([ours], [], [], 30)[0], seen
            seen += os.read(ours, 1000)
        os.write(ours, f"{value}\n".encode())
    out, _ = process.communicate(timeout=60)
    with contextlib.suppress(OSError):  # nobody has the other end any more
        seen += os.read(ours, 10000)
    os.close(ours)
    assert process.returncode == 0
    assert CANARY.encode() not in seen
    assert values(project, out) == {"A": CANARY.encode(), "B": b"2"}


def test_a_value_that_is_made_up_is_shown_to_nobody(project: Path) -> None:
    out, err = seal(project, *WORDS, "--generate", "A", "--generate", "B", "--output", "x.yaml")
    found = values(project, (project / "x.yaml").read_text())
    assert list(found) == ["A", "B"]
    assert len({*found.values()}) == 2
    assert all(len(value) >= 50 for value in found.values())
    for value in found.values():
        assert value.decode() not in out + err
        assert not any(value in file.read_bytes() for file in project.rglob("*") if file.is_file())
    # Later, one value more, and one that is changed; the other stays as it is.
    seal(project, *WORDS, "C", "--generate", "B", "--output", "x.yaml", stdin=CANARY)
    later = values(project, (project / "x.yaml").read_text())
    assert (later["A"], later["C"]) == (found["A"], CANARY.encode())
    assert later["B"] != found["B"]
    words = ("--namespace", "integration", "app", "C", "--output", "x.yaml")
    _, err = seal(project, *words, stdin=CANARY, code=2)
    assert err.startswith("error: x.yaml: this file holds something else, which would be lost\n")
    assert values(project, (project / "x.yaml").read_text()) == later


def test_the_first_pair_is_made_and_said(project: Path) -> None:
    file = sealer.folder(project) / "0001.pem"
    file.unlink()
    certificate, err = seal(project, "--certificate")
    assert err == (
        f"The project has a key pair now, in {file.parent}\n"
        "Keep a copy of that folder: without it, nothing that is sealed opens again.\n\n"
    )
    assert certificate.encode() == sealer.newest(project).certificate
    assert seal(project, "--certificate") == (certificate, "")


def test_a_new_pair_and_everything_sealed_anew(project: Path) -> None:
    seal(project, *WORDS, "KEY", "--output", "x.yaml", stdin=CANARY)
    out, err = seal(project, "--rotate")
    assert (out, err) == (
        "A new key pair seals from now on. What was sealed before still opens.\n"
        "\n"
        "Seal it anew, file by file; no value is shown:\n"
        "  python -m workshop seal FILE --output FILE\n"
        "\n"
        "Did somebody see a value, or get an old key? Then change the value, too.\n",
        "",
    )
    keys = [each.private for each in sealer.pairs(project)]
    file = project / "x.yaml"
    (found,) = sealed.opened(file.read_bytes(), keys, path=file)
    assert (found.values, found.old) == ({"KEY": CANARY.encode()}, ("KEY",))
    assert seal(project, "x.yaml", "--output", "x.yaml") == ("Sealed: x.yaml. Commit it.\n", "")
    (found,) = sealed.opened(file.read_bytes(), keys[:1], path=file)
    assert (found.values, found.old) == ({"KEY": CANARY.encode()}, ())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("x.yaml",), "x.yaml: there is no such file\n"
         "       To seal values without one, name their keys: python -m workshop seal x.yaml KEY…"),
        ((".",), ".: it can't be read: Is a directory\n       Name a file."),
        (("app", "KEY"), "for which namespace? It opens only there\n"
         "       Say it with --namespace NAMESPACE, or in the manifest's metadata."),
        (("--generate", "KEY"), "it has no name\n"
         "       Name it in small letters, digits and dashes, such as application-secrets."),
        ((*WORDS, "K Y"), "a key has letters, digits, dashes, dots and underscores only\n"
         "       Name it as the variable that it becomes, such as SECRET_KEY."),
        ((*WORDS, f"KEY={CANARY}"),
         "a key has letters, digits, dashes, dots and underscores only\n"
         "       Name it as the variable that it becomes, such as SECRET_KEY."),
        ((*WORDS, "A", "--generate", "A"), "A is named twice\n       Name each key once."),
        ((*WORDS, "A", "--name", "b"), "the name is given twice\n"
         "       Leave --name out: it is app."),
        ((*WORDS, "A", "--environment", "production"), "the namespace is given twice\n"
         "       Leave --namespace out."),
        (("app", "A", "--environment", "prod"), "there is no environment prod\n"
         "       The environments are: development, integration, production"),
        (("--rotate", "x"), "--rotate stands alone\n       Leave the other words out."),
        (("--rotate", "--certificate"), "--certificate stands alone\n"
         "       Leave the other words out."),
        ((), "standard input: there is nothing in it\n       It should hold a manifest."),
    ],
)  # fmt: skip
def test_what_can_be_mended_is_2(project: Path, words: tuple[str, ...], said: str) -> None:
    before = sealer.pairs(project)
    assert seal(project, *words, code=2) == ("", f"error: {said}\n")
    assert sealer.pairs(project) == before


def test_a_manifest_is_not_waited_for_at_a_terminal(project: Path) -> None:
    ours, theirs = pty.openpty()
    done = subprocess.run(
        [sys.executable, "-m", "workshop", "seal"], cwd=project, stdin=theirs,
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    os.close(ours)
    os.close(theirs)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: seal what?\n")
