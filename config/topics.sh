#!/bin/sh
# Creates crm-reportd's topics with the settings it needs. Those that exist stay as they are; `crm-reportd check` says
# whether they will do.
#
#   topics.sh BOOTSTRAP_SERVERS [PARTITIONS [REPLICAS]]     default 6 and 1; 3 replicas where there are three brokers
#
# By Kafka's own kafka-topics.sh (in PATH or /opt/kafka/bin) or by rpk. Environment: KAFKA_TOPICS (the tool to use),
# TOPICS_OPTIONS (further options of it, such as --command-config FILE), TOPIC_PREFIX (default crm.).
set -eu

[ $# -ge 1 ] || { sed -n '2,8s/^# \{0,1\}//p' "$0" >&2; exit 2; }
servers=$1 partitions=${2:-6} replicas=${3:-1} prefix=${TOPIC_PREFIX:-crm.}

tool=${KAFKA_TOPICS:-}
for candidate in kafka-topics.sh kafka-topics /opt/kafka/bin/kafka-topics.sh rpk; do
  [ -n "$tool" ] || tool=$(command -v "$candidate") || true
done
[ -n "$tool" ] || { echo "topics.sh: neither kafka-topics.sh nor rpk is here" >&2; exit 1; }

create() { # NAME PARTITIONS config=value …
  name=$prefix$1 parts=$2 flag=--config
  shift 2
  case $tool in
    *rpk) flag=--topic-config ;;
  esac
  for config; do
    set -- "$@" "$flag" "$config"
    shift
  done
  # shellcheck disable=SC2086
  case $tool in
    *rpk) "$tool" topic create "$name" --if-not-exists -X brokers="$servers" -p "$parts" -r "$replicas" ${TOPICS_OPTIONS:-} "$@" ;;
    *) $tool --bootstrap-server "$servers" --create --if-not-exists --topic "$name" --partitions "$parts" \
      --replication-factor "$replicas" ${TOPICS_OPTIONS:-} "$@" ;;
  esac
}

# Events: kept for ever (a rebuild from the topics reaches back to the beginning), and never compacted: the key is the
# tenant. Equal numbers of partitions: then all of a tenant's topics come to one worker.
for topic in deals calls emails support contacts marketing goals; do
  create $topic "$partitions" cleanup.policy=delete retention.ms=-1 retention.bytes=-1
done
# The last state of every report, for whoever comes late.
create reports "$partitions" cleanup.policy=compact max.message.bytes=4194304
create alerts 1 cleanup.policy=delete retention.ms=2592000000
# Rejected events as they came, and a few headers more: larger than the largest event.
create dead-letter 1 cleanup.policy=delete retention.ms=2592000000 max.message.bytes=1179648
