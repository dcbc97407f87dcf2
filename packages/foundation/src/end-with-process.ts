/** For tests and tools: programs and folders that do not outlast the process that made them, however that ends. */
import { type ChildProcess, spawn } from 'node:child_process';

/**
 * Ends a program by SIGKILL, and then removes its folder, when this process ends: by itself, by a signal, or by SIGKILL, of which no handler hears.
 * A program that has ended before is left alone, and so is its number.
 */
export function endWithProcess(child: ChildProcess, folder: string): void {
  // What could not be started has none.
  if (child.pid === undefined) return;
  const { pid } = child;
  tell('program', String(pid));
  tell('folder', folder);
  child.once('exit', () => tell('ended', String(pid)));
}

let keeper: ReturnType<typeof startKeeper> | undefined;

function tell(word: 'program' | 'ended' | 'folder', what: string): void {
  keeper ??= startKeeper();
  keeper.stdin.write(`${word} ${what}\n`);
}

/** It reads what it is told until the pipe closes, which the kernel does for whoever dies. */
const script = `
programs=' '
while read -r word what; do
  case $word in
    program) programs="$programs$what " ;;
    ended) programs="\${programs%% $what *} \${programs#* $what }" ;;
    folder) set -- "$@" "$what" ;;
  esac
done
for program in $programs; do kill -9 "$program"; done
# What dies still writes for a moment.
for attempt in 1 2 3 4 5 6 7 8 9 10; do rm -rf -- "$@" && exit; sleep 0.1; done
`;

/** In a session of its own: a Ctrl-C on the terminal is not meant for it. */
function startKeeper() {
  const child = spawn('sh', ['-c', script], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
  child.unref();
  return child;
}
