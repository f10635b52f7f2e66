# shellcheck shell=bash
# Sourced after lib.sh. cargo_tool CRATE VERSION PROGRAM: a program of a crate, built once and kept in the cache; prints its path.
cargo_tool() {
	local root=$LOADTEST_CACHE/$1-$2
	if [ ! -x "$root/bin/$3" ]; then
		echo "building $1 $2, once (some minutes)" >&2
		CARGO_TARGET_DIR=$LOADTEST_CACHE/$1-build locked "$1" cargo install "$1" --version "$2" --locked --root "$root" --quiet >&2 || return
		rm -rf "$LOADTEST_CACHE/$1-build"
	fi
	echo "$root/bin/$3"
}
