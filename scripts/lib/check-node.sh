# Sourced: check_node <path> ends the shell with a sentence where that Node cannot run. The loader of programs would tell what a bare host
# lacks, and no cure. Takes 6 ms.
check_node() {
  problem=$("$1" --version 2>&1) && return
  case $problem in
  *libatomic.so.1*) problem="Node needs libatomic.so.1, which this host lacks. Install it (apt-get install libatomic1, dnf install libatomic) and run this again." ;;
  *) problem="Node cannot run on this host: $problem" ;;
  esac
  echo "rfo: $problem" >&2
  exit 3
}
