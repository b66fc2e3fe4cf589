/** Writes a file whole or not at all. */
import { mkdir, open, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { ShardbookError } from '../core/errors.js'

/**
 * Replaces `path` by `text` in one step; folders on the way are made.
 *
 * @throws ShardbookError `io` when it cannot be written; what was there before is then still there.
 */
export async function writeWhole(path: string, text: string): Promise<void> {
  const folder = dirname(path)
  const draft = join(folder, `.${basename(path)}.${process.pid}.tmp`)
  try {
    await mkdir(folder, { recursive: true })
    const file = await open(draft, 'w')
    try {
      await file.writeFile(text)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(draft, path)
  } catch (error) {
    await rm(draft, { force: true })
    const reason = error instanceof Error ? error.message : String(error)
    throw new ShardbookError('io', `writeWhole: expected to write ${path}, but ${reason}.`, { cause: error })
  }
}
