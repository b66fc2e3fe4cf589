/**
 * The kernel executable: `main.js CONNECTION_FILE`, as a Jupyter client starts it.
 *
 * The process ends by a shutdown request, by SIGTERM, or when the client that started it is gone; with it end the session
 * and the language server.
 */
import { readFileSync } from 'node:fs'
import { cacheDir } from '../../src/core/paths.js'
import { openProject } from './language/project.js'
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
  const cwd = process.cwd()
  const { env } = process
  // The server has the most to do. A client that found nobody at the ports asks again a tenth of a second later: so they
  // are bound before anything else is loaded.
  const project = openProject(cwd)
  const { Sockets } = await import('./sockets.js')
  const sockets = await Sockets.open(connection, {
    shell: (request) => void opened.then((kernel) => kernel.shell(request)),
    control: (request) => void opened.then((kernel) => kernel.control(request)),
    log,
  })
  const opened = import('./kernel.js').then(
    ({ Kernel }) =>
      new Kernel({
        cwd,
        env,
        project,
        historyFolder: cacheDir('history'),
        port: {
          publish: (type, content, parent, extra) => sockets.publish(type, content, parent, extra),
          log,
          stopped: () => void sockets.close().then(() => process.exit(0)),
        },
      }),
  )
  const kernel = await opened
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
