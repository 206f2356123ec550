# What the comparisons of this directory need, for them to source: packages, a build, and its place
# in POSTHORN_BUILD.
. tools/packages.sh
# shellcheck disable=SC2086
packages_need $PACKAGES_BUILD $PACKAGES_BENCH
BUILD=${POSTHORN_BUILD:-$PWD/build-bench}
if [ -z "${POSTHORN_BUILD:-}" ]; then
	[ -f "$BUILD/build.ninja" ] || meson setup "$BUILD" -Dtests=false >&2
	ninja -C "$BUILD" --quiet >&2
fi
export POSTHORN_BUILD=$BUILD
