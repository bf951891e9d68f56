#!/bin/sh
# What `cargo lambda watch` calls as cargo: it runs `cargo run --bin NAME`, which cargo refuses for packages that are no default members of the
# workspace, as functions are (the daily loop shall not link their mains). A function's binary has its package's name, so the package follows.
set -eu
package=
[ "${1-}" != run ] || for argument; do
  [ "${previous-}" != --bin ] || package=$argument
  previous=$argument
done
exec cargo "$@" ${package:+--package "$package"}
