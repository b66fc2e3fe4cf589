/**
 * The trainings of a detached pool on disk, as the frames in which they came: a coordinator that takes the place of a lost one finds
 * them there, and their states in the checkpoints beside.
 */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { encode, FrameReader, openLimits } from './codec.js'
import type { SessionMessage } from './messages.js'

type Submission = SessionMessage & { type: 'submit' }

const fileName = 'task.frame'

export function storeTask(stateFolder: string, submission: Submission): void {
  const folder = taskFolder(stateFolder, submission.task)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const path = join(folder, fileName)
  writeFileSync(`${path}.part`, Buffer.concat(encode(submission)), { mode: 0o600 })
  renameSync(`${path}.part`, path)
}

/** The tasks that were stored; a file that is no whole frame is passed over and named. */
export function storedTasks(stateFolder: string): { tasks: Submission[]; damaged: string[] } {
  const tasks: Submission[] = []
  const damaged: string[] = []
  for (const name of listFolder(stateFolder).filter((entry) => entry.startsWith('task-'))) {
    const path = join(stateFolder, name, fileName)
    try {
      const { message } = new FrameReader(openLimits).take(readFileSync(path))
      if ((message as Partial<Submission> | undefined)?.type === 'submit') tasks.push(message as Submission)
      else damaged.push(path)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') damaged.push(path)
    }
  }
  return { tasks, damaged }
}

export function removeTask(stateFolder: string, task: number): void {
  rmSync(taskFolder(stateFolder, task), { recursive: true, force: true })
}

/** Folder of what is kept of a task. */
export function taskFolder(stateFolder: string, task: number): string {
  return join(stateFolder, `task-${task}`)
}

function listFolder(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}
