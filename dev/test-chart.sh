# shellcheck shell=bash
# Sourced by test: the chart, rendered with sets of values. Needs check and refused.
# shellcheck disable=SC2317 # functions that check calls

chart=charts/loadtest-operator
helm=$(dev/helm/build) || return
render() { "$helm" template loadtest $chart --namespace loadtest-system "$@"; }
# count NUMBER KIND VALUES...: so many objects of this kind come out.
count() {
	local number=$1 kind=$2 out found
	shift 2
	out=$(render "$@") || { echo "$out" && return 1; }
	found=$(grep -c "^kind: $kind\$" <<<"$out")
	[ "$found" = "$number" ] || { echo "$found objects of kind $kind" && return 1; }
}
# says PART VALUES..., silent PART VALUES...: the rendered text contains PART, or doesn't.
says() {
	local part=$1 out
	shift
	out=$(render "$@") && grep -qF -- "$part" <<<"$out"
}
silent() {
	local part=$1 out
	shift
	out=$(render "$@") && ! grep -F -- "$part" <<<"$out"
}
# no_rule PATTERN VALUES...: no rule of the rights, written in one line each, matches PATTERN.
no_rule() {
	local pattern=$1 out
	shift
	out=$(render "$@" | awk '/^rules:/ {on = 1} /^(---|roleRef:)/ {on = 0} !on || /#/ {next} /- apiGroups/ {print ""} {printf "%s ", $0}')
	grep -q loadtests/status <<<"$out" || { echo 'no rules found' && return 1; }
	! grep -E -- "$pattern" <<<"$out"
}

some='config.watchNamespaces={shop,billing}'
check "helm lint accepts the chart" "$helm" lint --strict $chart
[ ! -e examples/demo/values.yaml ] || check "the demo's values are accepted" render --values examples/demo/values.yaml
check "the node tests' values are accepted" render --values dev/test-values.yaml
check "cluster mode has one ClusterRole" count 1 ClusterRole
check "cluster mode has no Role" count 0 Role
check "namespaced mode has no ClusterRole" count 0 ClusterRole --set "$some"
check "namespaced mode has no ClusterRoleBinding" count 0 ClusterRoleBinding --set "$some"
check "namespaced mode has a Role a namespace" count 2 Role --set "$some"
for mode in config.awsRegion=eu-central-1 "$some"; do
	check "no right to Secrets ($mode)" no_rule secrets --set "$mode"
	check "no wildcard in the rights ($mode)" no_rule '\*' --set "$mode"
	check "no right to run commands in pods or to create them ($mode)" no_rule 'pods/exec|\[pods\].*create' --set "$mode"
done
for mode in policies.author=false,policies.operator=false "policies.author=false,policies.operator=false,$some"; do
	check "no policy unless one is asked for ($mode)" count 0 ValidatingAdmissionPolicy --set "$mode"
done
check "one policy for authors" count 1 ValidatingAdmissionPolicy --set policies.author=true
check "seven policies for the operator, each with its binding" count 7 ValidatingAdmissionPolicyBinding --set policies.operator=true
copies="[?'loadtest.dev/cron-job'].hasValue()"
check "copies of CronJobs are let through where that is asked for" says "$copies" --set policies.operator=true,policies.cronJobs=true
check "and only there" silent "$copies" --set policies.operator=true
check "policies need no ClusterRole" count 0 ClusterRole --set "$some,policies.author=true,policies.operator=true"
check "the policies name the operator's service account" says "'system:serviceaccount:loadtest-system:other'" \
	--set policies.operator=true,serviceAccount.name=other
check "authors are asked in the watched namespaces only" says 'values: ["shop","billing"]' --set "$some,policies.author=true"
check "no network policy unless one is asked for" count 0 NetworkPolicy --set "$some"
check "a network policy for the agents of each namespace" count 2 NetworkPolicy --set "$some,networkPolicy.agents.enabled=true"
check "a network policy for the operator" count 1 NetworkPolicy --set networkPolicy.operator.enabled=true
check "the API server's addresses get into it" says 'cidr: "10.0.0.1/32"' \
	--set 'networkPolicy.operator.enabled=true,networkPolicy.operator.cidrs={10.0.0.1/32}'
