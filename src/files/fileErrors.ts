import { ArgumentError, FileError, show } from '../errors.js';

/**
 * Runs `use`; what the system has against it becomes a {@link FileError} that says which file, why and what to do.
 *
 * @param doing such as `'write'`
 */
export async function withFile<T>(where: string, doing: string, path: string, use: () => Promise<T>): Promise<T> {
  try {
    return await use();
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (typeof code !== 'string' || !/^E[A-Z0-9]+$/.test(code)) throw cause;
    throw new FileError(
      `${where}: cannot ${doing} '${path}': ${REASONS[code] ?? (cause as Error).message} (${code}).`,
      {
        cause,
      },
    );
  }
}

/** Throws an {@link ArgumentError} unless `path` is a text that can name a file. */
export function requirePath(where: string, path: unknown, name = 'path'): asserts path is string {
  if (typeof path === 'string' && path !== '' && !path.includes('\0')) return;
  throw new ArgumentError(`${where}: ${name} must be the name of a file or folder, got ${show(path)}.`);
}

const PERMISSION = 'there is no permission; choose another folder or change its rights';
const FULL = 'the disk is full; free some space and try again, what was there before is untouched';

const REASONS: Record<string, string> = {
  EACCES: PERMISSION,
  EPERM: PERMISSION,
  EROFS: 'the disk is read-only; choose another folder',
  ENOSPC: FULL,
  EDQUOT: `the quota is used up; ${FULL}`,
  EFBIG: 'the file would be larger than its file system or a limit of the process (ulimit -f) allows',
  ENOENT: 'a folder on the way is gone, or takes no files; choose another path',
  EISDIR: 'it is a folder where a file is needed; choose another path',
  ENOTDIR: 'a part of the path is a file where a folder is needed; choose another path',
  EEXIST: 'a part of the path is a file where a folder is needed; choose another path',
  ELOOP: 'its links lead in a circle; remove them',
  ENAMETOOLONG: 'the name is too long; choose a shorter one',
  EMFILE: 'the process has too many files open; raise its limit (ulimit -n)',
  ENFILE: 'the machine has too many files open',
  EIO: 'the disk has a fault',
};
