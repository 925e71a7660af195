/**
 * Shell scripts in every image. Process 1 gets no default signal actions from the kernel, so each one traps TERM and INT
 * and waits in the background: a stop takes milliseconds.
 */
const untilStopped = `trap 'kill $child 2>/dev/null; exit 0' TERM INT
child=
hold() { while :; do sleep 3600 & child=$!; wait $child; done; }
`;

export const scripts = {
  /** Serves "version $1" on port $2 (80), and the files of /www beside it. */
  listens: `#!/bin/sh
${untilStopped}
root=/www
touch $root/.probe 2>/dev/null || root=$(mktemp -d /dev/shm/www.XXXXXX)
echo "version $1" > $root/index.html
httpd -f -p "\${2:-80}" -h $root & child=$!
wait $child
`,
  /** Traps TERM and does nothing; with arguments it runs them instead. */
  sleeper: `#!/bin/sh
[ $# -gt 0 ] && exec "$@"
${untilStopped}
hold
`,
  /** Becomes healthy $1 seconds after its start. */
  'healthy-late': `#!/bin/sh
${untilStopped}
sleep "$1" & child=$!
wait $child
touch /run/testbed/healthy
hold
`,
  /** Is healthy at first and stops being so after $1 seconds. */
  'turns-unhealthy': `#!/bin/sh
${untilStopped}
touch /run/testbed/healthy
sleep "$1" & child=$!
wait $child
rm -f /run/testbed/healthy
hold
`,
  /** Prints $1 lines at once, the even ones to standard error, then one every $2 seconds for ever (none if 0). */
  'logs-lines': `#!/bin/sh
${untilStopped}
number=0
line() {
  number=$((number + 1))
  if [ $((number % 2)) -eq 0 ]; then echo "line $number on stderr" >&2; else echo "line $number on stdout"; fi
}
while [ $number -lt "$1" ]; do line; done
[ "$2" = 0 ] && hold
while :; do sleep "$2" & child=$!; wait $child; line; done
`,
  /** Ends $2 seconds after its start with code $1. */
  exits: `#!/bin/sh
${untilStopped}
[ "\${2:-0}" = 0 ] || { sleep "$2" & child=$!; wait $child; }
exit "$1"
`,
  /**
   * A service to look at: $1 name, $2 version, $3 port, $4 seconds between log lines. It answers over HTTP and logs in
   * several levels and forms. With $5 it logs that sentence as an error and never answers.
   */
  service: `#!/bin/sh
${untilStopped}
say() { echo "$(date -u +%Y-%m-%dT%H:%M:%SZ) $*"; }
say "INFO  $1 $2 is starting"
[ -z "$5" ] || { say "ERROR $5" >&2; hold; }
echo "$1 version $2" > /www/index.html
httpd -f -p "$3" -h /www &
say "INFO  listening on port $3"
number=0
while :; do
  sleep "$4" & child=$!
  wait $child
  number=$((number + 1))
  case $((number % 9)) in
    4) say "WARN  slow answer: GET /search took $((700 + number % 300)) ms" >&2 ;;
    7) echo "{\\"time\\":\\"$(date -u +%Y-%m-%dT%H:%M:%SZ)\\",\\"level\\":\\"debug\\",\\"message\\":\\"cache swept\\",\\"entries\\":$((number * 3))}" ;;
    *) say "INFO  GET /items/$number 200 $((number % 40 + 3)) ms" ;;
  esac
done
`,
  /** Entrypoint of version 1 of the fidelity pair: "serve N" answers on N, anything else is run. */
  'entry-1': `#!/bin/sh
[ "$1" = serve ] || exec "$@"
exec listens 1 "$2"
`,
  /** Entrypoint of version 2 of the fidelity pair. */
  'entry-2': `#!/bin/sh
[ "$1" = serve ] || exec "$@"
exec listens 2 "$2"
`,
};
