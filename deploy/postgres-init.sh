#!/bin/bash
# One role and one database for each service: none can read another's tables.
set -euo pipefail
for service in intake status notify; do
  psql -v ON_ERROR_STOP=1 -U postgres -v name="valmius_$service" -v password="$POSTGRES_PASSWORD" <<'SQL'
CREATE ROLE :"name" LOGIN PASSWORD :'password';
CREATE DATABASE :"name" OWNER :"name";
REVOKE CONNECT ON DATABASE :"name" FROM PUBLIC;
SQL
done
