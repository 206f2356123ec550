# The programs and schemas that test the chart, from the Go module proxy and PyPI, which are reached
# where GitHub is not. Sourced by ./test. They are kept in a cache outside of the tree, a directory
# per version, and fetched only when missing: another run needs no network and no root.

CHART_TOOLS=${XDG_CACHE_HOME:-$HOME/.cache}/posthorn-tools
GO_VERSION=1.26.11

HELM3_VERSION=3.22.0
HELM4_VERSION=4.3.1
HELM_UNITTEST_VERSION=1.1.2
KUBECONFORM_VERSION=0.8.0
KUBE_SCORE_VERSION=1.20.0

# Kubernetes schemas of every release since 1.25 in one package, and modules that contain the CRDs.
KUBERNETES_VALIDATE_VERSION=1.37.0
CRD_MODULES="github.com/cert-manager/cert-manager@v1.21.2
	github.com/prometheus-operator/prometheus-operator@v0.85.0
	github.com/traefik/traefik/v3@v3.7.13
	sigs.k8s.io/gateway-api@v1.4.1
	sigs.k8s.io/gateway-api@v1.6.3"
# To be raised when what tools/chart_schemas.py writes changes.
SCHEMAS_REVISION=2

export HELM3=$CHART_TOOLS/helm-$HELM3_VERSION/helm
export HELM4=$CHART_TOOLS/helm-$HELM4_VERSION/helm
export HELM_UNITTEST=$CHART_TOOLS/helm-unittest-$HELM_UNITTEST_VERSION/helm-unittest
export KUBECONFORM=$CHART_TOOLS/kubeconform-$KUBECONFORM_VERSION/kubeconform
export KUBE_SCORE=$CHART_TOOLS/kube-score-$KUBE_SCORE_VERSION/kube-score
export CHART_SCHEMAS=$CHART_TOOLS/schemas-$KUBERNETES_VALIDATE_VERSION-$SCHEMAS_REVISION

chart_tools_say() {
	echo "chart tools: $*" >&2
}

# The go command that is recent enough, in $GO. Debian 12 has Go 1.19, which cannot switch to
# another toolchain itself, but can fetch one: toolchains are modules too.
chart_tools_go() {
	[ -z "${GO:-}" ] || return 0
	command -v go >/dev/null || packages_need golang-go || return 1
	if ! command -v go >/dev/null; then
		chart_tools_say "go is missing: install golang-go, or any Go from 1.19 on"
		return 1
	fi
	if go version | grep -qE 'go1\.(2[1-9]|[3-9][0-9])'; then
		GO=go
		return 0
	fi
	local arch module dir
	arch=$(go env GOARCH)
	module=golang.org/toolchain@v0.0.1-go$GO_VERSION.linux-$arch
	chart_tools_say "fetching Go $GO_VERSION"
	dir=$(go mod download -json "$module" | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p')
	[ -d "$dir" ] || return 1
	# Modules have no executable files.
	chmod -R u+w "$dir" && chmod a+x "$dir"/bin/* "$dir"/pkg/tool/*/* || return 1
	export GOROOT=$dir
	GO=$dir/bin/go
}

chart_tools_run_go() {
	GOTOOLCHAIN=auto GOFLAGS=-p=2 "$GO" "$@"
}

# chart_tools_install PROGRAM PACKAGE@VERSION
chart_tools_install() {
	[ -x "$1" ] && return 0
	chart_tools_go || return 1
	chart_tools_say "building $2"
	local dir
	dir=$(mktemp -d "$CHART_TOOLS/build.XXXXXX") || return 1
	if GOBIN=$dir chart_tools_run_go install "$2" 2>"$dir.log"; then
		chart_tools_keep "$dir" "$1" && return 0
	fi
	chart_tools_fail "$dir"
}

# helm-unittest replaces one of its modules, which `go install` refuses: it is built from source.
chart_tools_install_unittest() {
	[ -x "$HELM_UNITTEST" ] && return 0
	chart_tools_go || return 1
	chart_tools_say "building helm-unittest $HELM_UNITTEST_VERSION"
	local dir source
	dir=$(mktemp -d "$CHART_TOOLS/build.XXXXXX") || return 1
	source=$(chart_tools_module \
		"github.com/helm-unittest/helm-unittest@v$HELM_UNITTEST_VERSION") &&
		cp -r "$source" "$dir/source" && chmod -R u+w "$dir/source" &&
		(cd "$dir/source" &&
			chart_tools_run_go build -o "$dir/helm-unittest" ./cmd/helm-unittest) \
			2>"$dir.log" &&
		rm -rf "$dir/source" && chart_tools_keep "$dir" "$HELM_UNITTEST" && return 0
	chart_tools_fail "$dir"
}

# Fetch MODULE@VERSION and print where its source is.
chart_tools_module() {
	chart_tools_run_go mod download -json "$1" | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p'
}

# Rename at the end, so that an interrupted run leaves nothing that looks complete.
chart_tools_keep() {
	rm -rf "$(dirname "$2")" "$1.log"
	chmod 755 "$1" && mv "$1" "$(dirname "$2")"
}

chart_tools_fail() {
	tail -n 20 "$1.log" >&2
	chmod -R u+w "$1" && rm -rf "$1" "$1.log"
	chart_tools_say "failed; the first run needs proxy.golang.org and pypi.org"
	return 1
}

chart_tools_install_schemas() {
	[ -d "$CHART_SCHEMAS" ] && return 0
	chart_tools_go && packages_need python3-yaml python3-pip || return 1
	chart_tools_say "fetching the schemas of Kubernetes and of custom resources"
	local dir module modules=()
	dir=$(mktemp -d "$CHART_TOOLS/build.XXXXXX") || return 1
	for module in $CRD_MODULES; do
		modules+=("$(chart_tools_module "$module" 2>>"$dir.log")") ||
			{ chart_tools_fail "$dir" && return 1; }
	done
	/usr/bin/python3 -m pip download --quiet --no-deps --disable-pip-version-check \
		--dest "$dir/wheel" "kubernetes-validate==$KUBERNETES_VALIDATE_VERSION" \
		>>"$dir.log" 2>&1 &&
		/usr/bin/python3 tools/chart_schemas.py "$dir" "$dir"/wheel/*.whl "${modules[@]}" \
			2>>"$dir.log" &&
		rm -rf "$dir/wheel" && chart_tools_keep "$dir" "$CHART_SCHEMAS/x" && return 0
	chart_tools_fail "$dir"
}

chart_tools_need() {
	packages_need python3-yaml && mkdir -p "$CHART_TOOLS" &&
		chart_tools_install "$HELM3" "helm.sh/helm/v3/cmd/helm@v$HELM3_VERSION" &&
		chart_tools_install "$HELM4" "helm.sh/helm/v4/cmd/helm@v$HELM4_VERSION" &&
		chart_tools_install "$KUBECONFORM" \
			"github.com/yannh/kubeconform/cmd/kubeconform@v$KUBECONFORM_VERSION" &&
		chart_tools_install "$KUBE_SCORE" \
			"github.com/zegl/kube-score/cmd/kube-score@v$KUBE_SCORE_VERSION" &&
		chart_tools_install_unittest &&
		chart_tools_install_schemas
}
