# shellcheck shell=bash
# Sourced after lib.sh. cargo_tool CRATE VERSION [ARGUMENT...]: the program that crate is named after, built once with these
# arguments of `cargo install` and kept in the cache; prints its path.
cargo_tool() {
	local crate=$1 version=$2 root=$LOADTEST_CACHE/$1-$2
	shift 2
	if [ ! -x "$root/bin/$crate" ]; then
		echo "building $crate $version, once (some minutes)" >&2
		CARGO_TARGET_DIR=$LOADTEST_CACHE/$crate-build locked "$crate" \
			cargo install "$crate" --version "$version" --locked --root "$root" --quiet "$@" >&2 || return
		rm -rf "$LOADTEST_CACHE/$crate-build"
	fi
	echo "$root/bin/$crate"
}
