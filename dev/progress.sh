# shellcheck shell=bash
# Sourced by demo and test: lines with the seconds since the start, and steps whose noise goes to a file.
# Needs "$logs", a folder.

started=$SECONDS
# shellcheck disable=SC2154 # the script sets it
mkdir -p "$logs"

# say SENTENCE: with the time since the start.
say() { printf '[%3d:%02d] %s\n' $(((SECONDS - started) / 60)) $(((SECONDS - started) % 60)) "$*"; }

# quiet NAME SENTENCE COMMAND...: runs COMMAND with its output in a file; says how long it took. While it runs longer than half a minute
# it says so each half minute. When it fails, the end of the file is shown and its status returned.
quiet() {
	local log=$logs/$1.log what=$2 begun=$SECONDS status=0 watcher
	shift 2
	(while sleep 30 && kill -0 $$; do say "$what: $((SECONDS - begun)) s so far (log: $log)"; done) &
	watcher=$!
	"$@" >"$log" 2>&1 || status=$?
	stop_watcher $watcher
	if [ $status != 0 ]; then
		say "$what: failed after $((SECONDS - begun)) s; the end of $log:"
		tail -n 40 "$log"
		return $status
	fi
	say "$what: $((SECONDS - begun)) s"
}

# stop_watcher PID: the loop and the sleep inside it.
stop_watcher() {
	local child
	child=$(cat "/proc/$1/task/$1/children" 2>/dev/null) || child=
	# shellcheck disable=SC2086 # there may be none
	kill "$1" $child 2>/dev/null || :
	wait "$1" 2>/dev/null || :
}
