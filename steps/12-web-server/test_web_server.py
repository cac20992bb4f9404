"""Step 12: a web server in front, which hands out files and passes on all the rest."""

from workshop.checks import expect

CSS = "/static/admin/css/base.css"
NAME, STRANGER = "www.example.org", "stranger.example.net"
ELSEWHERE = "https://shop.example.org"
USER, PASSWORD = "ada", "correct-horse-battery-staple"
BIG = "x" * 2_000_000  # more than nginx takes, unless it is told
TRIES = 20  # whether the server hangs up in time for that is a matter of luck
SLOW = 5.0  # seconds that a slow answer takes
GRACE = 30.0
NGINX = "deployment/webserver/nginx.conf"


def served(pod, **more):
    """The application behind its web server, for visitors of one name."""
    allowed = {"ALLOWED_HOSTS": f"{NAME},127.0.0.1,localhost"}
    return pod.up(web=True, env={**pod.config, **allowed, **more})


def login(pod, server, origin):
    """The answer to somebody who logs in at NAME, through TLS, from a page of `origin`."""
    secret = {"DJANGO_SUPERUSER_PASSWORD": PASSWORD}
    person = ("--username", USER, "--email", f"{USER}@example.org")
    for command in (("migrate",), ("createsuperuser", *person)):
        done = pod.beside(server, "python", "manage.py", *command, "--noinput", **secret)
        assert done.code == 0, done.said
    visitor = server.site.visitor({"Host": NAME, "X-Forwarded-Proto": "https", "Origin": origin})
    return visitor.submit("/admin/login/", username=USER, password=PASSWORD)


def test_static_files(pod):
    """The web server hands out stylesheets itself, and browsers may keep them for a while."""
    server = served(pod)
    answer = server.site.get(CSS)
    answer.must_be(200, do=f"Let nginx find STATIC_ROOT under /static/, in {NGINX}.")
    with server.application.frozen():
        expect(
            server.answers(CSS),
            seen=f"while the application was frozen, nobody handed out {CSS}",
            expected="the file: the application is not asked",
            do=f"In {NGINX}, give /static/ a location of its own, with a root.",
        )
    expect(
        answer.kind == "text/css",
        seen=f"{CSS} is {answer.kind}",
        expected="text/css, or browsers ignore it",
        do=f"In {NGINX}: include mime.types;",
    )
    kept = answer.headers.get("Cache-Control", "")
    expect(
        "max-age" in kept and "max-age=0" not in kept,
        seen=f"{CSS} comes with Cache-Control: {kept or '(none)'}",
        expected="max-age: nobody fetches the same file for each page",
        do=f"In {NGINX}: expires 1h;",
    )


def test_collected_at_build(pod, image):
    """All static files are in the image, and what was good enough to collect them is not."""
    folder = pod.static_root
    expect(
        pod.has(f"{folder}/admin/css/base.css"),
        seen=f"in the image, {folder} has no files of the admin",
        expected="all static files",
        do="RUN python manage.py collectstatic --noinput, in the Dockerfile.",
    )
    left = {"SECRET_KEY", "DATABASE_URL"} & set(image.variables)
    expect(
        not left,
        seen=f"the image has a value for {', '.join(sorted(left))}",
        expected="none: it comes from outside, or the start fails",
        do="Write it in front of the command: RUN SECRET_KEY=none ... python manage.py ...",
    )


def test_all_the_rest(pod):
    """All the rest goes to the application, with the name that the visitor typed."""
    server = served(pod)
    answer = server.site.get("/readyz", {"Host": NAME})
    answer.must_be(200, do=f"Pass all the rest on: proxy_pass http://127.0.0.1:8000, in {NGINX}.")
    stranger = server.site.get("/", {"Host": STRANGER})
    expect(
        stranger.status == 400,
        seen=f"a visitor of {STRANGER}, which is none of our names, got {stranger.status}",
        expected="400: the application learns the name, and knows it not",
        do=f"In {NGINX}: proxy_set_header Host $http_host;",
    )
    told = answer.headers.get("Server", "")
    expect(
        told.startswith("nginx") and "/" not in told,
        seen=f"it introduces itself as {told or '(nobody)'}",
        expected="nginx, and no version: that helps only those who look for holes",
        do=f"In {NGINX}: server_tokens off;",
    )


def test_large_forms(pod):
    """A large form reaches the application, and its answer comes back."""
    server = served(pod)
    got = [server.site.post("/livez", {"text": BIG}).status for _ in range(TRIES)]
    wrong = sorted({each for each in got if each in (413, 502)})
    expect(
        not wrong,
        seen=f"of {TRIES} forms with 2 MB each, some got {' or '.join(map(str, wrong))}",
        expected="the application's own answer",
        do=f"For 413, in {NGINX}: client_max_body_size 10m; for 502, in uwsgi.ini:"
        " post-buffering = 65536",
    )


def test_login_behind_tls(pod):
    """Behind somebody who ends TLS, a login succeeds, and its cookie travels encrypted only."""
    server = served(pod, BEHIND_TLS="True")
    answer = login(pod, server, f"https://{NAME}")
    expect(
        answer.status == 302,
        seen=f"a login at https://{NAME} got {answer.status}",
        expected="302, logged in",
        do="With BEHIND_TLS, set SECURE_PROXY_SSL_HEADER. And leave X-Forwarded-Proto as it comes:"
        f" $scheme, in {NGINX}, is how the visitor came to nginx.",
    )
    cookies = answer.headers.get_all("Set-Cookie", [])
    session = [each.lower() for each in cookies if each.startswith("sessionid=")]
    expect(
        session and all("secure" in each for each in session),
        seen="the cookie of the session has no mark Secure",
        expected="Secure: it is as good as a password",
        do="With BEHIND_TLS, set SESSION_COOKIE_SECURE.",
    )


def test_trusted_origin(pod):
    """A form from another name is accepted when the environment says so."""
    server = served(pod, BEHIND_TLS="True", CSRF_TRUSTED_ORIGINS=ELSEWHERE)
    answer = login(pod, server, ELSEWHERE)
    expect(
        answer.status == 302,
        seen=f"with CSRF_TRUSTED_ORIGINS={ELSEWHERE}, a login from there got {answer.status}",
        expected="302, logged in",
        do='In settings.py: CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])',
    )


def test_leaves_politely(pod):
    """When the web server is told to leave, whoever is inside gets the whole answer."""
    server = served(pod)
    slow = server.visit(SLOW)
    server.web.signal("QUIT")
    ended = server.web.ended(GRACE)
    slow.join()
    expect(
        ended.code == 0 and slow.answered,
        seen="it got SIGQUIT, and somebody who was inside got half an answer"
        if ended.code == 0
        else f"it got SIGQUIT, and ended with {ended.code}",
        expected="the whole answer, and then an end with 0",
        do="On SIGQUIT, nginx finishes first, if it is left to itself: no command of your own for"
        f" its container, and in {NGINX} no master_process and no worker_shutdown_timeout.",
    )
