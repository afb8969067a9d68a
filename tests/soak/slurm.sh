#!/usr/bin/env bash
# A study on a Slurm cluster of one node that this script starts, while things happen to its jobs: requeued, signalled,
# killed, out of time, node drained, cancelled. At the end all files must be those of an undisturbed run, bit for bit,
# and the jobs that depend on them have run.
#
# usage: tests/soak/slurm.sh FOLDER_OF_PROGRAMS
# Exit code: 0 if all is well, 1 if not, 77 (skipped) with the reason where Slurm cannot be started.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
source scripts/common.sh

skip() { echo "SKIPPED: $1"; exit 77; }
bin=${1:?folder of programs}
[ "$(id -u)" -eq 0 ] || skip "needs to be root to start Slurm's daemons"
for program in munged slurmctld slurmd sbatch scontrol scancel squeue; do
  command -v "$program" >/dev/null || skip "no $program: install slurm-wlm and munge (scripts/setup.sh --soak)"
done

scratch=$(mktemp -d /tmp/lrid-slurm-XXXXXX)
clean_up() {
  local file
  scancel --user=root 2>/dev/null || true
  sleep 2
  for file in slurmd slurmctld munged; do
    [ ! -f "$scratch/$file.pid" ] || kill "$(cat "$scratch/$file.pid")" 2>/dev/null || true
  done
  sleep 1
  [ -n "${KEEP:-}" ] || rm -rf "$scratch"
}
trap clean_up EXIT

# --- A cluster of its own ---

dd if=/dev/urandom of="$scratch/munge.key" bs=1024 count=1 status=none
chmod 400 "$scratch/munge.key"
chmod 755 "$scratch"
mkdir "$scratch"/{state,spool}
munged --force --key-file="$scratch/munge.key" --socket="$scratch/munge.socket" --pid-file="$scratch/munged.pid" \
  --log-file="$scratch/munged.log" --seed-file="$scratch/munge.seed" || skip "munged does not start"
free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
host=$(hostname -s)
cat > "$scratch/slurm.conf" <<EOF
ClusterName=lrid
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$(free_port)
SlurmdPort=$(free_port)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$scratch/munge.socket
StateSaveLocation=$scratch/state
SlurmdSpoolDir=$scratch/spool
SlurmctldPidFile=$scratch/slurmctld.pid
SlurmdPidFile=$scratch/slurmd.pid
SlurmctldLogFile=$scratch/slurmctld.log
SlurmdLogFile=$scratch/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=sched_min_interval=200000,bf_interval=2
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
ReturnToService=2
KillWait=15
MinJobAge=7200
NodeName=$host NodeAddr=127.0.0.1 CPUs=2 State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES State=UP PriorityTier=1
PartitionName=urgent Nodes=ALL State=UP PriorityTier=10
EOF
export SLURM_CONF=$scratch/slurm.conf
slurmctld -c || skip "slurmctld does not start"
slurmd || skip "slurmd does not start"
for _ in $(seq 30); do
  [ "$(sinfo -h -o %T 2>/dev/null | head -n 1)" != idle ] || break
  sleep 1
done
[ "$(sinfo -h -o %T | head -n 1)" = idle ] || skip "the node does not come up: $(tail -n 1 "$scratch/slurmd.log")"

# --- The study, undisturbed ---

out=$scratch/study
cat > "$scratch/sweep.toml" <<EOF
epochs = 60
points = 11
batch_size = 20
[data]
folder = "cifar10-sample"
training_samples = 200
[probe]
size = 16
[validation]
samples = 40
[compute]
device = "cpu"
[checkpoint]
state_seconds = 1
[sweep]
learning_rule = ["sgdm", "adam", "fa", "ia"]
model_seed = [0, 1, 2, 3, 4, 5]
EOF
cat > "$scratch/experiment.toml" <<EOF
experiment = "separability"
classifiers = ["svm"]
splits = 2
[svm]
C = [1.0]
pca = [0]
EOF
started=$SECONDS
"$bin/lrid-train" sweep --quiet "$scratch/sweep.toml" --out-dir "$scratch/straight" --data-dir data --threads 1
say "24 networks without Slurm: $((SECONDS - started)) s"

# --- The same as jobs ---

export LRID_BIN=$bin LRID_DATA_DIR=data LRID_END_MARGIN=40
started=$SECONDS
# Time for a few networks only: every task of five comes to its end several times.
scripts/slurm/study.sh --tasks 5 --train "--time=2 --signal=B:USR1@80 --chdir=$PWD --output=$scratch/train-%a.out" \
  --classify "--output=$scratch/later-%j.out" "$scratch/sweep.toml" "$out" "$scratch/experiment.toml" | tee "$scratch/submitted"
array=$(awk '$1 == "job" {print $2; exit}' "$scratch/submitted")

