/**
 * Makes folders one by one: Node's own recursion tries without end, a core busy, where a file system takes none and says that
 * a part of the path is missing, as `/proc` does.
 */
import { mkdir, stat } from 'node:fs/promises'
import { dirname } from 'node:path'

/** Makes a folder with those around it; there may be one already. @throws the system's error */
export async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path)
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    if (code === 'ENOENT' && dirname(path) !== path) {
      await makeFolder(dirname(path))
      // Once: what the file system does not take now it never will.
      await mkdir(path).catch(unlessFolder(path))
    } else await unlessFolder(path)(cause)
  }
}

/** Raises unless the folder is there: another may have made it meanwhile, and a root says that it is busy or read-only. */
function unlessFolder(path: string): (cause: unknown) => Promise<void> {
  return async (cause) => {
    const found = await stat(path).catch(() => undefined)
    if (found?.isDirectory() === true) return
    throw found === undefined ? cause : Object.assign(new Error(`${path} is a file.`, { cause }), { code: 'ENOTDIR' })
  }
}
