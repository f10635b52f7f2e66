# shellcheck shell=sh
# Sourced by up: writes the configuration of the components into "$state/conf". Needs state, bin, cgroup and runc.
# shellcheck disable=SC2154
mkdir -p "$state/conf/cni"
cat >"$state/conf/containerd.toml" <<EOF
version = 3
root = "$state/data/containerd"
state = "/run/containerd"
disabled_plugins = ["io.containerd.nri.v1.nri", "io.containerd.snapshotter.v1.blockfile", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.erofs", "io.containerd.snapshotter.v1.zfs", "io.containerd.tracing.processor.v1.otlp", "io.containerd.internal.v1.tracing"]
[grpc]
  address = "/run/containerd/containerd.sock"
[plugins.'io.containerd.cri.v1.images']
  snapshotter = "overlayfs"
[plugins.'io.containerd.cri.v1.images'.pinned_images]
  sandbox = "dev.local/pause:1"
[plugins.'io.containerd.cri.v1.runtime']
  restrict_oom_score_adj = true
[plugins.'io.containerd.cri.v1.runtime'.cni]
  bin_dirs = ["$bin"]
  conf_dir = "$state/conf/cni"
[plugins.'io.containerd.cri.v1.runtime'.containerd]
  default_runtime_name = "runc"
[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
  runtime_path = "$bin/containerd-shim-runc-v2"
[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]
  BinaryName = "$runc"
  SystemdCgroup = false
EOF
cat >"$state/conf/cni/10-pods.conflist" <<EOF
{"cniVersion": "1.0.0", "name": "pods", "plugins": [{"type": "ptp", "mtu": 1500,
 "ipam": {"type": "host-local", "dataDir": "/run/cni", "ranges": [[{"subnet": "198.19.0.0/17"}]], "routes": [{"dst": "0.0.0.0/0"}]}}]}
EOF
printf 'nameserver 198.19.255.1\n' >"$state/conf/resolv.conf"
cat >"$state/conf/kubelet.yaml" <<EOF
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
authentication: {anonymous: {enabled: false}, webhook: {enabled: true}, x509: {clientCAFile: $state/pki/ca.crt}}
authorization: {mode: Webhook}
containerRuntimeEndpoint: unix:///run/containerd/containerd.sock
cgroupDriver: cgroupfs
cgroupRoot: /$cgroup
failCgroupV1: false
failSwapOn: false
clusterDomain: cluster.local
clusterDNS: [198.19.255.1]
resolvConf: $state/conf/resolv.conf
makeIPTablesUtilChains: false
serializeImagePulls: false
imageGCHighThresholdPercent: 100
imageGCLowThresholdPercent: 99
evictionHard: {memory.available: 100Mi, nodefs.available: 0%, nodefs.inodesFree: 0%, imagefs.available: 0%, imagefs.inodesFree: 0%}
EOF
cat >"$state/conf/kube-proxy.yaml" <<EOF
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
mode: nftables
clientConnection: {kubeconfig: $state/pki/kube-proxy.kubeconfig}
hostnameOverride: devcluster
clusterCIDR: 198.19.0.0/17
bindAddress: 127.0.0.1
conntrack: {maxPerCore: 0, tcpEstablishedTimeout: 0s, tcpCloseWaitTimeout: 0s}
EOF
cat >"$state/conf/Corefile" <<EOF
.:53 {
	bind 198.19.255.1
	errors
	ready 127.0.0.1:8181
	cache 5
	kubernetes cluster.local {
		kubeconfig $state/pki/coredns.kubeconfig
	}
}
EOF
# What the operator asks of the API server, as far as it is installed in namespace loadtest-system: tests compare it with its rights.
cat >"$state/conf/audit.yaml" <<EOF
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- {level: Metadata, userGroups: ["system:serviceaccounts:loadtest-system"]}
- level: Metadata
  verbs: [delete, deletecollection]
  resources: [{group: rbac.authorization.k8s.io, resources: [rolebindings, clusterrolebindings]}]
- {level: None}
EOF
