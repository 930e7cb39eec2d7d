# shellcheck shell=bash
# Shared by up, down and node. State lives under RUN_DIR/<set>/:
#   ports            the set's fixed ports, chosen at its first start
#   n<i>/pid         one JVM; n<i>/log its output; n<i>/conf, n<i>/data
set -euo pipefail
SVC_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
SVC_HOME=${WAYBILL_SERVICES_HOME:-${XDG_CACHE_HOME:-$HOME/.cache}/waybill-services}
RUN_DIR=${WAYBILL_SERVICES_RUN:-$SVC_HOME/run}
TIMEOUT=${WAYBILL_SERVICES_TIMEOUT:-180}
RUN_DIR=$RUN_DIR/${WAYBILL_SERVICES_WORLD:-main}
mkdir -p "$SVC_HOME" "$RUN_DIR"
SVC_HOME=$(cd "$SVC_HOME" && pwd) RUN_DIR=$(cd "$RUN_DIR" && pwd)
KINDS="kafka kafka3 kafka-tls cassandra cassandra3 cassandra-tls"

say() { echo "services: $*" >&2; }
die() { say "$*"; exit "${CODE:-1}"; }
probe() { python3 "$SVC_DIR/probe.py" "$@"; }

count() { case $1 in *3) echo 3 ;; *) echo 1 ;; esac; }
product() { case $1 in kafka*) echo kafka ;; *) echo cassandra ;; esac; }
# the address of node $2 of set $1: the scylla driver assumes one port for a whole cluster, hence 127.0.0.<i>
ip_of() { case $1 in cassandra3) echo "127.0.0.$2" ;; *) echo 127.0.0.1 ;; esac; }

# pid of node directory $1 if that very JVM is alive, else nothing
alive() {
  local p
  p=$(cat "$1/pid" 2>/dev/null) || return 1
  [[ $p =~ ^[0-9]+$ ]] && [ "$(awk '/^State/{print $2}' "/proc/$p/status" 2>/dev/null)" != Z ] &&
    tr '\0' '\n' 2>/dev/null <"/proc/$p/cmdline" | grep -qxF -- "-Dwaybill.node=$1" && echo "$p"
}

# jars of a product, fetched once: prints the folder
jars() {
  local prod=$1 key dir tmp
  key=$(cat "$SVC_DIR/$prod/pom.xml" | sha256sum | cut -c1-12)
  dir=$SVC_HOME/jars/$prod-$key
  if [ ! -e "$dir/.complete" ]; then
    command -v mvn >/dev/null || die "mvn is needed once, to fetch the $prod jars"
    mkdir -p "$SVC_HOME/jars"
    (
      flock 9
      [ -e "$dir/.complete" ] && exit 0
      say "fetching the $prod jars (once)"
      tmp=$(mktemp -d "$SVC_HOME/jars/.tmp.XXXXXX")
      trap 'rm -rf "$tmp"' EXIT
      mvn -B -ntp -q -f "$SVC_DIR/$prod/pom.xml" \
        org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies \
        -DincludeScope=runtime -DoutputDirectory="$tmp" >&2 || die "mvn could not fetch the $prod jars"
      rm -f "$tmp"/netty-*-osx-* "$tmp"/netty-*-windows-* "$tmp"/netty-*-macos-*
      touch "$tmp/.complete"
      rm -rf "$dir" && mv "$tmp" "$dir"
    ) 9>"$SVC_HOME/jars/.lock"
  fi
  [ -e "$dir/.complete" ] || exit 1
  echo "$dir"
}

java_bin() {
  local j=${JAVA_HOME:+$JAVA_HOME/bin/}java v
  v=$("$j" -version 2>&1 | sed -n 's/.*version "\([0-9]*\).*/\1/p;T;q') || true
  [ "${v:-0}" = 17 ] || say "warning: Java 17 is what these scripts were tried with, found '${v:-none}'"
  echo "$j"
}

# jvm_common <jar folder>: class-data archive made by `warm`, if there is one; C1 only when asked for quick starts
jvm_common() {
  local a
  a=$1/$(archive_name)
  if [ -n "${WAYBILL_SERVICES_DUMP:-}" ]; then echo "-XX:ArchiveClassesAtExit=$a.tmp"
  elif [ -e "$a" ]; then echo "-XX:SharedArchiveFile=$a"; fi
  if [ -n "${WAYBILL_SERVICES_FAST:-}" ]; then echo "-XX:TieredStopAtLevel=1"; fi
}
archive_name() { echo "classes-$("$(java_bin)" -version 2>&1 | sha256sum | cut -c1-8).jsa"; }

