#!/usr/bin/env bash
# fuzz.sh SECONDS [TARGET…]: runs targets of tests/it/hostile (all of them) for SECONDS each, led by
# coverage. What breaks stands in fuzz/found/, to be mended and then moved to fuzz/corpus/TARGET/, from
# where every `make test` tries it; what was learnt on the way stays under the build folder.
set -euo pipefail
cd "$(dirname "$0")/../.."
seconds=$1
shift

host=$(rustc -vV | sed -n 's/^host: //p')
folder=$(cargo metadata --format-version 1 --no-deps --offline |
  python3 -c 'import json, sys; print(json.load(sys.stdin)["target_directory"])')/fuzz
# libFuzzer's instrumentation is in stable rustc's LLVM. The target is named so that the flags stay off
# what runs while building, and the folder is one of its own, so that no other build is thrown away.
flags="--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4
  -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table
  -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1 -Cdebug-assertions"
RUSTFLAGS=$(echo $flags) CARGO_TARGET_DIR="$folder" cargo build --locked -p tuantibu-fuzz --bin fuzz --target "$host"
program=$folder/$host/debug/fuzz

[ $# -gt 0 ] || set -- fuzz/corpus/*/
status=0
for target in "$@"; do
  target=$(basename "$target")
  mkdir -p "$folder/learnt/$target" fuzz/found
  echo "fuzz: $target, $seconds s"
  TARGET=$target "$program" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=4096 -max_len=4096 \
    -print_final_stats=1 -artifact_prefix="fuzz/found/$target-" "$folder/learnt/$target" "fuzz/corpus/$target" \
    >"$folder/$target.log" 2>&1 || { status=1; tail -n 30 "$folder/$target.log"; }
  grep -E '^stat::number_of_executed_units|^#.*DONE' "$folder/$target.log" || true
done
exit $status
