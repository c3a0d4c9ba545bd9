#!/bin/sh
# Active checks for nginx, which has none of its own: asks /ready of each api, and keeps the file out/api-N below BALANCER_DIR for
# one that has not said 200 for BALANCER_CHECK_FALL times in a row, until it has said so BALANCER_CHECK_RISE times. nginx looks at
# the files for every request. Needs curl, which the official images have but for `slim`.
set -eu

seconds() { printf '%d.%03d' $(($1 / 1000)) $(($1 % 1000)); }
every=$(seconds "${BALANCER_CHECK_MS:-1000}")
patience=$(seconds "${BALANCER_CHECK_TIMEOUT_MS:-1000}")
fall=${BALANCER_CHECK_FALL:-2}
rise=${BALANCER_CHECK_RISE:-2}
out=${BALANCER_DIR:?}/out
looked=${BALANCER_DIR}/looked

watch() { # name, address
  good=0 bad=0
  while :; do
    if curl --silent --fail --noproxy '*' --output /dev/null --max-time "$patience" "http://$2/ready"; then
      good=$((good + 1)) bad=0
    else
      bad=$((bad + 1)) good=0
    fi
    if [ -e "$out/$1" ]; then
      if [ "$good" -ge "$rise" ]; then
        rm -f "$out/$1"
        echo "ready-checks: $1 at $2 is ready"
      fi
    elif [ "$bad" -ge "$fall" ]; then
      : >"$out/$1"
      echo "ready-checks: $1 at $2 is not ready"
    fi
    : >"$looked/$1" # healthy.sh looks how old it is
    sleep "$every"
  done
}

mkdir -p "$out" "$looked"
rm -f "$out"/api-*
watch api-1 "${BALANCER_API_1:?}" &
one=$!
watch api-2 "${BALANCER_API_2:?}" &
two=$!
trap 'kill "$one" "$two" 2>/dev/null; exit 0' TERM INT
wait
