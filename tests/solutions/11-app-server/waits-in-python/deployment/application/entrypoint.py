"""Waits for the database, and becomes the command."""

import os
import sys
import time

import psycopg

give_up = time.monotonic() + 25
while True:
    try:
        psycopg.connect(os.environ["DATABASE_URL"], connect_timeout=3).close()
        break
    except psycopg.OperationalError as error:
        if time.monotonic() > give_up:
            sys.exit(f"There is no database: {error}")
        time.sleep(0.5)
os.execvp(sys.argv[1], sys.argv[1:])
