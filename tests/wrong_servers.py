"""Wrong solutions of the steps about the application's server and the web server."""

from __future__ import annotations

from wrong_solutions import SETTINGS, Wrong

DOCKERFILE = "deployment/application/Dockerfile"
ENTRYPOINT = "deployment/application/entrypoint.sh"
UWSGI = "deployment/application/uwsgi.ini"
NGINX = "deployment/webserver/nginx.conf"
WAIT = "python manage.py wait_for_database --stable 0 --timeout 30\n"
HOOK = "hook-master-start = unix_signal:15 gracefully_kill_them_all\n"
CMD = '["uwsgi", "--ini", "deployment/application/uwsgi.ini"]'
COLLECT = (
    "RUN SECRET_KEY=none DATABASE_URL=sqlite://:memory: \\\n"
    "    python manage.py collectstatic --noinput\n"
)
FROM_ENV = 'SECRET_KEY = env("SECRET_KEY")'

WRONG = (
    Wrong(
        "app-server", "one at a time", ("test_several_at_a_time",),
        UWSGI, "processes = 4", "processes = 1",
    ),
    Wrong(
        "app-server", "the server of programmers", ("test_several_at_a_time",),
        DOCKERFILE, CMD, '["python", "manage.py", "runserver", "0.0.0.0:8000"]',
    ),
    Wrong(
        "app-server", "it listens to itself", ("test_several_at_a_time",),
        UWSGI, "0.0.0.0:8000", "127.0.0.1:8000",
    ),
    Wrong(
        "app-server", "it keeps its socket in the image", ("test_several_at_a_time",),
        UWSGI, "master = true", "master = true\npidfile = /project/uwsgi.pid",
    ),
    Wrong(
        "app-server", "nobody may execute it", ("test_several_at_a_time",),
        ENTRYPOINT, None, None, mode=0o644,
    ),
    Wrong(
        "app-server", "lines of another system", ("test_several_at_a_time",),
        ENTRYPOINT, "\n", "\r\n",
    ),
    Wrong(
        "app-server", "a shell keeps the signals", ("test_sigterm",),
        ENTRYPOINT, 'exec "$@"', '"$@"',
    ),
    Wrong(
        "app-server", "a term is a new beginning", ("test_sigterm",),
        UWSGI, f"die-on-term = true\n{HOOK}", "",
    ),
    Wrong(
        "app-server", "it drops what it has in its hands", ("test_sigterm",), UWSGI, HOOK, "",
    ),
    Wrong(
        "app-server", "a pause instead of waiting", ("test_late_database",),
        ENTRYPOINT, WAIT, "sleep 2\npython manage.py showmigrations >/dev/null\n",
    ),
    Wrong(
        # It sounds like the thing, and does not even connect.
        "app-server", "a check that asks nobody", ("test_late_database",),
        ENTRYPOINT, WAIT, "until python manage.py check --database default; do sleep 1; done\n",
    ),
    Wrong(
        "app-server", "nobody waits", ("test_late_database", "test_no_database", "test_commands"),
        ENTRYPOINT, WAIT, "",
    ),
    Wrong(
        "app-server", "every server changes the tables", ("test_late_database",),
        ENTRYPOINT, WAIT, f"{WAIT}python manage.py migrate --noinput\n",
    ),
    Wrong(
        "app-server", "it waits forever", ("test_no_database",), ENTRYPOINT, "--timeout 30",
        "--timeout 3600",
    ),
    Wrong(
        "app-server", "it serves all the same", ("test_no_database",),
        ENTRYPOINT, "--timeout 30\n", "--timeout 30 || true\n",
    ),
    Wrong(
        "app-server", "it goes on after an error", ("test_no_database",),
        ENTRYPOINT, "set -e\n", "",
    ),
    Wrong(
        "app-server", "it gives up without a word", ("test_no_database",),
        ENTRYPOINT, "--timeout 30\n", "--timeout 30 >/dev/null 2>&1\n",
    ),
    Wrong(
        "app-server", "no application is needed", ("test_broken_application",),
        UWSGI, "need-app = true\n", "",
    ),
    Wrong(
        "app-server", "a key when nobody gives one", ("test_broken_application",),
        SETTINGS, FROM_ENV, 'SECRET_KEY = env("SECRET_KEY", default="changeme")',
    ),
    Wrong(
        "app-server", "it does only one thing", ("test_commands",),
        ENTRYPOINT, 'exec "$@"', f"exec uwsgi --ini {UWSGI}",
    ),
    Wrong(
        "app-server", "its end is always good", ("test_commands",),
        ENTRYPOINT, 'exec "$@"', '"$@" || echo "That went wrong."',
    ),
    Wrong(
        "web-server", "the application hands out files", ("test_static_files",),
        NGINX, "location /static/", "location /files/",
    ),
    Wrong(
        "web-server", "a folder too much", ("test_static_files",),
        NGINX, "root /project;", "root /project/static;",
    ),
    Wrong(
        "web-server", "files without a kind", ("test_static_files",), NGINX,
        "    include mime.types;\n", "",
    ),
    Wrong(
        "web-server", "fetched for each page", ("test_static_files",), NGINX,
        "            expires 1h;\n", "",
    ),
    Wrong(
        "web-server", "nobody collects", ("test_collected_at_build", "test_static_files"),
        DOCKERFILE, COLLECT, "",
    ),
    Wrong(
        "web-server", "no place to collect in", ("test_collected_at_build",),
        SETTINGS, "STATIC_ROOT =", "STATIC =",
    ),
    Wrong(
        "web-server", "the key of the build stays", ("test_collected_at_build",),
        DOCKERFILE, COLLECT, "ENV SECRET_KEY=none DATABASE_URL=sqlite://:memory:\n"
        "RUN python manage.py collectstatic --noinput\n",
    ),
    Wrong(
        "web-server", "any name is welcome", ("test_all_the_rest",),
        NGINX, "            proxy_set_header Host $http_host;\n", "",
    ),
    Wrong(
        "web-server", "everybody learns the version", ("test_all_the_rest",),
        NGINX, "        server_tokens off;\n", "",
    ),
    Wrong(
        "web-server", "it needs root", ("test_all_the_rest",),
        NGINX, "pid /tmp/nginx.pid;\n", "",
    ),
    Wrong(
        "web-server", "not a word that nginx knows", ("test_all_the_rest",),
        NGINX, "proxy_pass http://127.0.0.1:8000;", "proxy_to http://127.0.0.1:8000;",
    ),
    Wrong(
        "web-server", "another door", ("test_all_the_rest",), NGINX, "listen 8080;", "listen 8081;",
    ),
    Wrong(
        "web-server", "small forms only", ("test_large_forms",),
        NGINX, "        client_max_body_size 10m;\n", "",
    ),
    Wrong(
        "web-server", "an answer before the question", ("test_large_forms",),
        UWSGI, "post-buffering = 65536\n", "",
    ),
    Wrong(
        "web-server", "it says how the visitor came to nginx", ("test_login_behind_tls",),
        NGINX, "            proxy_set_header Host", "            proxy_set_header X-Forwarded-Proto"
        " $scheme;\n            proxy_set_header Host",
    ),
    Wrong(
        "web-server", "cookies in the open", ("test_login_behind_tls",),
        SETTINGS, "SESSION_COOKIE_SECURE = CSRF", "CSRF",
    ),
    Wrong(
        "web-server", "nobody else is trusted", ("test_trusted_origin",),
        SETTINGS, 'env.list("CSRF_TRUSTED_ORIGINS", default=[])', "[]",
    ),
    Wrong(
        "web-server", "our own names and no others", ("test_trusted_origin",),
        SETTINGS, 'env.list("CSRF_TRUSTED_ORIGINS", default=[])',
        '[f"https://{name}" for name in ALLOWED_HOSTS]',
    ),
    Wrong(
        "web-server", "no patience with those inside", ("test_leaves_politely",),
        NGINX, "events {}", "worker_shutdown_timeout 1s;\n\nevents {}",
    ),
    Wrong(
        "web-server", "one process for one container", ("test_leaves_politely",),
        NGINX, "events {}", "master_process off;\n\nevents {}",
    ),
)  # fmt: skip
