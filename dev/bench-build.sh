# shellcheck shell=bash
# Sourced by bench and bench-check: their program, and the Debian packages of others.

# The engine alone, optimised as in a release. It compiles less than half of what the product does.
bench_build() {
	quiet bench-build "benchmark built" cargo build --locked --profile bench -p load-bench || return
	# shellcheck disable=SC2034 # for who sources this
	bench=$CARGO_TARGET_DIR/release/load-bench
}

# debian PROGRAM PACKAGE: installs what is missing, as root and without starting a service; else names it.
debian() {
	! command -v "$1" >/dev/null || return 0
	if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
		quiet "apt-$2" "$2, a Debian package" env RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive \
			apt-get -qq -y --no-install-recommends install "$2" && return 0
	fi
	echo "missing: $1 (apt-get install $2)"
}

# cores: the first and the last core that this process may use.
cores() {
	taskset --cpu-list --pid $$ | sed 's/.*: //' | tr ',' '\n' | awk -F- '
		NR == 1 {first = $1}
		{last = $NF}
		END {print first, last}'
}
