# Sourced by scripts/demo and scripts/verify, in the checkout's folder: what both need on a fresh machine.

if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
  echo "stead needs Node.js 20.19 or newer, with npm; neither may be missing from PATH." >&2
  exit 1
fi
if ! node -e 'var v = process.versions.node.split(".").map(Number); process.exit(v[0] > 20 || (v[0] === 20 && v[1] >= 19) ? 0 : 1)'; then
  echo "stead needs Node.js 20.19 or newer; $(command -v node) is $(node --version)." >&2
  exit 1
fi

# npm's cache and stead's files lie in HOME.
if [ ! -d "${HOME:-}" ] || [ ! -w "$HOME" ]; then
  echo "HOME (${HOME:-not set}) is no folder that can be written to: $PWD/.build/home is used instead."
  export HOME="$PWD/.build/home"
  mkdir -p "$HOME"
fi
export npm_config_update_notifier=false

install_packages() {
  npm ci --ignore-scripts --no-audit --no-fund
}
