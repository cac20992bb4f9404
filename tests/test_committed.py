"""What a repository gives away: every place where a secret may lie, and none is passed over."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from wrong_secrets import commit

from workshop import git
from workshop.checks import CheckFailed, committed

CANARY = b"canary-in-a-coal-mine"


def found(project: Path) -> list[tuple[str, str]]:
    """Where the canary is seen: under which name, and where, without what differs."""
    pieces = (each for each in committed.pieces(project) if CANARY in each.data)
    return [(each.path, "".join(c for c in each.where if not c.isdigit())) for each in pieces]


def where(project: Path, path: str) -> str:
    """Where the canary under this name was seen first."""
    return next(
        each.where for each in committed.pieces(project)
        if each.path == path and CANARY in each.data
    )  # fmt: skip


def write(project: Path, name: str, data: bytes = CANARY) -> None:
    (project / name).parent.mkdir(parents=True, exist_ok=True)
    (project / name).write_bytes(data)


def taken_back(project: Path, name: str) -> str:
    """A file that was in one commit only. Returns the commit."""
    write(project, name)
    commit(project)
    made = git.text("rev-parse", "HEAD", cwd=project)
    (project / name).unlink()
    commit(project)
    return made[:10]


def test_a_commit_that_was_taken_back(project: Path) -> None:
    commit(project)
    made = taken_back(project, "sub/ä name")
    assert where(project, "sub/ä name") == f"in the commit {made}"
    assert len(found(project)) == 1


def test_the_first_commit_is_named_and_each_name(project: Path) -> None:
    write(project, "one")
    commit(project)
    first = git.text("rev-parse", "HEAD", cwd=project)[:10]
    write(project, "two")
    commit(project)
    second = git.text("rev-parse", "HEAD", cwd=project)[:10]
    assert where(project, "one") == f"in the commit {first}"
    assert where(project, "two") == f"in the commit {second}"
    (project / "one").unlink()
    commit(project)
    write(project, "one")
    commit(project)
    assert where(project, "one") == f"in the commit {first}"


@pytest.mark.parametrize(
    "ref", ["refs/heads/other", "refs/tags/v1", "refs/remotes/origin/x", "refs/stash"]
)
def test_every_ref_counts(ref: str, project: Path) -> None:
    commit(project)
    start = git.text("rev-parse", "HEAD", cwd=project)
    taken_back(project, "leak")
    leaked = git.text("rev-parse", "HEAD", cwd=project)
    git.run("update-ref", ref, leaked, cwd=project)
    git.run("reset", "--quiet", "--hard", start, cwd=project)
    assert [path for path, _ in found(project)] == ["leak"]
    git.run("update-ref", "-d", ref, cwd=project)
    assert found(project) == []  # nobody who clones gets it
    git.run("update-ref", "refs/workshop/backups/one", leaked, cwd=project)
    assert found(project) == []  # nor does anybody get what `workshop goto` has saved


def test_what_came_with_a_merge_itself(project: Path) -> None:
    commit(project)
    git.run("checkout", "--quiet", "-b", "side", cwd=project)
    commit(project, "side")
    git.run("checkout", "--quiet", "main", cwd=project)
    commit(project, "main")
    git.run("-c", "user.name=A", "-c", "user.email=a@example.org", "merge", "--quiet", "--no-ff",
            "--no-commit", "side", cwd=project)  # fmt: skip
    taken_back(project, "leak")
    assert [path for path, _ in found(project)] == ["leak"]


def test_messages(project: Path) -> None:
    commit(project, CANARY.decode())
    person = ("-c", "user.name=A", "-c", "user.email=a@example.org")
    git.run(*person, "tag", "--annotate", "--message", CANARY.decode(), "v1", cwd=project)
    assert [where[:18] for _, where in found(project)] == ["in the message of "] * 2


def test_a_tag_of_a_file(project: Path) -> None:
    commit(project)
    blob = git.run("hash-object", "-w", "--stdin", cwd=project, stdin=CANARY).decode().strip()
    assert found(project) == []
    git.run("tag", "odd", blob, cwd=project)
    assert found(project) == [("", "behind a tag")]


def test_what_git_replace_hides(project: Path) -> None:
    commit(project)
    clean = git.text("rev-parse", "HEAD", cwd=project)
    write(project, "leak")
    commit(project)
    leak = git.text("rev-parse", "HEAD", cwd=project)
    (project / "leak").unlink()
    git.run("replace", leak, clean, cwd=project)
    git.run("rm", "--quiet", "--cached", "--ignore-unmatch", "leak", cwd=project)
    assert [path for path, _ in found(project)] == ["leak"]
    blobs = [
        git.run("hash-object", "-w", "--stdin", cwd=project, stdin=data).decode().strip()
        for data in (CANARY, b"harmless")
    ]
    git.run("replace", *blobs, cwd=project)
    assert [path for path, _ in found(project)] == ["leak"]


def test_what_is_not_committed(project: Path) -> None:
    write(project, ".gitignore", b"ignored\n")
    commit(project)
    write(project, "ignored")
    assert found(project) == []  # that is what ignoring is for
    write(project, "new")
    assert found(project) == [("new", "not committed yet")]
    git.run("add", "new", cwd=project)
    (project / "new").unlink()
    assert found(project) == [("new", "staged, and not committed yet")]
    git.run("rm", "--quiet", "--cached", "new", cwd=project)
    git.run("add", "--force", "ignored", cwd=project)
    assert found(project)[0] == ("ignored", "staged, and not committed yet")
    (project / "link").symlink_to(os.fsdecode(CANARY))
    assert ("link", "not committed yet") in found(project)


def test_a_link_is_read_as_it_is_written(project: Path) -> None:
    target = os.fsdecode(b"./" + CANARY + b"//")
    os.symlink(target, project / "link")  # noqa: PTH211  (a Path would tidy it up)
    data = {piece.data for piece in committed.pieces(project) if piece.path == "link"}
    assert data == {os.fsencode(target)}


def test_a_project_without_a_commit(project: Path) -> None:
    write(project, "new")
    assert found(project) == [("new", "not committed yet")]


def test_a_submodule_is_another_repository(project: Path) -> None:
    commit(project)
    link = f"160000,{'1' * 40},vendor"
    git.run("update-index", "--add", "--cacheinfo", link, cwd=project)
    git.run("-c", "user.name=A", "-c", "user.email=a@example.org", "commit", "--quiet", "-m", "x",
            cwd=project)  # fmt: skip
    assert found(project) == []


def test_no_whole_history_is_said(project: Path, tmp_path: Path) -> None:
    commit(project)
    taken_back(project, "leak")
    clone = tmp_path / "clone"
    git.run("clone", "--quiet", "--depth=1", f"file://{project}", str(clone), cwd=tmp_path)
    with pytest.raises(CheckFailed, match="only the last commits"):
        found(clone)
    blob = git.run("hash-object", "--stdin", cwd=project, stdin=CANARY).decode().strip()
    (project / ".git/objects" / blob[:2] / blob[2:]).unlink()
    with pytest.raises((CheckFailed, git.GitError)):
        found(project)
    with pytest.raises(CheckFailed, match="in no repository"):
        found(tmp_path)


def test_a_content_with_every_byte(project: Path) -> None:
    data = bytes(range(256)) * 300 + CANARY + b"\n"
    write(project, "bytes", data)
    write(project, "empty", b"")
    commit(project)
    pieces = {each.path: each.data for each in committed.pieces(project)}
    assert (pieces["bytes"], pieces["empty"]) == (data, b"")


def test_remotes(project: Path) -> None:
    assert list(committed.remotes(project)) == []
    git.run("remote", "add", "origin", "https://a:b@git.example.com/x", cwd=project)
    git.run("remote", "set-url", "--push", "origin", "ssh://git@git.example.com/x", cwd=project)
    assert list(committed.remotes(project)) == [
        ("origin", "https://a:b@git.example.com/x"),
        ("origin", "ssh://git@git.example.com/x"),
    ]
