# shellcheck shell=bash
# Sourced by the scripts that test against an API server without a node. Needs dev/lib.sh and dev/progress.sh, and the variables
# DEVCLUSTER_STATE and DEVCLUSTER_PORT.

# api_cluster: up, without a node, with everything that the chart installs (the operator's pod never runs); sets the tests' environment.
api_cluster() {
	local helm
	# As OpenShift does: who owns an object must be allowed to.
	export DEVCLUSTER_ADMISSION=OwnerReferencesPermissionEnforcement
	quiet cluster "cluster without a node" dev/cluster/up light || return
	unset DEVCLUSTER_ADMISSION
	export LOADTEST_KUBECONFIG=$DEVCLUSTER_STATE/pki/admin.kubeconfig LOADTEST_AUDIT=$DEVCLUSTER_STATE/log/audit.log
	LOADTEST_KUBECTL=$(cat "$DEVCLUSTER_STATE/bin")/kubectl
	export LOADTEST_KUBECTL
	helm=$(dev/helm/build) || return
	export LOADTEST_HELM=$helm
	quiet operator "chart, with its policies" "$helm" --kubeconfig "$LOADTEST_KUBECONFIG" upgrade --install loadtest charts/loadtest-operator \
		--namespace loadtest-system --create-namespace --values dev/test-values.yaml || return
	quiet crd "resource definition served" "$LOADTEST_KUBECTL" --kubeconfig "$LOADTEST_KUBECONFIG" wait \
		--for=condition=Established --timeout=60s -f crds/loadtests.yaml
}