# spawn <node dir> <program and arguments>: its own session and process group, survives the caller
spawn() {
  local d=$1
  shift
  rm -f "$d/pid"
  # shellcheck disable=SC2016
  (cd "$d" && exec setsid bash -c 'echo $$ >"$0.tmp" && mv "$0.tmp" "$0" && exec "$@"' "$d/pid" "$@" \
    </dev/null >>"$d/log" 2>&1 8>&- 9>&-) &
  local k
  for k in $(seq 50); do [ -s "$d/pid" ] && return 0; sleep 0.05; done
  die "could not start $d"
}

# set_ports <kind> [client port]: choose and record this set's ports
set_ports() {
  local kind=$1 want=${2:-} dir=$RUN_DIR/$1 n i p ips=() need
  n=$(count "$kind")
  # ports are kept once a node has been started on them: its data and its clients know them
  if [ -s "$dir/ports" ] && compgen -G "$dir/n*/conf" >/dev/null; then
    # shellcheck disable=SC1091
    . "$dir/ports"
    if [ -z "$want" ] || [ "${CLIENT[0]}" = "$want" ]; then return; fi
    CODE=3 die "$kind already has data on port ${CLIENT[0]}; 'down --wipe $kind' first to move it to $want"
  fi
  for i in $(seq "$n"); do ips+=("$(ip_of "$kind" "$i")"); done
  case $kind in kafka*) need=$((3 * n)) ;; *) need=3 ;; esac
  # shellcheck disable=SC2207
  p=($(probe ports "$need" "${ips[@]}"))
  case $kind in
  kafka*)
    CLIENT=("${p[@]:0:n}") CTRL=("${p[@]:n:n}") INNER=("${p[@]:2*n:n}")
    if [ -n "$want" ]; then for i in $(seq 0 $((n - 1))); do CLIENT[i]=$((want + i)); done; fi
    ;;
  *)
    CLIENT=("${want:-${p[0]}}") CTRL=("${p[1]}") INNER=("${p[2]}")
    ;;
  esac
  mkdir -p "$dir"
  echo "CLIENT=(${CLIENT[*]}) CTRL=(${CTRL[*]}) INNER=(${INNER[*]})" >"$dir/ports"
}

addrs() {
  local kind=$1 i out=
  for i in $(seq "$(count "$kind")"); do
    case $kind in
    kafka*) out+=,$(ip_of "$kind" "$i"):${CLIENT[i - 1]} ;;
    *) out+=,$(ip_of "$kind" "$i"):${CLIENT[0]} ;;
    esac
  done
  echo "${out#,}"
}

# node $2 is not running: are its ports free? (a JVM just killed holds them a moment longer than its /proc entry shows)
check_free() {
  local kind=$1 i=$2 ip k why p ports
  ip=$(ip_of "$kind" "$i")
  case $kind in kafka*) ports=("${CLIENT[i - 1]}" "${CTRL[i - 1]}" "${INNER[i - 1]}") ;; *) ports=("${CLIENT[0]}" "${CTRL[0]}") ;; esac
  for k in $(seq 20); do
    why=
    for p in "${ports[@]}"; do why=$(probe free "$ip" "$p" 2>&1) || break; done
    [ -n "$why" ] || return 0
    case $why in *unknown* | *java*) sleep 0.2 ;; *) break ;; esac
  done
  CODE=3 die "$kind node $i cannot start: $why"
}

# a throw-away CA and one server certificate for every loopback name used here
tls_files() {
  local d=$1
  [ -e "$d/server.p12" ] && return
  mkdir -p "$d"
  (
    cd "$d"
    openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -subj "/CN=services test CA" -keyout ca.key -out ca.pem
    openssl req -newkey rsa:2048 -nodes -subj "/CN=localhost" -keyout server.key -out server.csr
    openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 3650 -out server.crt \
      -extfile <(echo "subjectAltName=DNS:localhost,IP:127.0.0.1,IP:127.0.0.2,IP:127.0.0.3")
    cat server.key server.crt ca.pem >server.pem
    openssl pkcs12 -export -inkey server.key -in server.crt -certfile ca.pem -passout pass:services -out .p12
    mv .p12 server.p12
  ) >"$d/openssl.log" 2>&1 || die "openssl failed: $(tail -1 "$d/openssl.log")"
}

