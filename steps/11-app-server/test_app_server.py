"""Step 11: a server for many visitors, which comes and goes politely."""

import re

from workshop.checks import expect

LATE = 6  # seconds
PATIENT = 15  # seconds that it waits at least: a slow machine gives up late, too
IN_VAIN = 100.0  # seconds, on the slowest laptop, until it must have given up
GRACE = 30.0  # seconds from SIGTERM to SIGKILL, as an operator has them
SLOW, LONG = 3.0, 6.0  # seconds that a slow answer takes, and one that outlasts a stop
FINE = (0, 143)  # ended as told; 143 says "by SIGTERM"
WSGI = "application/wsgi.py"
BROKEN = 'raise RuntimeError("broken on purpose")\n'
NO_DATABASE = re.compile("database|connection|postgres", re.IGNORECASE)


def told(ended):
    """How a container ended, in words."""
    if ended.status:
        return f"it serves, and GET /livez gets {ended.status}"
    if ended.code is None:
        return "it still ran after a minute"
    return f"it ended with {ended.code}"


def made_for_production(server):
    """Whoever answers is no runserver."""
    name = server.site.get("/livez").headers.get("Server", "")
    expect(
        not name.startswith("WSGIServer"),
        seen=f"Django's runserver answered: {name}",
        expected="a server that is made for production",
        do="Start uWSGI, with a configuration in deployment/application/uwsgi.ini.",
    )


def test_several_at_a_time(pod):
    """A server made for production answers, and no visitor waits for a slow one."""
    server = pod.up()
    made_for_production(server)
    slow = server.visit(SLOW)
    answer = server.site.get("/livez")
    expect(
        slow.is_alive() and answer.seconds < SLOW / 2,
        seen="while a slow page was answered, GET /livez had to wait",
        expected="an answer at once: one is busy, and the others are not",
        do="Start several: processes = 4, in uwsgi.ini.",
    )


def test_sigterm(pod):
    """SIGTERM ends it in time, and whoever is inside gets the whole answer."""
    server = pod.up()
    first = server.application.first
    crowd = server.crowd(people=3)
    slow = [server.visit(LONG) for _ in range(2)]
    server.application.signal("TERM")
    ended = server.application.ended(GRACE)
    expect(
        ended.code in FINE,
        seen=f"{GRACE:.0f} seconds after SIGTERM, it still ran. Its first process is: {first}"
        if ended.code is None
        else f"on SIGTERM, it ended with {ended.code}",
        expected="an end, with exit code 0",
        do="Let entrypoint.sh end with `exec`, so that the server gets the signal, and tell the"
        " server what it means: die-on-term = true, in uwsgi.ini.",
    )
    inside = [each for each in (*crowd.gone(), *slow) if each.begun]
    lost = [each for each in inside if not each.answered]
    expect(
        inside and not lost,
        seen="some who were inside when SIGTERM came got half an answer",
        expected="whoever is inside gets the whole answer, and then it ends",
        do="Let it end gracefully, and give it time. In uwsgi.ini: hook-master-start ="
        " unix_signal:15 gracefully_kill_them_all, and worker-reload-mercy = 25",
    )


def test_late_database(pod):
    """A database that is late is waited for, and its tables are left alone."""
    server = pod.up(late=LATE)
    server.site.get("/readyz").must_be(200, do="Wait for the database, and then start the server.")
    expect(
        pod.tables() == 0,
        seen=f"when the server had started, the database had {pod.tables()} tables",
        expected="none: a release is migrated once, and servers start many times",
        do="Take `migrate` out of entrypoint.sh. Whoever releases gives it as a command.",
    )


def test_no_database(pod):
    """A database that never comes is waited for, but no longer than a minute, and that is said."""
    ended = pod.start(database=False).gives_up(IN_VAIN)
    expect(
        ended.code,
        seen=f"without a database, {told(ended)}",
        expected="an end within a minute, with another exit code than 0",
        do="Limit the waiting in entrypoint.sh (wait_for_database --timeout 30), and let `set -e`"
        " end it.",
    )
    expect(
        ended.seconds > PATIENT,
        seen=f"without a database, it ended after less than {PATIENT} seconds",
        expected=f"some patience: a database may well be {PATIENT} seconds late",
        do="Wait in entrypoint.sh: wait_for_database --timeout 30",
    )
    expect(
        NO_DATABASE.search(ended.said),
        seen="without a database, it ended, and no word of it named the database",
        expected="words that do: somebody will read them at night",
        do="Show what the waiting says, and hide no output of it.",
    )


def test_broken_application(pod):
    """An application that can't start ends its server: nobody is served errors."""
    made_for_production(pod.up())
    no_key = {name: value for name, value in pod.config.items() if name != "SECRET_KEY"}
    for what, wrong in (
        (f"with an error in {WSGI}", {"instead": {WSGI: BROKEN}}),
        ("without SECRET_KEY", {"env": no_key}),
    ):
        ended = pod.start(**wrong).gives_up(IN_VAIN)
        expect(
            ended.code,
            seen=f"{what}, {told(ended)}",
            expected="an end, with another exit code than 0",
            do="Let the server need its application: need-app = true, in uwsgi.ini. Let `set -e`"
            " end entrypoint.sh, and give the key no default.",
        )


def test_commands(pod):
    """Another command runs in the same image, waits as well, and its exit code is told."""
    done = pod.run("python", "manage.py", "migrate", "--noinput", late=LATE)
    expect(
        done.code == 0 and pod.tables(),
        seen=f"`python manage.py migrate` was given, before a late database, and {told(done)}:\n"
        f"{done.said}",
        expected="exit code 0, and tables",
        do='Let entrypoint.sh wait first, and then run what it is given: exec "$@"',
    )
    failed = pod.run("python", "-c", "raise SystemExit(7)")
    expect(
        failed.code == 7,
        seen=f"a command failed with 7, and {told(failed)}",
        expected="7: whoever releases must learn that it failed",
        do='Run it with exec "$@", as the last line of entrypoint.sh.',
    )
