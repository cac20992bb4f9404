"""The trees on the slides of the talk, letter for letter, and what `tree` must have printed there.

Slides are typed and cut by people, so on some of them stands what no program prints. Each such slip
has its line in `SLIPS`. Nothing else is different.
"""

from __future__ import annotations

WHOLE = """\
├── application
│   ├── __init__.py
│   ├── settings.py
│   ├── urls.py
│   └── wsgi.py
├── deployment
│   ├── application
│   │   ├── Dockerfile
│   │   ├── entrypoint.sh
│   │   └── uwsgi.ini
│   ├── application-secrets.yaml
│   ├── application.yaml
│   ├── envs
│   │   ├── development
│   │   ├── integration
│   │   └── production
│   ├── postgres-secrets.yaml
│   ├── postgres.yaml
│   ├── README.rst
│   └── webservice
│       └── nginx.conf
├── docker-compose.yml
├── LICENSE
├── manage.py
├── README.rst
├── requirements
│   ├── base.in
│   ├── development.in
│   ├── production.in
│   └── production.txt
├── requirements.txt
├── tests
│   ├── acceptance
│   │   ├── environment.py
│   │   ├── features
│   │   │   └── login-logout.feature
│   │   └── steps
│   │       ├── fixtures.py
│   │       ├── given.py
│   │       ├── then.py
│   │       └── when.py
│   ├── README.rst
│   ├── unit
│   │   └── test_application.py
└── tox.ini

11 directories, 34 files
"""
APPLICATION = """\
.
├── application
│   ├── __init__.py
│   ├── settings.py
│   ├── urls.py
│   └── wsgi.py
├── LICENSE
├── manage.py
├── README.rst
└── requirements.txt

1 directory, 8 files
"""
DEVELOPMENT = """\
.
├── application
├── docker-compose.yml
├── manage.py
├── requirements.txt
├── tests
│   ├── acceptance
│   │   ├── environment.py
│   │   ├── features
│   │   │   └── login-logout.feature
│   │   └── steps
│   │       ├── fixtures.py
│   │       ├── given.py
│   │       ├── then.py
│   │       └── when.py
│   ├── README.rst
│   └── unit
│       └── test_application.py
└── tox.ini

6 directories, 12 files
"""
DEPLOYMENT = """\
.
├── application
├── deployment
│   ├── application
│   │   ├── Dockerfile
│   │   ├── entrypoint.sh
│   │   └── uwsgi.ini
│   ├── application-secrets.yaml
│   ├── application.yaml
│   ├── envs
│   │   ├── development
│   │   ├── integration
│   │   └── production
│   ├── postgres-secrets.yaml
│   ├── postgres.yaml
│   └── webserver
│       └── nginx.conf
5 directories, 11 files
"""
AUTOMATION = """\
.
├── deployment
│   └── application
│       └── Dockerfile
├── .dockerignore
├── .gitlab-ci.yml
├── tests
│   ├── acceptance
│   └── unit
└── tox.ini

5 directories, 4 files
"""

SLIPS = {
    WHOLE: (
        ("├── application\n", ".\n├── application\n"),  # the first line was cut off
        ("│   └── webservice\n", "│   └── webserver\n"),  # its other name, on the other slide
        # nothing comes behind it in its folder
        ("│   ├── unit\n│   │   └── test", "│   └── unit\n│       └── test"),
    ),
    DEPLOYMENT: (
        # nothing comes behind it, and an empty line stands before the count
        ("├── deployment\n", "└── deployment\n"),
        ("\n│   ", "\n    "),
        ("nginx.conf\n", "nginx.conf\n\n"),
    ),
}


def printed(slide: str) -> str:
    """What `tree` printed, by a slide. AssertionError when a slip is not there."""
    for slip, right in SLIPS.get(slide, ()):
        assert slip in slide
        slide = slide.replace(slip, right, -1 if slip == "\n│   " else 1)
    return slide


LAYERS = {
    "Application": printed(APPLICATION),
    "Development": printed(DEVELOPMENT),
    "Deployment": printed(DEPLOYMENT),
    "Automation": printed(AUTOMATION),
}
TREES = {"": printed(WHOLE), **LAYERS}
