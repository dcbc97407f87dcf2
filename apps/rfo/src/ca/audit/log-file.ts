/** The file of the audit log: lines go to the places that the database has given them, so that writing one twice changes nothing. */
import { closeSync, constants, fdatasync, fstatSync, fsyncSync, ftruncateSync, openSync, readSync, statSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { promisify } from 'node:util';

export type LogFile = {
  /** Its length in bytes. A file that was moved away is made anew before. */
  readonly size: () => number;
  /** @throws an error of the system (ENOSPC, …) */
  readonly write: (content: Buffer, start: number) => void;
  readonly read: (start: number, length: number) => Buffer;
  readonly cut: (size: number) => void;
  /** What was written before the call is on the disk when it resolves. */
  readonly sync: () => Promise<void>;
  readonly close: () => Promise<void>;
};

/** Opens the file, or makes it with mode 0600. */
export function openLogFile(path: string): LogFile {
  let open = openAt(path);
  let syncing: Promise<void> = Promise.resolve();
  const retire = (fd: number): Promise<void> => syncing.catch(() => undefined).then(() => closeSync(fd));
  return {
    size: () => {
      const found = statSync(path, { throwIfNoEntry: false });
      if (found && found.ino === open.inode) return found.size;
      // Rotated: the old file keeps the name it has now, and the log goes on in a new one.
      void retire(open.fd);
      open = openAt(path);
      return fstatSync(open.fd).size;
    },
    write: (content, start) => {
      // A full disk takes a part first and says so only to the next attempt.
      for (let done = 0; done < content.length; ) done += writeSync(open.fd, content, done, content.length - done, start + done);
    },
    read: (start, length) => {
      const content = Buffer.alloc(length);
      let done = 0;
      for (let got = -1; done < length && got !== 0; done += got) got = readSync(open.fd, content, done, length - done, start + done);
      return content.subarray(0, done);
    },
    cut: (size) => ftruncateSync(open.fd, size),
    sync: () => {
      syncing = syncFile(open.fd);
      return syncing;
    },
    close: () => retire(open.fd),
  };
}

const syncFile = promisify(fdatasync);

function openAt(path: string): { fd: number; inode: number } {
  const fd = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600);
  const { ino: inode, size } = fstatSync(fd);
  if (size === 0) syncFolder(dirname(path));
  return { fd, inode };
}

function syncFolder(path: string): void {
  const fd = openSync(path, 'r');
  fsyncSync(fd);
  closeSync(fd);
}
