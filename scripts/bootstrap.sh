# Sourced by ./start and ./test from the root of the repository: installs the npm packages when package-lock.json has
# changed since the last time, and sets $node to a Node that runs Evenkeel. Needs sh and npm only.

lock_hash=$(sha256sum package-lock.json | cut -d ' ' -f 1)
lock_stamp=node_modules/.evenkeel-lock
if [ "$(cat "$lock_stamp" 2>/dev/null)" != "$lock_hash" ]; then
  if ! command -v npm >/dev/null 2>&1; then
    echo 'npm is missing. Install Node.js with npm (on Debian: apt-get install nodejs npm).' >&2
    exit 1
  fi
  echo 'Installing npm packages'
  npm ci --ignore-scripts --no-audit --no-fund --loglevel=error </dev/null
  echo "$lock_hash" > "$lock_stamp"
fi

node=$PWD/node_modules/.bin/node
if ! [ -x "$node" ]; then
  # There is no packaged Node for this platform: the machine's own has to do.
  node=$(command -v node || true)
  if [ -z "$node" ] || ! "$node" -e 'const [a, b] = process.versions.node.split("."); process.exit(a > 22 || (a == 22 && b >= 19) ? 0 : 1)'; then
    echo "Evenkeel needs Node 22.19 or newer on this platform; found: $([ -n "$node" ] && "$node" -v || echo none)." >&2
    exit 1
  fi
fi
# npm's and our own child processes find the same Node.
PATH="$(dirname "$node"):$PATH"
export PATH
# Compiled code is kept between starts: a third less work for each.
NODE_COMPILE_CACHE="$PWD/node_modules/.cache/node"
export NODE_COMPILE_CACHE
