"""A transcript is written and read back without a loss; what differs from run to run is named."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workshop import transcript
from workshop.errors import WorkshopError
from workshop.transcript import Entry

TEXT = """\
$ git commit --quiet \\
>   -m "Start"
$ workshop check
| red
|
|   indented
= 1
$ pwd
| /home/ada
"""
ENTRIES = (
    Entry('git commit --quiet \\\n  -m "Start"', ""),
    Entry("workshop check", "red\n\n  indented\n", 1),
    Entry("pwd", "/home/ada\n"),
)

_LINE = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n"))
_ENTRIES = st.lists(
    st.builds(
        Entry,
        st.lists(_LINE, min_size=1).map("\n".join),
        st.lists(_LINE).map(lambda lines: "".join(f"{line}\n" for line in lines)),
        st.integers(0, 255),
    )
).map(tuple)

always = settings(database=None, deadline=None, derandomize=True)


def test_parse_and_text() -> None:
    assert transcript.parse(TEXT, "t") == ENTRIES
    assert transcript.text(ENTRIES) == TEXT


@always
@given(_ENTRIES)
def test_whatever_is_written_is_read_back(entries: tuple[Entry, ...]) -> None:
    assert transcript.parse(transcript.text(entries), "t") == entries


@always
@given(st.lists(st.sampled_from(["$ a", "$ ", "> b ", "| c ", "|", "= 1", "=", "x", ""])))
def test_whatever_is_read_is_written_back_or_refused(lines: list[str]) -> None:
    text = "\n".join(lines)
    try:
        entries = transcript.parse(text, "t")
    except WorkshopError as error:
        assert re.match(r"t:\d+: this is no line of a transcript: ", str(error))
    else:
        assert transcript.parse(transcript.text(entries), "t") == entries


@pytest.mark.parametrize(
    ("text", "line", "seen"),
    [
        ("| nothing was typed\n", 1, "'| nothing was typed'"),
        ("> nothing goes on\n", 1, "'> nothing goes on'"),
        ("$ ls\n\n", 2, "''"),
        ("$ ls\n|x\n", 2, "'|x'"),
        ("$ ls\n| x\n= one\n", 3, "'= one'"),
        ("$ ls\n= \n", 2, "'= '"),
        ("$ ls\ncut off", 2, "'cut off'"),
    ],
)
def test_what_is_no_transcript_is_named_with_its_line(text: str, line: int, seen: str) -> None:
    with pytest.raises(WorkshopError) as error:
        transcript.parse(text, "steps/01-hello/transcript.txt")
    assert str(error.value) == (
        f"steps/01-hello/transcript.txt:{line}: this is no line of a transcript: {seen}\n"
        "Don't edit it: `nox -s record` writes it."
    )


def test_a_last_line_without_an_end_counts() -> None:
    assert transcript.parse("$ ls\n| a", "t") == (Entry("ls", "a\n"),)


def test_read_and_write(tmp_path: Path) -> None:
    assert transcript.read(tmp_path) == ()
    assert transcript.write(tmp_path, ()) is False
    assert transcript.write(tmp_path, ENTRIES) is True
    assert (tmp_path / "transcript.txt").read_bytes() == TEXT.encode()
    assert transcript.read(tmp_path) == ENTRIES
    assert transcript.write(tmp_path, ENTRIES) is False
    assert [file.name for file in tmp_path.iterdir()] == ["transcript.txt"]
    assert transcript.write(tmp_path, ()) is True
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("output", "masked"),
    [
        ("Date: Wed, 25 Nov 2026 02:07:34 GMT\n", "Date: <time>\n"),
        ("at 2026-11-25T02:07:34.123Z\n", "at <time>\n"),
        (
            "at 2026-11-25 02:07:34+01:00, and 2026-11-26 02:07\n",
            "at <time>, and 2026-11-26 02:07\n",
        ),
        (
            "3 tests in 0.12s, 1.5 seconds, 7.25 ms\n",
            "3 tests in <duration>, <duration>, <duration>\n",
        ),
        (f"sha256:{'a1' * 32}\n{'0f' * 32}\n", "<digest>\n<digest>\n"),
        (f"  hash: sha256:{'a1' * 32}\n", f"  hash: sha256:{'a1' * 32}\n"),
        ("Django 5.2.1, 3 s, port 8000\n", "Django 5.2.1, 3 s, port 8000\n"),
        (
            "  change lead time                    2 min 5 s  from commit to live, the median\n"
            "  deployment frequency                3.5 a day  7 deploys in 2 days\n",
            "  change lead time<measure>  from commit to live, the median\n"
            "  deployment frequency<measure>  7 deploys <measure>\n",
        ),
        (
            "  failed deployment recovery time         5.1 s  until a rollback or mend\n",
            "  failed deployment recovery time<measure>  until a rollback or mend\n",
        ),
        (
            "  failed deployment recovery time             -  no deploy needed help\n",
            "  failed deployment recovery time             -  no deploy needed help\n",
        ),
    ],
)
def test_what_differs_from_run_to_run_is_masked_by_its_kind(output: str, masked: str) -> None:
    assert transcript.masked(output) == masked
    assert "".join(piece for _, piece in transcript.kinds(output)) == output


@always
@given(st.text(st.sampled_from("0123456789-:. TZGMTms,WednNov")))
def test_kinds_lose_nothing(output: str) -> None:
    assert "".join(piece for _, piece in transcript.kinds(output)) == output


def test_same() -> None:
    one = Entry("pytest", "1 passed in 0.12s\n")
    assert transcript.same(one, Entry("pytest", "1 passed in 3.45s\n"))
    assert not transcript.same(one, Entry("pytest", "2 passed in 0.12s\n"))
    assert not transcript.same(one, one._replace(command="pytest -q"))
    assert not transcript.same(one, one._replace(code=1))


def test_once_a_project_has_its_own_its_commits_differ_and_nothing_else() -> None:
    said = "[main {}] Seal\n  release      {} deadbeef defaced in 3 seconds\n{}\n"
    one, other = (
        Entry("git commit", said.format(each * 7, each * 10, f"{each * 39}b")) for each in "1a"
    )
    other = other._replace(output=other.output.replace("aaaaaa", "aaa7aa"))
    assert not transcript.same(one, other)
    assert transcript.same(one, other, own=True)
    words = other._replace(output=other.output.replace("defaced", "effaced"))
    assert not transcript.same(one, words, own=True)
    assert transcript.merge([one], [other], own=True) == (one,)


def test_a_count_is_no_commit_but_a_hash_without_a_letter_is_one() -> None:
    said = "1234567 bytes sent, {} deadbeef\n[main 1234567] x\n  release      1234567890 x\n"
    said += "Commit:      1234567890\nProduction:  1234567890 up\n"
    assert transcript.commits(said.format("12345a7")) == (
        "12345a7", "1234567", "1234567890", "1234567890", "1234567890",
    )  # fmt: skip


A, B, C = "1a" * 20, "2b" * 20, "3c" * 20


def deploy(*hashes: str) -> Entry:
    return Entry("deploy", "".join(f"  release      {each} x\n" for each in hashes))


@pytest.mark.parametrize(
    ("shown", "seen", "wrong"),
    [
        ((A, A[:7], B), (B, B[:7], C), ()),
        ((A[:7], A, A[:10]), (B[:7], B, B[:10]), ()),
        ((A, A[:7]), (B, C[:7]), ((A[:7], C[:7]),)),
        ((A[:7], A), (B[:7], C), ((A, C),)),
        ((A, B[:7]), (C, C[:7]), ((B[:7], C[:7]),)),
        ((A[:7],), (B[:10],), ((A[:7], B[:10]),)),
    ],
)
def test_what_is_one_commit_in_one_run_is_one_in_another(
    shown: tuple[str, ...], seen: tuple[str, ...], wrong: tuple[tuple[str, str], ...]
) -> None:
    assert tuple(transcript.Commits().meet(deploy(*shown), deploy(*seen))) == wrong
    known = transcript.Commits()
    each = [deploy(one) for one in shown], [deploy(one) for one in seen]
    assert tuple(bad for pair in zip(*each, strict=True) for bad in known.meet(*pair)) == wrong


def test_merge_keeps_all_commits_of_a_run_or_none() -> None:
    """Two words more below one command, and a page would show the commits of two runs."""
    date, later = Entry("date", "in 0.1s\n"), Entry("date", "in 0.2s\n")
    old = [[date], [deploy(A[:7]), date], [deploy(A)]]
    new = [[later], [deploy(B[:7]), later], [deploy(B)]]
    assert transcript.merge_all(old, new, 1) == tuple(map(tuple, old))
    words = Entry("deploy", f"{deploy(B).output}  and more\n")
    assert transcript.merge_all(old, [*new[:2], [words]], 1) == (
        (date,), (deploy(B[:7]), date), (words,),
    )  # fmt: skip
    mixed = [*old[:2], [deploy(C)]]
    assert transcript.merge_all(mixed, new, 1) == ((date,), (deploy(B[:7]), date), (deploy(B),))


def test_merge_takes_a_commit_that_everybody_has() -> None:
    """A lesson before has changed, and with it the commit that a later one shows, too."""
    old, new = ([[deploy(each[:7])], [deploy(each)]] for each in (A, B))
    assert transcript.merge_all(old, new, 1) == tuple(map(tuple, new))


def test_merge_keeps_what_is_still_so() -> None:
    """So that a second recording, whose clock shows another time, changes nothing."""
    old = (Entry("a", "in 0.1s\n"), Entry("b", "b\n"), Entry("a", "in 0.2s\n"))
    new = (Entry("a", "in 0.3s\n"), Entry("c", "c\n"), Entry("a", "in 0.4s\n"))
    assert transcript.merge(old, new) == (old[0], new[1], old[2])
    assert transcript.merge(old, (new[0],)) == (old[0],)
    assert transcript.merge((), new) == new
    assert transcript.merge(old, ()) == ()


@always
@given(_ENTRIES, _ENTRIES)
def test_merge_says_the_same_as_the_new(old: tuple[Entry, ...], new: tuple[Entry, ...]) -> None:
    merged = transcript.merge(old, new)
    assert len(merged) == len(new)
    assert all(transcript.same(one, other) for one, other in zip(merged, new, strict=True))
