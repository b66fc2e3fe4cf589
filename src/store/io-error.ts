/** Turns a system error into one that names the path and says what to do. */
import { ShardbookError } from '../core/errors.js'

const hints: Readonly<Record<string, string>> = {
  ENOENT: 'There is no such file.',
  /** Our own word for `ENOENT` of what is written. */
  ENOFOLDER: 'There is no such folder, and none can be made.',
  EISDIR: 'It is a folder.',
  ENOTDIR: 'A part of the path is not a folder.',
  EACCES: 'Permission was denied.',
  EPERM: 'Permission was denied.',
  EROFS: 'The file system is read-only.',
  ENOSPC: 'The disk is full: free some space, or point SHARDBOOK_CACHE to another disk.',
  EDQUOT: 'The disk quota is used up: free some space, or point SHARDBOOK_CACHE to another disk.',
  EMFILE: 'Too many files are open.',
}

export function ioError(caller: string, doing: string, path: string, cause: unknown): ShardbookError {
  const code = (cause as { code?: unknown } | null)?.code
  const writes = doing === 'write' || doing.startsWith('create')
  const key = code === 'ENOENT' && writes ? 'ENOFOLDER' : code
  const known = typeof key === 'string' ? hints[key] : undefined
  const message = cause instanceof Error ? cause.message : String(cause)
  return new ShardbookError('io', `${caller}: cannot ${doing} ${path}${known === undefined ? `: ${message}.` : '.'}`, {
    ...(known === undefined ? {} : { hint: known }),
    cause,
  })
}
