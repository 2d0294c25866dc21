#!/bin/bash
# One role and one database for each service: none can read another's tables. Each has a password of its own.
set -euo pipefail

make_database() {
  psql -v ON_ERROR_STOP=1 -U postgres -v name="valmius_$1" -v password="$2" <<'SQL'
CREATE ROLE :"name" LOGIN PASSWORD :'password';
CREATE DATABASE :"name" OWNER :"name";
REVOKE CONNECT ON DATABASE :"name" FROM PUBLIC;
SQL
}

make_database intake "$INTAKE_PASSWORD"
make_database status "$STATUS_PASSWORD"
make_database notify "$NOTIFY_PASSWORD"
make_database exercise "$EXERCISE_PASSWORD"
