#!/bin/bash
# As the official image does: a volume at the old place is refused, for nothing would be kept in it,
# and whatever a volume's group may do, the files are the server's alone.
set -euo pipefail
if [[ ${1:-} == postgres ]] && grep -q ' /var/lib/postgresql/data ' /proc/self/mountinfo; then
    echo 'Error: in 18+, these Docker images are configured to store database data in a' >&2
    echo '       format which is compatible with "pg_ctlcluster". There is a mount at' >&2
    echo '       /var/lib/postgresql/data (unused mount/volume): mount /var/lib/postgresql' >&2
    exit 1
fi
[[ -d $PGDATA ]] && chmod 700 "$PGDATA" || :
exec docker-entrypoint.sh "$@"
