#!/bin/bash
set -euo pipefail

timeout 45 ./manage.py wait_for_database --timeout 20 --wait-when-down 1 --stable 0

if [ $# -eq 0 ]; then
    set -- uwsgi deployment/application/uwsgi.ini
fi
exec "$@"