refused "a network policy for agents in no namespace is refused" "networkPolicy.agents needs namespaces" render --set networkPolicy.agents.enabled=true
refused "an address without its length is refused" "/networkPolicy/operator/cidrs/0" render --set 'networkPolicy.operator.cidrs={10.0.0.1}'
refused "an unknown policy is refused" "additional properties 'agents' not allowed" render --set policies.agents=true
check "the resource definition is kept when the release goes" says 'helm.sh/resource-policy: keep'
check "the resource definition can be left out" count 0 CustomResourceDefinition --set crds.enabled=false
check "one operator at a time" says 'type: Recreate'
check "without leader election nothing is said of a lease" silent leader-election
two='leaderElection.enabled=true,replicas=2'
check "two operators elect a leader" says '- --leader-election' --set "$two"
check "two operators are replaced one after the other" says 'type: RollingUpdate' --set "$two"
check "the lease is a right of one Role" count 1 Role --set "$two"
check "namespaced mode has no ClusterRole for the lease" count 0 ClusterRole --set "$two,$some"
refused "two operators without leader election are refused" "need leaderElection.enabled=true" render --set replicas=2
check "two operators stay off each other's node where they can" says 'topologyKey: kubernetes.io/hostname' --set "$two"
check "and where the user says" silent 'kubernetes.io/hostname' --set "$two" --set-json 'affinity={"nodeAffinity":{}}'
check "one operator has no affinity" silent 'affinity:'
check "nothing of the Prometheus operator unless it is asked for" silent monitoring.coreos.com
check "a PodMonitor" says 'kind: PodMonitor' --set metrics.podMonitor.enabled=true,metrics.podMonitor.labels.release=prometheus
check "helm test asks the operator itself" says "helm.sh/hook: test"
check "alerts" says 'alert: LoadTestTargetsNotPutBack' --set metrics.alerts.enabled=true
check "dashboards, found by Grafana's sidecar" says 'grafana_dashboard: "1"' --set metrics.dashboards.enabled=true
check "both dashboards" says '  runs.json: |' --set metrics.dashboards.enabled=true
refused "an interval without its unit is refused" "/metrics/podMonitor/interval" render --set metrics.podMonitor.interval=x30
for line in 'runAsNonRoot: true' 'readOnlyRootFilesystem: true' 'allowPrivilegeEscalation: false' 'drop: [ALL]' 'type: RuntimeDefault'; do
	check "restricted pod: $line" says "$line"
done
check "an unset region is absent from the configuration" silent 'awsRegion'
check "a region gets into the configuration" says 'awsRegion: eu-central-1' --set config.awsRegion=eu-central-1
check "a digest goes before the tag" says "loadtest-operator@sha256:$(printf '%064d' 7)" --set "image.digest=sha256:$(printf '%064d' 7)"
check "an IAM role is an annotation of the service account" says 'role-arn: arn:aws:iam::1:role/r' \
	--set 'serviceAccount.annotations.eks\.amazonaws\.com/role-arn=arn:aws:iam::1:role/r'
refused "an unknown key is refused" "additional properties 'typo' not allowed" render --set typo=1
refused "an unknown limit is refused" "additional properties 'maxRate' not allowed" render --set config.limits.maxRate=1
refused "a rate of zero is refused" "/config/limits/maxRatePerSecond" render --set config.limits.maxRatePerSecond=0
refused "a host with a path is refused" "/config/allowedHosts" render --set 'config.allowedHosts={example.com/a}'
refused "an RDS entry without instances is refused" "instances" render --set 'config.rds[0].namespace=shop'
check "an RDS proxy gets into the configuration" says 'shop-pool' \
	--set 'config.rds[0].namespace=shop,config.rds[0].instances={shop-db},config.rds[0].proxies={shop-pool}'
refused "a proxy's endpoint in place of its name is refused" "/config/rds/0/proxies/0" \
	render --set 'config.rds[0].namespace=shop,config.rds[0].instances={shop-db},config.rds[0].proxies={shop-pool.proxy-abc.rds.amazonaws.com}'
refused "a level that would silence the log is refused" 'logLevel: "infoo" is neither' render --set logLevel=infoo
check "directives are a level" says 'value: "info,loadtest_operator=debug"' --set 'logLevel=info\,loadtest_operator=debug'
refused "the log's level has one place" "RUST_LOG is set by logLevel" render --set 'env[0].name=RUST_LOG'
refused "the agents' image can't be set apart" "AGENT_IMAGE is the operator's own image" render --set 'env[0].name=AGENT_IMAGE'