kafka_start() {
  local kind=$1 i=$2 d=$RUN_DIR/$1/n$2 n cp java voters= j common heap=${WAYBILL_KAFKA_HEAP:-512m}
  n=$(count "$kind")
  cp=$(jars kafka) java=$(java_bin)
  mkdir -p "$d/conf"
  for j in $(seq "$n"); do voters+=,$j@127.0.0.1:${CTRL[j - 1]}; done
  [ -s "$RUN_DIR/$kind/clusterid" ] || probe clusterid >"$RUN_DIR/$kind/clusterid"
  local rf=$n isr=1 scram=()
  [ "$n" = 3 ] && isr=2
  {
    cat <<P
process.roles=broker,controller
node.id=$i
controller.quorum.voters=${voters#,}
controller.listener.names=CONTROLLER
log.dirs=$d/data
offsets.topic.replication.factor=$rf
transaction.state.log.replication.factor=$rf
transaction.state.log.min.isr=$isr
share.coordinator.state.topic.replication.factor=$rf
share.coordinator.state.topic.min.isr=$isr
default.replication.factor=$rf
min.insync.replicas=$isr
offsets.topic.num.partitions=8
transaction.state.log.num.partitions=8
share.coordinator.state.topic.num.partitions=4
num.partitions=4
auto.create.topics.enable=false
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
group.consumer.min.session.timeout.ms=1000
group.consumer.min.heartbeat.interval.ms=500
broker.session.timeout.ms=6000
controlled.shutdown.max.retries=1
num.network.threads=2
num.io.threads=4
log.cleaner.dedupe.buffer.size=16777216
P
    if [ "$kind" = kafka-tls ]; then
      cat <<P
listeners=SASL_SSL://127.0.0.1:${CLIENT[i - 1]},INTERNAL://127.0.0.1:${INNER[i - 1]},CONTROLLER://127.0.0.1:${CTRL[i - 1]}
advertised.listeners=SASL_SSL://127.0.0.1:${CLIENT[i - 1]},INTERNAL://127.0.0.1:${INNER[i - 1]}
listener.security.protocol.map=SASL_SSL:SASL_SSL,INTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=INTERNAL
sasl.enabled.mechanisms=SCRAM-SHA-512,SCRAM-SHA-256
listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.sasl_ssl.scram-sha-256.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
ssl.keystore.type=PEM
ssl.keystore.location=$RUN_DIR/$kind/tls/server.pem
ssl.truststore.type=PEM
ssl.truststore.location=$RUN_DIR/$kind/tls/ca.pem
ssl.client.auth=none
P
    else
      cat <<P
listeners=PLAINTEXT://127.0.0.1:${CLIENT[i - 1]},CONTROLLER://127.0.0.1:${CTRL[i - 1]}
advertised.listeners=PLAINTEXT://127.0.0.1:${CLIENT[i - 1]}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=PLAINTEXT
P
    fi
    [ -z "${WAYBILL_KAFKA_PROPS:-}" ] || printf '%b\n' "$WAYBILL_KAFKA_PROPS"
  } >"$d/conf/server.properties"
  if [ "$kind" = kafka-tls ]; then
    scram=(--add-scram "SCRAM-SHA-512=[name=$TLS_USER,password=$TLS_PASSWORD]"
      --add-scram "SCRAM-SHA-256=[name=$TLS_USER,password=$TLS_PASSWORD]")
  fi
  if [ ! -e "$d/data/meta.properties" ]; then
    "$java" -Xmx128m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp "$cp/*" kafka.tools.StorageTool format \
      -t "$(cat "$RUN_DIR/$kind/clusterid")" -c "$d/conf/server.properties" ${scram[@]+"${scram[@]}"} \
      >"$d/format.log" 2>&1 || die "formatting failed: $(tail -3 "$d/format.log")"
  fi
  : >"$d/log"
  mapfile -t common < <(jvm_common "$cp")
  # shellcheck disable=SC2086
  spawn "$d" "$java" "-Dwaybill.node=$d" ${common[@]+"${common[@]}"} -Xms128m -Xmx"$heap" -XX:+UseSerialGC -XX:+ExitOnOutOfMemoryError \
    -Djava.awt.headless=true "-Dlog4j2.configurationFile=$SVC_DIR/kafka/log4j2.properties" \
    ${WAYBILL_KAFKA_JVM:-} -cp "$cp/*" kafka.Kafka "$d/conf/server.properties"
}

cassandra_start() {
  local kind=$1 i=$2 d=$RUN_DIR/$1/n$2 n cp java ip seeds= j tok heap opts common
  n=$(count "$kind")
  heap=${WAYBILL_CASSANDRA_HEAP:-$([ "$n" = 3 ] && echo 512m || echo 1g)}
  cp=$(jars cassandra) java=$(java_bin)
  ip=$(ip_of "$kind" "$i")
  for j in $(seq "$n"); do seeds+=,$(ip_of "$kind" "$j"):${CTRL[0]}; done
  # evenly spaced tokens: the ring is balanced and the same in every run
  tok=$(python3 -c "print(-2**63 + (2**64 // $n) * ($i - 1) + 1)")
  mkdir -p "$d/conf" "$d/data" "$d/conf/triggers"
  {
    cat <<P
cluster_name: waybill
num_tokens: 1
initial_token: "$tok"
auto_bootstrap: false
partitioner: org.apache.cassandra.dht.Murmur3Partitioner
endpoint_snitch: SimpleSnitch
seed_provider:
  - class_name: org.apache.cassandra.locator.SimpleSeedProvider
    parameters:
      - seeds: "${seeds#,}"
listen_address: $ip
storage_port: ${CTRL[0]}
rpc_address: $ip
start_native_transport: true
native_transport_port: ${CLIENT[0]}
data_file_directories: ["$d/data/data"]
commitlog_directory: $d/data/commitlog
saved_caches_directory: $d/data/saved_caches
hints_directory: $d/data/hints
cdc_raw_directory: $d/data/cdc_raw
$(if [ "${WAYBILL_CASSANDRA_COMMITLOG:-periodic}" = batch ]; then echo "commitlog_sync: batch"; else printf 'commitlog_sync: periodic\ncommitlog_sync_period: 10000ms'; fi)
commitlog_segment_size: 8MiB
commitlog_total_space: 512MiB
storage_compatibility_mode: NONE
auto_snapshot: false
disk_access_mode: mmap_index_only
file_cache_size: 32MiB
networking_cache_size: 16MiB
key_cache_size: 8MiB
concurrent_compactors: 1
concurrent_reads: 16
concurrent_writes: 16
read_request_timeout: 10000ms
range_request_timeout: 10000ms
write_request_timeout: 5000ms
cas_contention_timeout: 5000ms
truncate_request_timeout: 60000ms
request_timeout: 10000ms
P
    if [ "$kind" = cassandra-tls ]; then
      cat <<P
authenticator: PasswordAuthenticator
authorizer: CassandraAuthorizer
role_manager: CassandraRoleManager
client_encryption_options:
  enabled: true
  optional: false
  store_type: PKCS12
  keystore: $RUN_DIR/$kind/tls/server.p12
  keystore_password: services
  require_client_auth: false
P
    else
      echo "authenticator: AllowAllAuthenticator"
    fi
    [ -z "${WAYBILL_CASSANDRA_YAML:-}" ] || printf '%b\n' "$WAYBILL_CASSANDRA_YAML"
  } >"$d/conf/cassandra.yaml"
  : >"$d/log"
  opts=()
  # as root, Cassandra would mlock its whole heap: that only inflates RSS here
  if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then opts=(setpriv --bounding-set=-ipc_lock --); fi
  mapfile -t common < <(jvm_common "$cp")
  # an archive and the jamm agent go together only with these two diagnostic flags, at dump and at run
  # shellcheck disable=SC2086
  spawn "$d" prlimit --memlock=65536:65536 ${opts[@]+"${opts[@]}"} \
    "$java" "-Dwaybill.node=$d" -XX:+UnlockDiagnosticVMOptions -XX:+AllowArchivingWithJavaAgent \
    ${common[@]+"${common[@]}"} -Xms256m -Xmx"$heap" -Xss512k -XX:+UseSerialGC -XX:+ExitOnOutOfMemoryError \
    "-javaagent:$(echo "$cp"/jamm-*.jar)" "@$SVC_DIR/cassandra/jvm17.options" \
    "-Dcassandra.config=file://$d/conf/cassandra.yaml" "-Dcassandra.storagedir=$d/data" \
    "-Dcassandra.triggers_dir=$d/conf/triggers" \
    "-Dlogback.configurationFile=file://$SVC_DIR/cassandra/logback.xml" -Dcassandra-foreground=yes \
    -Dcassandra.ring_delay_ms=0 -Dcassandra.skip_wait_for_gossip_to_settle=0 \
    -Dcassandra.superuser_setup_delay_ms=0 -Dcassandra.consistent.rangemovement=false \
    -Djava.awt.headless=true ${WAYBILL_CASSANDRA_JVM:-} \
    -cp "$cp/*" org.apache.cassandra.service.CassandraDaemon
}

TLS_USER=waybill
TLS_PASSWORD=waybill-secret

start_node() {
  case $1 in *-tls) tls_files "$RUN_DIR/$1/tls" ;; esac
  "$(product "$1")_start" "$1" "$2"
}

