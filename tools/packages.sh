# Debian packages for each purpose, and a function that installs what is missing. Sourced by ./run,
# ./test and bench/run.

PACKAGES_BUILD="gcc libc6-dev meson ninja-build pkg-config python3
	libssl-dev libseccomp-dev libcrypt-dev libargon2-dev libpcre2-dev libicu-dev libidn2-dev
	libpsl-dev publicsuffix zlib1g-dev libsqlite3-dev libunbound-dev dns-root-data"
PACKAGES_TEST="clang libclang-rt-dev clang-format-19 git libcmocka-dev openssl python3-pytest
	python3-pytest-timeout python3-dnspython python3-cryptography python3-dkim python3-spf
	python3-authres python3-yaml"
# The Perl modules are what swaks needs for TLS, AUTH and MX records.
PACKAGES_CLIENTS="curl swaks libnet-ssleay-perl libauthen-sasl-perl libnet-dns-perl isync neomutt
	fetchmail getmail6 mpop offlineimap3 haproxy nginx libnginx-mod-stream ca-certificates
	dovecot-core dovecot-imapd dovecot-pop3d opendkim opendmarc publicsuffix iproute2"
# The images are built and run as root, without the network of a runtime.
PACKAGES_IMAGE="podman buildah runc mmdebstrap util-linux binutils openssl python3-yaml"
PACKAGES_BENCH="postfix dovecot-core dovecot-imapd dovecot-pop3d dovecot-lmtpd dovecot-sieve openssl
	strace"
PACKAGES_BENCH_FILTER="opendkim opendmarc postfix-policyd-spf-python python3-dkim python3-dnspython
	python3-cryptography iproute2"

packages_missing() {
	local package status
	for package in "$@"; do
		status=$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null) || true
		[ "$status" = installed ] || printf '%s ' "$package"
	done
}

# Without a password, or with somebody there who can type it.
packages_may_sudo() {
	command -v sudo >/dev/null && { sudo -n true 2>/dev/null || [ -t 0 ]; }
}

# Install what is missing of the packages named. POSTHORN_NO_INSTALL=1 leaves the system alone.
packages_need() {
	[ -z "${POSTHORN_NO_INSTALL:-}" ] || return 0
	if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
		echo "This is not Debian: no packages are installed, see tools/packages.sh." >&2
		return 0
	fi
	local missing
	missing=$(packages_missing "$@")
	[ -n "$missing" ] || return 0

	local as_root=()
	if [ "$(id -u)" != 0 ]; then
		if ! packages_may_sudo; then
			echo "These packages are missing and there is no way to become root:" >&2
			echo "    apt-get install --no-install-recommends $missing" >&2
			return 1
		fi
		as_root=(sudo)
	fi
	echo "Installing $missing" >&2
	packages_install "$missing"
}

# Mail servers and clients among the packages must not start: a policy file forbids it meanwhile.
packages_install() {
	local policy=/usr/sbin/policy-rc.d made=
	if [ ! -e $policy ]; then
		printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee $policy >/dev/null
		"${as_root[@]}" chmod 755 $policy
		made=1
	fi
	local ok=0 log
	log=$(mktemp) || return 1
	# shellcheck disable=SC2086
	packages_apt_get install $1 >"$log" 2>&1 ||
		{ packages_apt_get update && packages_apt_get install $1; } >>"$log" 2>&1 || ok=$?
	[ -z "$made" ] || "${as_root[@]}" rm -f $policy
	if [ $ok != 0 ]; then
		cat "$log" >&2
		echo "apt-get failed" >&2
	fi
	rm -f "$log"
	return $ok
}

packages_apt_get() {
	"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -y \
		-o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 --no-install-recommends "$@" \
		</dev/null
}
