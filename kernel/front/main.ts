/**
 * The kernel executable: `main.js CONNECTION_FILE`, as a Jupyter client starts it.
 *
 * The process ends by a shutdown request, by SIGTERM, or when the client that started it is gone; with it end the session
 * and the language server.
 */
import { readFileSync } from 'node:fs'
import { cacheDir } from '../../src/core/paths.js'
import { openProject } from './language/project.js'
import { spawnSession } from './session-process.js'
import type { Connection } from './sockets.js'

const parentCheckMs = 1000

function log(text: string): void {
  process.stderr.write(`[shardbook] ${text}\n`)
}

async function main(file: string | undefined): Promise<void> {
  if (file === undefined) {
    log('usage: main.js CONNECTION_FILE')
    process.exitCode = 2
    return
  }
  const connection = JSON.parse(readFileSync(file, 'utf8')) as Connection
  // The session and the language server load while the rest of this process does.
  const early = {
    project: openProject(process.cwd()),
    session: spawnSession({ cwd: process.cwd(), env: process.env }),
  }
  const [{ Kernel }, { Sockets }] = await Promise.all([import('./kernel.js'), import('./sockets.js')])
  const sockets = await Sockets.open(connection, {
    shell: (request) => kernel.shell(request),
    control: (request) => kernel.control(request),
    log,
  })
  const kernel = new Kernel({
    cwd: process.cwd(),
    env: process.env,
    early,
    historyFolder: cacheDir('history'),
    port: {
      publish: (type, content, parent, extra) => sockets.publish(type, content, parent, extra),
      log,
      stopped: () => void sockets.close().then(() => process.exit(0)),
    },
  })
  kernel.runner.prepare()

  const leave = (): void => {
    void kernel.close().then(() => process.exit(0))
  }
  process.on('SIGTERM', leave)
  process.on('SIGINT', () => kernel.runner.interrupt())
  watchParent(leave)
}

/** Clients name themselves in JPY_PARENT_PID; a kernel whose client died has nobody left to serve. */
function watchParent(leave: () => void): void {
  const parent = process.ppid
  if (process.env['JPY_PARENT_PID'] !== String(parent)) return
  setInterval(() => {
    if (process.ppid !== parent) leave()
  }, parentCheckMs).unref()
}

await main(process.argv[2])
