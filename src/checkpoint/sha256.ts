import { MissingPackageError } from '../errors.js';
import { findNodeModule } from '../files/nodeModules.js';
import { joinBytes } from './bytes.js';

/**
 * The SHA-256 of `parts`, one after the other, in hexadecimal.
 *
 * @param where the public name the user called
 * @throws MissingPackageError in a page that was not loaded from https or localhost: browsers compute no hashes there
 */
export async function sha256(where: string, parts: readonly Uint8Array[]): Promise<string> {
  const crypto = findNodeModule('node:crypto');
  if (crypto) {
    const hash = crypto.createHash('sha256');
    for (const part of parts) hash.update(part);
    return hash.digest('hex');
  }
  if (!globalThis.crypto?.subtle) {
    throw new MissingPackageError(`${where}: the checksum of a checkpoint needs a page from https or localhost.`);
  }
  const digest = await globalThis.crypto.subtle.digest('SHA-256', joinBytes(parts));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
