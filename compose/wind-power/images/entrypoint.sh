#!/bin/sh
# Java and Jupyter refuse a user without a name; containers run as whoever started the stack.
if ! getent passwd "$(id -u)" >/dev/null; then
  echo "spark:x:$(id -u):$(id -g):Spark:$HOME:/bin/bash" >>/etc/passwd
fi
# A missing event log folder kills a driver at its start.
if [ -w /output ]; then mkdir -p /output/spark-events; fi
# exec: the service itself is process 1 and gets the signals (a Spark worker drains on SIGPWR).
exec "$@"
