# shellcheck shell=bash
# Sourced by the scripts that test against an API server without a node. Needs dev/lib.sh and dev/progress.sh, and the variables
# DEVCLUSTER_STATE and DEVCLUSTER_PORT.

# api_cluster: up, without a node, with the resource definition; sets the tests' environment.
api_cluster() {
	quiet cluster "cluster without a node" dev/cluster/up light || return
	export LOADTEST_KUBECONFIG=$DEVCLUSTER_STATE/pki/admin.kubeconfig LOADTEST_AUDIT=$DEVCLUSTER_STATE/log/audit.log
	LOADTEST_KUBECTL=$(cat "$DEVCLUSTER_STATE/bin")/kubectl
	export LOADTEST_KUBECTL
	quiet crd "resource definition" "$LOADTEST_KUBECTL" --kubeconfig "$LOADTEST_KUBECONFIG" apply -f crds/loadtests.yaml || return
	quiet crd "resource definition served" "$LOADTEST_KUBECTL" --kubeconfig "$LOADTEST_KUBECONFIG" wait \
		--for=condition=Established --timeout=60s -f crds/loadtests.yaml
}
