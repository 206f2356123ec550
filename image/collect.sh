#!/bin/sh
# Collect what the images hold from a finished build. Runs inside the build stage, as root.
#
#   collect.sh BUILD TREE
#
# TREE/server: the programs, as they lie in both images.
# TREE/root: a whole file system for the image without a Debian: the programs, the shared libraries
#     they load, certificates of authorities, time zones, keys and servers of the DNS's root, and
#     for each package that something is from its licence and what scanners look for.
# TREE/packages: the names of those packages, for the image with a Debian.
set -eu
build=$1
server=$2/server
root=$2/root
programs=/usr/lib/posthorn

fail() {
	echo "collect.sh: $*" >&2
	exit 1
}

# The supervisor looks for the roles beside itself.
collect_server() {
	mkdir -p "$server$programs" "$server/usr/bin" "$server/usr/share/doc/posthorn"
	for file in "$build"/posthorn "$build"/posthorn-* "$build"/setup "$build"/deliver \
		"$build"/sendmail "$build"/dms-healthcheck; do
		if [ -f "$file" ]; then install -s -m 755 "$file" "$server$programs"; fi
	done
	ln -s ../lib/posthorn/posthorn ../lib/posthorn/setup ../lib/posthorn/dms-healthcheck \
		"$server/usr/bin/"
	link_setup_commands
	mkdir -p "$server/usr/sbin"
	ln -s ../lib/posthorn/sendmail "$server/usr/sbin/sendmail"
	# Where configurations of getmail look for it.
	mkdir -p "$server/usr/lib/dovecot"
	ln -s ../posthorn/deliver "$server/usr/lib/dovecot/deliver"
	ln -s deliver "$server/usr/lib/dovecot/dovecot-lda"
	install -m 644 LICENSE "$server/usr/share/doc/posthorn/"
}

# setup is also called by the names of its commands: addmailuser, delalias, ...
link_setup_commands() {
	names=$(tr '\n\t' '  ' <src/setup/commands.c |
		sed 's/STR_INIT("[a-z-]*"), *STR_INIT("[a-z-]*"), *"\([a-z-]*\)"/\n=\1\n/g' |
		sed -n 's/^=//p')
	case " "$(echo $names)" " in
	*" addmailuser "*) ;;
	*) fail "src/setup/commands.c does not look as it did" ;;
	esac
	for name in $names; do
		ln -s setup "$server/usr/bin/$name"
	done
}

libraries() {
	for program in "$server$programs"/*; do
		ldd "$program"
	done | sed -n 's/^.*[[:space:]]\(\/[^ ]*\) (0x.*/\1/p' | sort -u
}

# Where /lib is a link to /usr/lib, packages name their files by either.
package_of() {
	found=$(dpkg-query -S "$1" 2>/dev/null || dpkg-query -S "${1#/usr}" 2>/dev/null) ||
		fail "$1 is from no package"
	echo "${found%%:*}"
}

# copy_file PATH: to the same place, under the name it is loaded by.
copy_file() {
	path=$(realpath "$(dirname "$1")")/$(basename "$1")
	mkdir -p "$root$(dirname "$path")"
	cp -L "$1" "$root$path"
	real=$(realpath "$1")
	package_of "$real" >>"$packages"
}

collect_libraries() {
	for link in /lib /lib64; do
		if [ -L "$link" ]; then cp -P "$link" "$root$link"; fi
	done
	libraries >"$root.libraries"
	while read -r file; do
		copy_file "$file"
	done <"$root.libraries"
	rm "$root.libraries"
}

collect_data() {
	mkdir -p "$root/etc/ssl/certs" "$root/usr/share"
	cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
	cp -a /usr/share/zoneinfo "$root/usr/share/"
	# The same zones with leap seconds, which no clock here counts, and under a second
	# name; and what the C library does not read.
	(cd "$root/usr/share/zoneinfo" && rm -rf right posix tzdata.zi leap* ./*.tab)
	cp -P /etc/os-release "$root/etc/"
	copy_file /usr/lib/os-release
	copy_file /usr/share/dns/root.key
	copy_file /usr/share/dns/root.hints
	copy_file /usr/share/publicsuffix/public_suffix_list.dafsa
	cp /etc/debian_version "$root/etc/"
	printf '%s\n' ca-certificates tzdata base-files >>"$packages"
}

collect_licences() {
	sort -u "$packages" -o "$packages"
	mkdir -p "$root/var/lib/dpkg/status.d"
	while read -r package; do
		[ -f "/usr/share/doc/$package/copyright" ] || fail "$package has no licence file"
		mkdir -p "$root/usr/share/doc/$package"
		cp -L "/usr/share/doc/$package/copyright" "$root/usr/share/doc/$package/"
		dpkg-query -s "$package" >"$root/var/lib/dpkg/status.d/$package"
	done <"$packages"
	# Debian's licence files refer to these.
	cp -a /usr/share/common-licenses "$root/usr/share/"
}

# Volumes that a runtime makes get the owner of the directory they are mounted on. Group 0 may
# write, for platforms that run each container with a user of its own.
make_volumes() {
	install -d -m 1777 "$1/tmp"
	for dir in /tmp/docker-mailserver /var/mail /var/mail-state /var/log/mail; do
		install -d -m 770 -o 5000 -g 0 "$1$dir"
	done
}

make_system() {
	mkdir -p "$root/dev" "$root/proc" "$root/sys" "$root/run" "$root/root"
	cat >"$root/etc/passwd" <<-'END'
		root:x:0:0:root:/root:/usr/sbin/nologin
		docker:x:5000:5000::/var/mail:/usr/sbin/nologin
		nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
	END
	cat >"$root/etc/group" <<-'END'
		root:x:0:
		docker:x:5000:
		nogroup:x:65534:
	END
	echo 'hosts: files dns' >"$root/etc/nsswitch.conf"
}

packages=$2/packages
mkdir -p "$server" "$root"
: >"$packages"
collect_server
make_volumes "$server"
cp -a "$server/." "$root/"
collect_libraries
collect_data
collect_licences
make_system
