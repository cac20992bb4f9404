"""Step 04: two questions, two pages. Are you alive? Are you ready?"""

from workshop.checks import expect

SOON = 2.0  # seconds; who asks a probe doesn't wait longer
ELSEWHERE = (301, 302, 404)  # it answers at another path, with a slash, or not at all
LIVEZ = "Add a view for the path livez, in application/urls.py. It asks nobody."
READYZ = "Add a view for the path readyz, in application/urls.py: SELECT 1, then 200."
REFUSED = (
    "The database runs, and the view says no: look at the error that it catches. SELECT 1 is a"
    " question that PostgreSQL answers."
)


def test_livez(project, database):
    """/livez answers 200: the process is alive."""
    with project.serve(database=database) as site:
        site.get("/livez").must_be(200, do=LIVEZ)


def test_readyz(project, database):
    """/readyz answers 200 while the database answers."""
    with project.serve(database=database) as site:
        answer = site.get("/readyz")
    answer.must_be(200, do=REFUSED if answer.status == 503 else READYZ)


def test_database_stopped(project, database):
    """The database is stopped: still alive, not ready, and both are said at once."""
    with project.serve(database=database) as site, database.stopped():
        alive, ready = site.get("/livez"), site.get("/readyz")
    for answer, do in ((alive, LIVEZ), (ready, READYZ)):
        if answer.status in ELSEWHERE:
            answer.must_be(200, do=do)
    expect(
        alive.status == 200,
        seen=f"database stopped: GET /livez answered {alive}",
        expected="200: a restart would not bring the database back",
        do="Ask nobody in the view of /livez. It only says that the process runs.",
    )
    expect(
        ready.status == 503,
        seen=f"database stopped: GET /readyz answered {ready}",
        expected="503: no visitors, please",
        do="Catch the database's error in the view of /readyz, and answer with status=503.",
    )
    expect(
        ready.seconds < SOON,
        seen=f"database stopped: GET /readyz took {ready.seconds:.1f} seconds",
        expected=f"an answer within {SOON:.0f} seconds",
        do="Try once, and don't wait for the database in the view of /readyz.",
    )


def test_database_back(project, database):
    """The database is back: ready again, and nobody had to restart anything."""
    with project.serve(database=database) as site:
        with database.stopped():
            site.get("/readyz")
        back = site.get("/readyz")
    if back.status != 503:
        back.must_be(200, do=READYZ)
    expect(
        back.status == 200,
        seen=f"database back: GET /readyz answered {back}",
        expected="200, without a restart",
        do="Ask the database anew at each request to /readyz. Remember nothing.",
    )


def test_livez_asks_nobody(project, tripwire):
    """/livez does not talk to the database, not even when that would be allowed to fail."""
    with project.serve(project.config | {"DATABASE_URL": tripwire.url}) as site:
        before = tripwire.calls
        site.get("/livez").must_be(200, do=LIVEZ)
    expect(
        tripwire.calls == before,
        seen="GET /livez called the database",
        expected="an answer from the process alone",
        do="Take the query out of the view of /livez: that question belongs to /readyz.",
    )
