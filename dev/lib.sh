# shellcheck shell=sh
# Sourced by the scripts of dev/: the cache outside the checkout, and keys made of content.

# Everything built or downloaded is kept here, named by a checksum of what it was made from.
LOADTEST_CACHE=${LOADTEST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/loadtest-operator}
# All checkouts share one cargo target folder: a fresh clone compiles its own crates only.
CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$LOADTEST_CACHE/target}
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin # a user's PATH may lack them
export LOADTEST_CACHE CARGO_TARGET_DIR PATH
mkdir -p "$LOADTEST_CACHE"

# key PATH...: a checksum of the names and contents of these files and folders; a path that is absent counts as absent.
# Run it in a fixed folder: the names count as they are given.
key() {
	for path in "$@"; do
		[ ! -e "$path" ] || find "$path" -name target -prune -o -type f -print
	done | LC_ALL=C sort | tr '\n' '\0' | xargs -0 -r sha256sum | sha256sum | cut -c1-16
}

# fail SENTENCE: says what was wrong and ends.
fail() {
	echo "error: $*" >&2
	exit 1
}

# locked NAME COMMAND...: runs COMMAND while no other script runs one under this name.
locked() {
	lock=$LOADTEST_CACHE/$1.lock
	shift
	(
		flock 9
		"$@" 9>&-
	) 9>"$lock"
}

# keep_newest NUMBER FILE...: deletes the oldest of these files or folders until NUMBER are left.
keep_newest() {
	keep=$1
	shift
	# shellcheck disable=SC2012 # names are our own: no newline in them
	ls -1td "$@" 2>/dev/null | tail -n "+$((keep + 1))" | xargs -r rm -rf --
}
