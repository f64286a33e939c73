#!/bin/sh
# Fuzzes the native readers of model files with libFuzzer, AddressSanitizer and UndefinedBehaviorSanitizer.
#   fuzz.sh [SECONDS]   for each target; default 60
# Needs clang (Debian: apt-get install clang-19 libclang-rt-19-dev). Findings are left in native/target/fuzz.
set -eu
source_dir=$(cd "$(dirname "$0")" && pwd)
seconds=${1:-60}
work=$source_dir/target/fuzz
clang=
for candidate in "${CXX:-}" clang++-19 clang++ clang++-14; do
  if [ -n "$candidate" ] && command -v "$candidate" >/dev/null 2>&1 && "$candidate" --version | grep -q clang; then
    clang=$candidate
    break
  fi
done
[ -n "$clang" ] || { echo "fuzz: clang++ is missing (Debian: apt-get install clang-19 libclang-rt-19-dev)" >&2; exit 1; }

mkdir -p "$work"
flags="-std=c++17 -g -O1 -fno-omit-frame-pointer -fno-sanitize-recover=undefined"
flags="$flags -fsanitize=fuzzer,address,undefined -I$source_dir/src/main/cpp"
for target in json safetensors; do
  # shellcheck disable=SC2086  # flags are separated by spaces on purpose
  "$clang" $flags "$source_dir/src/fuzz/cpp/fuzz_$target.cpp" "$source_dir"/src/main/cpp/model/json.cpp \
    "$source_dir"/src/main/cpp/model/safetensors.cpp "$source_dir"/src/main/cpp/model/open_file.cpp -o "$work/fuzz_$target"
  mkdir -p "$work/found/$target"
  echo "fuzz: $target for $seconds s"
  # New inputs go to the first folder; the seeds beside it are only read.
  "$work/fuzz_$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 -max_len=4096 -print_final_stats=1 \
    -artifact_prefix="$work/" "$work/found/$target" "$source_dir/src/fuzz/corpus/$target"
done
