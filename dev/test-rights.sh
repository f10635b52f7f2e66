# shellcheck shell=bash
# Sourced by test: whether the operator's rights are what its calls needed, verb for verb. LOADTEST_AUDIT is the API server's audit log of
# a whole suite, KUBECTL a command for its cluster. Needs check.
# shellcheck disable=SC2317 # functions that check calls

# Rights that no call of the node tests needs, each with its reason: "verb group/resource".
unused_rights() {
	cat <<-END
		update loadtest.dev/loadtests/finalizers   no request: asked about owner references where they are checked; tests/api/rights.rs
	END
}
# Requests that every service account may make (system:discovery and system:basic-user).
everybodys='(selfsubject|/version|/api)'

# "verb group/resource[/subresource]" of each rule of the roles that are bound to the operator.
granted_rights() {
	$KUBECTL get clusterroles,roles -A -l app.kubernetes.io/instance=loadtest -o json |
		jq -r '.items[].rules[] | .verbs[] as $v | (.apiGroups // [])[] as $g | (.resources // [])[] as $r | "\($v) \($g)/\($r)"' | sort -u
}

# The same of each request that the operator's service account made, as the audit log has it.
used_rights() {
	jq -r 'select(.user.username == "system:serviceaccount:loadtest-system:loadtest-operator") | select(.objectRef != null)
		| "\(.verb) \(.objectRef.apiGroup // "")/\(.objectRef.resource)\(if .objectRef.subresource then "/" + .objectRef.subresource else "" end)"' \
		"$LOADTEST_AUDIT" | grep -vE "$everybodys" | sort -u
}

# all_in FILE-A FILE-B: each line of A is a line of B.
all_in() {
	local more
	more=$(comm -23 "$1" "$2")
	[ -z "$more" ] || { echo "$more" && return 1; }
}

# no_refused_call: what the operator asked for and was not allowed, once for each. When the chart is removed its rights go before its
# pod, which has 15 s to end: what it asks in the half minute after a right was taken is no fault. A right that is missing is missing at
# other times, too.
no_refused_call() {
	local refused
	refused=$({ grep -E '"verb":"delete|/decision":"forbid"' "$LOADTEST_AUDIT" || :; } | jq -rs 'def at: .requestReceivedTimestamp[:19] + "Z" | fromdate;
		[.[] | select((.verb | startswith("delete")) and (.objectRef.resource // "" | endswith("rolebindings"))) | at] as $removed
		| .[] | select(.annotations["authorization.k8s.io/decision"] == "forbid")
		| select(.user.username == "system:serviceaccount:loadtest-system:loadtest-operator") | at as $asked
		| select(any($removed[]; . <= $asked and $asked <= . + 30) | not)
		| "\(.verb) \(.requestURI)"') || return 1
	[ -z "$refused" ] || { sort -u <<<"$refused" | head && return 1; }
}

test_rights() {
	local work
	work=$(mktemp -d)
	granted_rights >"$work/granted"
	used_rights >"$work/used"
	unused_rights | sed 's/   .*//' | sort >"$work/exceptions"
	sort -u "$work/used" "$work/exceptions" >"$work/needed"
	check "the audit log holds the operator's calls" grep -q 'patch loadtest.dev/loadtests/status' "$work/used"
	check "every right of the operator was needed" all_in "$work/granted" "$work/needed"
	check "every call of the operator is covered by a right" all_in "$work/used" "$work/granted"
	check "every exception is a right" all_in "$work/exceptions" "$work/granted"
	check "no call of the operator was forbidden" no_refused_call
	rm -rf "$work"
}

test_rights
