# shellcheck shell=bash
# Sourced by the scripts that test on a node. Needs dev/lib.sh and dev/progress.sh, and the variables DEVCLUSTER_STATE and
# DEVCLUSTER_PORT.

# node_cluster: up, with the images, and the operator installed as a user would; sets the tests' environment.
node_cluster() {
	local helm archives config=$DEVCLUSTER_STATE/pki/admin.kubeconfig
	quiet images "images" dev/images operator demo-app postgres pause busybox || return
	quiet cluster "cluster" dev/cluster/up || return
	mapfile -t archives < <(dev/images operator demo-app postgres busybox)
	quiet load "images loaded" dev/cluster/load "${archives[@]}" || return
	helm=$(dev/helm/build) || return
	quiet operator "operator, installed by its chart" "$helm" --kubeconfig "$config" upgrade --install loadtest charts/loadtest-operator \
		--namespace loadtest-system --create-namespace --wait --timeout 3m --values dev/test-values.yaml || return
	export LOADTEST_KUBECONFIG=$config LOADTEST_NS=$PWD/dev/cluster/ns LOADTEST_HELM=$helm
	LOADTEST_KUBECTL=$(cat "$DEVCLUSTER_STATE/bin")/kubectl
	export LOADTEST_KUBECTL
}
