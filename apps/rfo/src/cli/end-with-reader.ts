import { systemCode } from '@rfo/foundation';

/** What a shell tells of a program that SIGPIPE has ended; Node leaves that signal out. */
const brokenPipe = 141;

/** Ends the program, without a word, when nobody reads any further what it prints: `rfo … | head`. For commands that leave nothing half done. */
export function endWithReader(): void {
  process.stdout.on('error', (error) => {
    if (systemCode(error) !== 'EPIPE') throw error;
    process.exit(brokenPipe);
  });
}
