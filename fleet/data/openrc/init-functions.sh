# What scripts of services call: the functions of LSB 3.1, and those of Debian that show a line for each service.
# They say and return what those of lsb-base 11.6 do.

# Reads the options before the first word into `pidfile` and `nice`; `taken` is how many words they were.
take_options () {
    taken=0
    while [ $# -gt 0 ]; do
        step=1
        case $1 in
            -f) ;;
            -n) nice=$2 step=2 ;;
            -p) pidfile=$2 step=2 ;;
            -p*) pidfile=${1#-p} ;;
            *) return 0 ;;
        esac
        taken=$((taken + step))
        shift $step
    done
}

start_daemon () {
    pidfile=/dev/null nice=0
    take_options "$@"
    shift $taken
    program=$1
    shift
    start-stop-daemon --start --quiet --oknodo --pidfile "$pidfile" --nicelevel "$nice" --exec "$program" -- "$@"
}

killproc () {
    pidfile=
    take_options "$@"
    shift $taken
    start-stop-daemon --stop --quiet --oknodo --retry 5 --pidfile "${pidfile:-/var/run/${1##*/}.pid}"
}

# 0 it runs, 1 its file names nobody, 3 it has no file, 4 its file does not tell.
pidofproc () {
    pidfile=
    take_options "$@"
    shift $taken
    if [ $# != 1 ]; then
        echo "$0: invalid arguments" >&2
        return 4
    fi
    : "${pidfile:=/var/run/${1##*/}.pid}"
    if [ ! -e "$pidfile" ]; then return 3; fi
    found=$(head -n 1 "$pidfile" 2>/dev/null) || found=
    if [ -z "$found" ]; then return 4; fi
    if ps -p "$found" >/dev/null 2>&1; then echo "$found"; else return 1; fi
}

# Options, the program, and what it is called.
status_of_proc () {
    state=0
    pidofproc_of "$@" >/dev/null || state=$?
    take_options "$@"
    shift $((taken + 1))
    if [ $state = 0 ]; then
        log_success_msg "$1 is running"
    elif [ $state = 4 ]; then
        log_failure_msg "could not access PID file for $1"
    else
        log_failure_msg "$1 is not running"
    fi
    return $state
}

# `pidofproc` without the words after the program.
pidofproc_of () {
    pidfile=
    take_options "$@"
    shift $taken
    pidofproc ${pidfile:+-p "$pidfile"} "$1"
}

log_begin_msg () { printf %s "$*"; }
log_daemon_msg () {
    if [ -n "${2:-}" ]; then printf '%s: %s' "$1" "$2"; else printf '%s:' "$1"; fi
}
log_progress_msg () { if [ -n "${1:-}" ]; then printf ' %s' "$*"; fi; }
log_action_msg () { echo "$*."; }
log_end_msg () {
    if [ -z "${1:-}" ]; then return 1; fi
    word=' failed!'
    if [ "$1" = 0 ]; then word=; elif [ "$1" = 255 ]; then word=' (warning)'; fi
    case $word in *!) echo "$word" ;; *) echo "$word." ;; esac
    return "$1"
}

# Whole lines: what is said before, the status that ends it, the words.
log_line () {
    before=$1 end=$2
    shift 2
    if [ -n "${1:-}" ]; then printf %s "$*$before"; fi
    log_end_msg "$end" || [ "$end" = 0 ] || return 0
}
log_success_msg () { log_line '' 0 "$@"; }
log_failure_msg () { log_line ' ...' 1 "$@"; }
log_warning_msg () { log_line ' ...' 255 "$@"; }
