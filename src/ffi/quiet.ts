/** Runs native code without what it prints on standard error. */
import { openLibrary, systemLibrary } from './library.js'

/**
 * Runs `work` with file descriptor 2 on `/dev/null`: for libraries that log when they are loaded, before any setting of
 * theirs applies. The whole process is quiet meanwhile, so keep it short.
 */
export async function withoutStderr<T>(work: () => Promise<T>): Promise<T> {
  const { dup, dup2, open, close } = await openLibrary(systemLibrary, {
    dup: ['int', 'int'],
    dup2: ['int', 'int', 'int'],
    open: ['int', 'string', 'int'],
    close: ['int', 'int'],
  })
  const stderr = 2
  const saved = dup(stderr)
  const nowhere = open('/dev/null', 1) // O_WRONLY
  if (saved < 0 || nowhere < 0) return work()
  dup2(nowhere, stderr)
  try {
    return await work()
  } finally {
    dup2(saved, stderr)
    close(saved)
    close(nowhere)
  }
}