# ready <kind>: one protocol check of the whole set
ready() {
  local kind=$1 a
  a=$(addrs "$kind")
  case $kind in
  kafka-tls) probe kafka "$a" 1 --ca "$RUN_DIR/$kind/tls/ca.pem" --user $TLS_USER --password $TLS_PASSWORD ;;
  kafka*) probe kafka "$a" "$(count "$kind")" ;;
  cassandra-tls) probe cql "$a" 1 --ca "$RUN_DIR/$kind/tls/ca.pem" --user cassandra --password cassandra ;;
  *) probe cql "$a" "$(count "$kind")" ;;
  esac
}

wait_ready() {
  local kind=$1 end=$((SECONDS + TIMEOUT)) i why d
  while ! why=$(ready "$kind" 2>&1); do
    for i in $(seq "$(count "$kind")"); do
      d=$RUN_DIR/$kind/n$i
      if ! alive "$d" >/dev/null; then
        say "$kind node $i ended while starting; the end of $d/log:"
        grep -E 'ERROR|Exception|FATAL|already in use' "$d/log" | tail -5 >&2 || true
        tail -5 "$d/log" >&2
        return 1
      fi
    done
    [ $SECONDS -lt $end ] || { say "$kind not ready after $TIMEOUT s: ${why##*$'\n'}; logs: $RUN_DIR/$kind/n*/log"; return 1; }
    sleep 0.3
  done
}

