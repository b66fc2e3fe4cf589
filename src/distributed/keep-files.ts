/**
 * Files that a session keeps for itself only, such as the rows of a frame that was in its memory, on behalf of a task that
 * outlives it: linked (where that is not possible copied) into the task's folder, and named there by the task.
 */
import { copyFileSync, linkSync, mkdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { temporaryDir } from '../store/index.js'
import type { FrameSource } from '../frame/feed.js'
import type { TrainingJob } from '../nn/train/job.js'

export function keepFiles(job: TrainingJob, folder: string): TrainingJob {
  const own = `${temporaryDir()}/`
  const kept = new Map<string, string>()
  const keep = (path: string): string => {
    const known = kept.get(path)
    if (known !== undefined) return known
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    const target = join(folder, `${kept.size}-${basename(path)}`)
    try {
      linkSync(path, target)
    } catch (error) {
      // Another file system.
      if ((error as NodeJS.ErrnoException).code !== 'EXDEV') throw error
      copyFileSync(path, target)
    }
    kept.set(path, target)
    return target
  }
  const rename = (value: unknown): unknown => {
    if (typeof value === 'string') return value.startsWith(own) ? keep(value) : value
    if (Array.isArray(value)) return value.map(rename)
    const isPlain =
      typeof value === 'object' && value !== null && !ArrayBuffer.isView(value) && !(value instanceof Date)
    return isPlain ? Object.fromEntries(Object.entries(value).map(([key, item]) => [key, rename(item)])) : value
  }
  const renamed = (source: FrameSource): FrameSource => ({
    ...source,
    plan: rename(source.plan) as FrameSource['plan'],
  })
  const { validation } = job
  return { ...job, data: renamed(job.data), ...(validation === undefined ? {} : { validation: renamed(validation) }) }
}
