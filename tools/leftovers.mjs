/**
 * Processes that a test run leaves behind: whoever carries the run's mark in its environment and still lives.
 *
 * Linux only (`/proc`); elsewhere nothing is found. A process that is about to end gets a moment for it.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

/**
 * Ends what carries `mark` (`NAME=value`) and returns it, a line each; empty when all have gone within `graceMs`.
 *
 * @param {string} mark @param {number} [graceMs]
 * @returns {Promise<string[]>}
 */
export async function endLeftovers(mark, graceMs = 5000) {
  const deadline = Date.now() + graceMs
  let left = marked(mark)
  while (left.length > 0 && Date.now() < deadline) {
    await sleep(100)
    left = marked(mark)
  }
  for (const { pid } of left) end(pid)
  return left.map(({ pid, command }) => `process ${pid} was left running: ${command}`)
}

/** @param {string} mark */
function marked(mark) {
  return processIds().flatMap((pid) => {
    const environment = read(pid, 'environ')
    if (pid === process.pid || environment?.split('\0').includes(mark) !== true) return []
    return [{ pid, command: read(pid, 'cmdline')?.replaceAll('\0', ' ').trim() ?? '' }]
  })
}

function processIds() {
  if (process.platform !== 'linux') return []
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
}

/** A file of a process, unless it has gone or is another user's. @param {number} pid @param {'environ' | 'cmdline'} file */
function read(pid, file) {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8')
  } catch (error) {
    if (['ENOENT', 'ESRCH', 'EACCES', 'EPERM'].includes(codeOf(error))) return undefined
    throw error
  }
}

/** @param {number} pid */
function end(pid) {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    if (codeOf(error) !== 'ESRCH') throw error
  }
}

/** @param {unknown} error */
function codeOf(error) {
  return /** @type {NodeJS.ErrnoException} */ (error).code ?? ''
}