print_env() {
  local kind=$1 a
  a=$(addrs "$kind")
  case $kind in
  kafka-tls) printf 'KAFKA_TLS_BROKERS=%s\nKAFKA_TLS_CA=%q\nKAFKA_TLS_USER=%s\nKAFKA_TLS_PASSWORD=%s\nKAFKA_TLS_MECHANISM=SCRAM-SHA-512\n' \
    "$a" "$RUN_DIR/$kind/tls/ca.pem" $TLS_USER $TLS_PASSWORD ;;
  kafka*) echo "KAFKA_BROKERS=$a" ;;
  cassandra-tls) printf 'SCYLLA_TLS_NODES=%s\nSCYLLA_TLS_CA=%q\nSCYLLA_TLS_USER=cassandra\nSCYLLA_TLS_PASSWORD=cassandra\n' \
    "$a" "$RUN_DIR/$kind/tls/ca.pem" ;;
  *) echo "SCYLLA_NODES=$a" ;;
  esac
}

# stop_nodes <signal> <seconds> <node dir>..: ends exactly these JVMs
stop_nodes() {
  local sig=$1 secs=$2 d p k left pids=()
  shift 2
  for d; do if p=$(alive "$d"); then pids+=("$p"); kill -CONT "$p" 2>/dev/null || true; kill "-$sig" "$p" 2>/dev/null || true; fi; done
  for k in $(seq $((secs * 10))); do
    left=0
    for d; do if alive "$d" >/dev/null; then left=1; fi; done
    [ $left = 0 ] && break
    sleep 0.1
  done
  for d; do if p=$(alive "$d"); then kill -KILL "$p" 2>/dev/null || true; fi; done
  for p in ${pids[@]+"${pids[@]}"}; do # wait until it is gone altogether, its ports included
    for k in $(seq 100); do
      case $(awk '/^State/{print $2}' "/proc/$p/status" 2>/dev/null) in '' | Z) break ;; esac
      sleep 0.1
    done
  done
  for d; do rm -f "$d/pid"; done
}

check_kind() { [[ " $KINDS " == *" $1 "* ]] || CODE=2 die "unknown kind '$1' (one of: $KINDS)"; }
