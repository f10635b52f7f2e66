# shellcheck shell=sh
# Sourced by the cluster's scripts: which cluster is meant. One state folder is one cluster; two folders (and two ports) are two
# clusters that know nothing of each other.
# shellcheck disable=SC2154,SC2034 # the scripts set here and use cgroup
. "$here/../lib.sh"
state=${DEVCLUSTER_STATE:-$LOADTEST_CACHE/cluster}
case $state in /*) ;; *) fail "DEVCLUSTER_STATE must be an absolute path, not $state" ;; esac
case $state in
/run/* | /var/lib/* | /var/log/*) fail "DEVCLUSTER_STATE may not be below /run, /var/lib or /var/log: the cluster covers these with its own" ;;
esac
# The kubelet makes sockets below it, and a socket's path has at most 107 bytes.
[ "${#state}" -le 60 ] || fail "DEVCLUSTER_STATE may have at most 60 characters: $state"
# Two clusters below one cgroup would kill each other's pods.
cgroup=devcluster-$(printf %s "$state" | cksum | cut -d' ' -f1)

# alive: whether the cluster's process runs; "$parent" is then its id outside the namespaces. The id alone proves nothing: it may be
# another process's by now.
alive() {
	parent=$(cat "$state/pid" 2>/dev/null) && grep -aqsF "$state/init" "/proc/$parent/cmdline"
}
