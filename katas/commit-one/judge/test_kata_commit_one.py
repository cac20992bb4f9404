"""Kata commit-one: the first commit is in production, and nobody had to touch it up."""

import math

from workshop.checks import expect

pytest_plugins = ["workshop.kata.plugin"]


def test_first_commit_works(submission):
    """Your first commit works, all alone, in a production that has never seen another."""
    first = submission.root
    with submission.alone(first) as site:
        answer = site.get("/")
    served = answer.headers.get("X-Release", "none")
    expect(
        served == first,
        seen=f"it answers with the commit {served}",
        expected=f"the commit {first}",
        do="Leave the header X-Release to production: your code must not set it.",
    )
    answer.must_be(
        200,
        do="Did it never go live? Then amend it: nobody has seen it. If it did, begin the kata"
        " anew, in another folder, and look at `/` before you commit.",
    )


def test_first_to_go_live(submission):
    """The first thing that went live is your first commit."""
    went = submission.deploys[0].commit
    expect(
        went == submission.root,
        seen=f"the first to go live was {submission.name(went)}",
        expected=f"your first commit, {submission.name(submission.root)}",
        do="Begin the kata anew, in another folder. Commit once, deploy, and only then write more.",
    )


def test_within_the_time_box(submission):
    """Something was live within the time box."""
    minutes = math.ceil(submission.time_needed.total_seconds() / 60)
    expect(
        minutes <= submission.minutes,
        seen=f"it was live in minute {minutes}",
        expected=f"it is live within {submission.minutes} minutes",
        do="Talk about what took so long, begin the kata anew, in another folder,"
        " and leave that out at first.",
    )


def test_history_is_not_rewritten(submission):
    """Each commit that went live is still in your history."""
    lost = [each.commit for each in submission.deploys if not submission.holds(each.commit)]
    expect(
        not lost,
        seen=f"it went live, and is gone from the history: {submission.name(lost[0])}"
        if lost
        else "",
        expected="what was live once stays in the history, as it was",
        do="Bring it back: git reflog shows where it was. Mend things with a new commit, and "
        "without amend, rebase or reset.",
    )


def test_last_commit_is_live(submission):
    """What is live now is your last commit."""
    with submission.live() as site:
        served = site.get("/").headers.get("X-Release", "none")
    expect(
        served == submission.head,
        seen=f"{submission.name(served)} is live",
        expected=f"{submission.name(submission.head)} is live",
        do="Run: workshop deploy",
    )


def test_page_answers(submission):
    """The page / answers in production."""
    with submission.live() as site:
        site.get("/").must_be(200, do="Mend the page, commit, and deploy again.")
