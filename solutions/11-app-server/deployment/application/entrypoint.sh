#!/bin/sh
# Everything that runs in this image comes through here: the server, and every other command.

# What fails ends the container, with its exit code.
set -e

# The database may be late. Who waits in vain gives up, and says so.
python manage.py wait_for_database --stable 0 --timeout 30

# Become the command. No shell stays behind that would keep signals from it.
exec "$@"
