#!/bin/sh
# Makes the buckets that jobs use; those that are there stay as they are.
set -eu
MC_CONFIG_DIR=$(mktemp -d)
export MC_CONFIG_DIR
trap 'rm -r "$MC_CONFIG_DIR"' EXIT
# Through a pipe: what stands in a command line can be read by every process of the machine.
printf '%s\n%s\n' "$MINIO_ROOT_USER" "$MINIO_ROOT_PASSWORD" | mc --quiet alias set store "$STORE_URL" >/dev/null
for bucket in $BUCKETS; do
  mc --quiet mb -p "store/$bucket"
done
