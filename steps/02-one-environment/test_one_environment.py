"""Step 02: the code is the same everywhere, and the environment says what differs."""

from workshop.checks import expect

# What Django's page for programmers says, and nobody else needs to know.
INNER_LIFE = "DEBUG = True"
NOWHERE = "/no-such-page"


def test_secret_key_is_required(project):
    """Without SECRET_KEY it refuses to start, and says what is missing."""
    said = project.refusal(project.config.without("SECRET_KEY"))
    expect(
        said,
        seen="it started without SECRET_KEY",
        expected="no start, and a message that names SECRET_KEY",
        do="Read it with no default, in application/settings.py: env('SECRET_KEY')",
    )
    expect(
        "SECRET_KEY" in said,
        seen=f"it did not start, and the reason does not name SECRET_KEY:\n{said}",
        expected="a message that names SECRET_KEY",
        do="Mend what the message says. The missing key should be the only reason left.",
    )


def test_secret_key_is_used(project):
    """The key that it uses is the one from the environment."""
    done = project.manage("diffsettings")
    expect(
        done.code == 0,
        seen=f"Django can't read the settings:\n{done.tail}",
        expected="settings that can be read",
        do="Mend what the last line above says, in application/settings.py.",
    )
    expect(
        project.config["SECRET_KEY"] in done.out,
        seen="it uses another key than the one in the variable SECRET_KEY",
        expected="SECRET_KEY from the environment, unchanged",
        do="Take the key out of application/settings.py: SECRET_KEY = env('SECRET_KEY')",
    )


def test_debug_is_off_by_default(project):
    """Nobody says DEBUG: then a page that does not exist gives nothing away."""
    with project.serve(project.config.without("DEBUG")) as site:
        answer = site.get(NOWHERE)
    expect(
        answer.status == 404 and INNER_LIFE not in answer.text,
        seen=f"DEBUG is not set, and {told(answer)}",
        expected="404, and a page that gives nothing away",
        do="Make off the default, in application/settings.py: env.bool('DEBUG', default=False)",
    )


def test_debug_is_a_choice(project):
    """The same code behaves in two ways: DEBUG=True helps a programmer, DEBUG=False does not."""
    with project.serve(project.config | {"DEBUG": "False"}) as site:
        quiet = site.get(NOWHERE)
    expect(
        quiet.status == 404 and INNER_LIFE not in quiet.text,
        seen=f"DEBUG=False, and {told(quiet)}",
        expected="404, and a page that gives nothing away",
        do="Read DEBUG as yes or no. The text 'False' counts as true in Python: use env.bool.",
    )
    with project.serve(project.config | {"DEBUG": "True"}) as site:
        chatty = site.get(NOWHERE)
    expect(
        INNER_LIFE in chatty.text,
        seen="DEBUG=True, and a page that does not exist gives nothing away",
        expected="404, and Django's page for programmers",
        do="Read DEBUG from the environment: env.bool('DEBUG', default=False)",
    )


def test_allowed_hosts(project):
    """It answers to the names in ALLOWED_HOSTS, and to no other."""
    names = "127.0.0.1,shop.example"
    with project.serve(project.config | {"ALLOWED_HOSTS": names}) as site:
        ours = site.get("/", headers={"Host": "shop.example"})
        other = site.get("/", headers={"Host": "evil.example"})
    expect(
        ours.status == 200,
        seen=f"ALLOWED_HOSTS={names}, and Host: shop.example got {ours}",
        expected="200, for each name in the list",
        do="Read it as a list, in application/settings.py: env.list('ALLOWED_HOSTS', default=[])",
    )
    expect(
        other.status == 400,
        seen=f"ALLOWED_HOSTS={names}, and Host: evil.example got {other}",
        expected="400, for a name that is not in the list",
        do="Allow no other names (no '*'), and keep CommonMiddleware, in application/settings.py.",
    )


def told(answer):
    """What the page for a path that does not exist gave away."""
    if INNER_LIFE in answer.text:
        return "a page that does not exist shows the code's inner life"
    return f"GET {NOWHERE} answered {answer}"
