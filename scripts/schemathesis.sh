#!/usr/bin/env bash
# Call what our own OpenAPI documents describe with values that fit them and values that do not, and fail when a server of
# its own answers one with 5xx. The values have a fixed seed; how many of them are tried is a matter of time: a minute for
# each of the two APIs (DOORWARD_SCHEMATHESIS_SECONDS).
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"
cd "$root"

examples=${DOORWARD_SCHEMATHESIS_EXAMPLES:-5}
seconds=${DOORWARD_SCHEMATHESIS_SECONDS:-60}
frontend=${DOORWARD_SCHEMATHESIS_FRONTEND:-127.0.0.1:4170}
backend=${DOORWARD_SCHEMATHESIS_BACKEND:-127.0.0.1:4171}
have curl || apt_install curl
python=$(python_with schemathesis==4.32.5:schemathesis)

binary=${DOORWARD_BIN:-}
if [ -z "$binary" ]; then
  cargo build --quiet --locked --package doorward-server
  binary=$target/debug/doorward
fi
directory=$(mktemp -d)
"$binary" dev --data-dir "$directory" --listen "$frontend" --backend-listen "$backend" >"$directory/log" 2>&1 &
server=$!
trap 'kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; rm -rf "$directory"' EXIT
curl --silent --fail --max-time 60 --retry 60 --retry-delay 1 --retry-all-errors --output /dev/null "http://$backend/health/ready"
key=$(sed -n 's/^SECRET_KEY="\{0,1\}\([^"]*\)"\{0,1\}$/\1/p' "$directory/dev.env")

call() {
  # Its own limit ends it with a verdict; the other one is for when it does not keep to that.
  timeout --kill-after=10 $((seconds + 60)) "${python%python*}schemathesis" run "http://$1/openapi.json" --header "$2" \
    --checks not_a_server_error --phases coverage,fuzzing \
    --max-time "$seconds" --max-examples "$examples" --seed 20260512 --request-timeout 30 --generation-database none --no-color \
    >"$directory/out" 2>&1 && status=0 || status=$?
  sed -n '/SUMMARY/,$p' "$directory/out"
  [ "$status" = 0 ] || {
    sed -n '/FAILURES/,/SUMMARY/p' "$directory/out"
    grep -i ' error ' "$directory/log" | tail -20 || true
    die "schemathesis found something, or did not end (status $status), in http://$1/openapi.json"
  }
}

say "the Frontend API, signed in"
body=$(printf '{"email_address":["fuzz@example.com"],"password":"correct horse battery"}')
curl --silent --fail --output /dev/null --header "Authorization: Bearer $key" --json "$body" "http://$backend/v1/users"
curl --silent --fail --output /dev/null --cookie-jar "$directory/jar" --data 'identifier=fuzz@example.com' \
  --data-urlencode 'password=correct horse battery' "http://$frontend/v1/client/sign_ins"
client=$(awk '$6 == "__client" { print $7 }' "$directory/jar")
[ -n "$client" ] || die "nobody could sign in"
call "$frontend" "Cookie: __client=$client"
say "the Backend API"
call "$backend" "Authorization: Bearer $key"