state() { squeue -h -r -t all -j "$1" -o %T 2>/dev/null | head -n 1; }
# Slurm lets two minutes pass before it starts a requeued job; we do with ten seconds, which its old process needs to end
# (started at once, a job fails with "credential revoked").
hurry() {
  local job reason mark
  squeue -h -r -t pending -o '%i %r' | while read -r job reason; do
    [ "$reason" = BeginTime ] || continue
    mark=$scratch/hurried-$job
    # Once for each time that it was requeued: a second order would put it off again.
    [ -z "$(find "$mark" -newermt '-30 seconds' 2>/dev/null)" ] || continue
    scontrol update JobId="$job" StartTime=now+10 2>/dev/null && touch "$mark" || true
  done
}
await() {  # await SECONDS CONDITION...
  local end=$((SECONDS + $1))
  shift
  until "$@"; do
    if [ "$SECONDS" -ge "$end" ]; then
      echo "FAILED: waited for: $*"
      squeue -t all
      tail -n 20 "$scratch"/train-*.out
      exit 1
    fi
    hurry
    sleep 0.5
  done
}
# Slurm refuses to change a job that is just starting.
insist() { await 60 "$@"; }
is() { [ "$(state "$1")" = "$2" ]; }
process_of() {  # of lrid-train in task $1 of the array
  local pid
  for pid in $(pgrep -x lrid-train); do
    if tr '\0' ' ' < "/proc/$pid/cmdline" 2>/dev/null | grep -q -- "--out-dir $out/runs .*--shard $1/5"; then echo "$pid"; return; fi
  done
  return 1
}
trains() { process_of "$1" >/dev/null; }
requeued() { [ "$(scontrol show job --oneliner "${array}_$1" | grep -o 'Restarts=[0-9]*' | head -n 1)" != Restarts=0 ]; }

say "scontrol requeue of a running task"
await 120 trains 0
sleep 3
insist scontrol requeue "${array}_0"
say "SIGUSR1 to a running task (scancel --signal)"
await 120 trains 1
sleep 3
# The job may be back in the queue before scancel has its answer, which is an error to it.
scancel --signal=USR1 --batch "${array}_1" || true
await 60 requeued 1
say "kill -9 of a task's lrid-train"
await 300 trains 2
sleep 3
killed=$(process_of 2)
kill -9 "$killed"
trains_again() { trains 2 && [ "$(process_of 2)" != "$killed" ]; }
await 60 trains_again
say "node drained and resumed"
scontrol update NodeName="$host" State=DRAIN Reason=test
sleep 5
scontrol update NodeName="$host" State=RESUME
say "a more urgent job preempts"
await 240 trains 3
sleep 2
sbatch --parsable --partition=urgent --exclusive --output=/dev/null --wrap "sleep 3"

say "waiting for the end"
all_ended() { [ -z "$(squeue -h -t pending,running,completing,configuring,requeued,suspended)" ]; }
await 1500 all_ended
say "the array and what depends on it: $((SECONDS - started)) s"
"$bin/lrid-train" status "$scratch/sweep.toml" --out-dir "$out/runs" --threads 1
scontrol show job --oneliner "$array" | grep -o 'JobState=[A-Z]*\|ArrayTaskId=[0-9]*\|Restarts=[0-9]*' | paste - - - || true

# --- What has come of it ---

cmp_all() { (cd "$1" && sha256sum -- *.h5); }
diff <(cmp_all "$scratch/straight") <(cmp_all "$out/runs") || { echo "FAILED: files differ"; exit 1; }
[ "$(find "$out/runs" -name '*.h5' | wc -l)" -eq 24 ] || { echo "FAILED: not 24 networks"; exit 1; }
leftovers=$(find "$out/runs" -mindepth 1 ! -name '*.h5' ! -name '*.log')
[ -z "$leftovers" ] || { echo "FAILED: left behind: $leftovers"; exit 1; }
for file in dataset.h5 results/experiment.json report.html; do
  [ -s "$out/$file" ] || { echo "FAILED: $out/$file has not been made"; tail "$scratch"/later-*.out; exit 1; }
done
"$bin/lrid-train" verify --quiet "$scratch/sweep.toml" --out-dir "$out/runs" --threads 1

say "scancel ends a job for good"
rm -rf "$out/cancelled"
job=$(sbatch --parsable --array=0-1 --output="$scratch/cancelled-%a.out" scripts/slurm/train.sbatch "$scratch/sweep.toml" "$out/cancelled")
has_states() { [ "$(find "$out/cancelled" -name '*.state' 2>/dev/null | wc -l)" -ge 1 ]; }
await 120 has_states
scancel "$job"
await 60 all_ended
sleep 3
all_ended || { echo "FAILED: requeued after scancel"; exit 1; }
is "${job}_0" CANCELLED || { echo "FAILED: state $(state "${job}_0")"; exit 1; }
claims=$(find "$out/cancelled" -name '*.claim')
[ -z "$claims" ] || { echo "FAILED: claims are left: $claims"; exit 1; }
say "all is well"
