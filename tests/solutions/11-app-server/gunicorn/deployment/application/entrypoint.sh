#!/bin/sh
# Ask the database itself, as often as it takes, but not more than ten times.
tries=0
until python manage.py showmigrations >/tmp/said 2>&1
do
    tries=$((tries + 1))
    if [ "$tries" -ge 10 ]; then
        cat /tmp/said >&2
        echo "The database did not come." >&2
        exit 1
    fi
    sleep 2
done
exec "$@"
