#!/bin/sh
# Builds and tests the native library. Maven calls it; it also works by hand.
#   build.sh build BUILD_DIR DNNL_DIR RESOURCE_DIR   configure, compile, copy the library
#   build.sh test BUILD_DIR                          run the GoogleTest suite, if there is one
set -eu
source_dir=$(cd "$(dirname "$0")" && pwd)

fail() {
  echo "native: $1" >&2
  exit 1
}

need_tools() {
  command -v cmake >/dev/null 2>&1 ||
    fail "cmake is missing. On Debian or Ubuntu: apt-get install cmake g++"
  if [ -n "${CXX:-}" ]; then
    command -v "${CXX%% *}" >/dev/null 2>&1 || fail "the compiler \$CXX ($CXX) is missing"
    return
  fi
  for compiler in c++ g++ clang++; do
    if command -v "$compiler" >/dev/null 2>&1; then
      return
    fi
  done
  fail "a C++ compiler is missing. On Debian or Ubuntu: apt-get install g++"
}

# Prints the folder of XRT's headers and library, fetched once for all builds of this user. Prints nothing where
# there is none: the XDNA2 backend is then left out. AMANUENSIS_XRT_DIR names another folder, AMANUENSIS_NO_XRT=1
# leaves it out.
xrt_folder() {
  if [ "${AMANUENSIS_NO_XRT:-}" = 1 ]; then
    echo "native: no XDNA2 backend: AMANUENSIS_NO_XRT is 1" >&2
    return
  fi
  folder=${AMANUENSIS_XRT_DIR:-${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/amanuensis/xrt-2.25}
  # One attempt for each build directory: a machine without network must not wait each time.
  if [ ! -f "$folder/include/xrt/xrt_hw_context.h" ] && [ ! -f "$1/xrt.failed" ]; then
    "$source_dir/npu/fetch-xrt" "$folder" >&2 || touch "$1/xrt.failed"
  fi
  if [ -f "$folder/include/xrt/xrt_hw_context.h" ]; then
    echo "$folder"
  fi
}

copy_if_changed() {
  # By rename: a process that runs from the old file keeps it.
  cmp -s "$1" "$2" || { cp "$1" "$2.new" && mv -f "$2.new" "$2"; }
}

build() {
  build_dir=$1 dnnl_dir=$2 resource_dir=$3
  need_tools
  generator="Unix Makefiles"
  if command -v ninja >/dev/null 2>&1; then
    generator=Ninja
  fi
  mkdir -p "$build_dir"
  xrt=$(xrt_folder "$build_dir")
  # A build directory keeps the generator it was made with.
  if [ ! -f "$build_dir/CMakeCache.txt" ]; then
    mkdir -p "$build_dir"
    set -- -G "$generator"
  else
    set --
  fi
  cmake -S "$source_dir" -B "$build_dir" "$@" -DCMAKE_BUILD_TYPE=Release \
    -DAMANUENSIS_DNNL_DIR="$dnnl_dir" -DAMANUENSIS_XRT_DIR="$xrt" >"$build_dir/configure.log" 2>&1 || {
    cat "$build_dir/configure.log" >&2
    fail "cmake could not configure the build"
  }
  cmake --build "$build_dir" --parallel "$(nproc 2>/dev/null || echo 2)"
  library=$build_dir/libamanuensis.so
  [ -f "$library" ] || fail "the build made no libamanuensis.so"
  mkdir -p "$resource_dir"
  copy_if_changed "$library" "$resource_dir/libamanuensis.so"
  copy_if_changed "$build_dir/libavdevice.so.62" "$resource_dir/libavdevice.so.62"
  if grep -q "XDNA2 backend left out" "$build_dir/configure.log"; then
    rm -f "$resource_dir/libamanuensis_xdna2.so"
    grep "XDNA2 backend left out" "$build_dir/configure.log" | sed 's/^-- /native: /' >&2
  else
    copy_if_changed "$build_dir/libamanuensis_xdna2.so" "$resource_dir/libamanuensis_xdna2.so"
  fi
}

run_tests() {
  build_dir=$1
  if [ ! -f "$build_dir/CMakeCache.txt" ]; then
    echo "native: C++ UNIT TESTS SKIPPED: the library was not built here."
    return
  fi
  if grep -q "GoogleTest not found" "$build_dir/configure.log" 2>/dev/null; then
    echo "native: C++ UNIT TESTS SKIPPED: GoogleTest is not installed (apt-get install libgtest-dev)."
    echo "native: what must hold on every machine is tested through JUnit as well."
    return
  fi
  if (cd "$build_dir" && ctest -N 2>/dev/null) | grep -q "Total Tests: 0"; then
    echo "native: C++ UNIT TESTS SKIPPED: GoogleTest is installed, but the build holds no C++ test."
    return
  fi
  (cd "$build_dir" && ctest --output-on-failure)
}

case "${1:-}" in
  build) shift && build "$@" ;;
  test) shift && run_tests "$@" ;;
  *) fail "usage: build.sh build BUILD_DIR DNNL_DIR RESOURCE_DIR | test BUILD_DIR" ;;
esac
