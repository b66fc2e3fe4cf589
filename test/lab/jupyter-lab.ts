/** A JupyterLab of the tests: started by `shardbook lab` on a free port of this machine only, with a token, in folders of its own. */
import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Browser, Locator, Page, ViewportSize } from 'playwright-core'
import { afterAll, beforeAll } from 'vitest'
import { pythonEnv } from '../../tools/python-env.mjs'
import { launchBrowser } from '../cli/browser.js'
import { missing } from '../needs.js'

const command = fileURLToPath(new URL('../../dist/src/cli/main.js', import.meta.url))

export interface JupyterLab {
  /** Address of a file of the folder, opened alone. */
  url(path: string): string
  /** The same in Notebook 7, which the same server offers. */
  notebookUrl(path: string): string
  /** What the server has printed. */
  log(): string
  stop(): Promise<void>
}

/** Why there can be no JupyterLab here, if so. */
export const lacking = missing('chromium') ?? missing('python')

/** Pictures that tests make are kept here, for people. */
export const pictures = process.env['SHARDBOOK_TEST_OUT'] ?? join(tmpdir(), 'shardbook-test-out')

/** A JupyterLab and a browser for the tests of one file, there before the first and ended after the last. */
export class LabSession {
  readonly home = mkdtempSync(join(tmpdir(), 'shardbook-lab-test-'))
  /** The notebooks' folder. */
  readonly folder = join(this.home, 'notebooks')
  /** What the page said of charts and of errors. */
  readonly complaints: string[] = []
  lab!: JupyterLab
  page!: Page
  #browser: Browser | undefined

  /** `prepare` writes notebooks and settings before the server starts; `open` visits one. */
  constructor(prepare: (session: LabSession) => void | Promise<void>, open: (session: LabSession) => Promise<unknown>) {
    beforeAll(async () => {
      mkdirSync(this.folder)
      mkdirSync(pictures, { recursive: true })
      if (lacking !== undefined) return
      await prepare(this)
      this.lab = await startJupyterLab(this.folder, this.home)
      this.#browser = await launchBrowser()
      await open(this)
    })
    afterAll(async () => {
      await this.#browser?.close()
      await this.lab?.stop()
      rmSync(this.home, { recursive: true, force: true })
    })
  }

  /** Opens a page and waits until it shows all of these. What is run before the client has heard of the kernel is lost. */
  async visit(url: string, viewport: ViewportSize, ...shown: ((page: Page) => Locator)[]) {
    this.page = await this.#browser!.newPage({ viewport })
    this.page.setDefaultTimeout(100_000)
    this.page.on('console', (message) => {
      if (!/vega/i.test(message.text()) || !['error', 'warning'].includes(message.type())) return
      // On a busy machine JupyterLab remarks on how slowly its plugins start.
      if (/took [\d.]+ms to activate/.test(message.text())) return
      this.complaints.push(message.text())
    })
    this.page.on('pageerror', (error) => void this.complaints.push(error.message))
    await this.page.goto(url)
    for (const part of shown) await part(this.page).first().waitFor()
  }
}

/** Starts JupyterLab in `folder`, its settings in `home`; resolves when it answers. */
async function startJupyterLab(folder: string, home: string): Promise<JupyterLab> {
  const python = await pythonEnv()
  const port = await freePort()
  const token = randomBytes(16).toString('hex')
  const notices = join(home, 'settings', '@jupyterlab', 'apputils-extension')
  mkdirSync(notices, { recursive: true })
  writeFileSync(join(notices, 'notification.jupyterlab-settings'), '{ "fetchNews": "false", "checkForUpdates": false }')
  const options = [
    '--no-browser',
    '--allow-root',
    '--ip=127.0.0.1',
    `--port=${port}`,
    '--port-retries=0',
    `--IdentityProvider.token=${token}`,
  ]
  const child = spawn(process.execPath, [command, 'lab', folder, '--', ...options], {
    env: {
      ...process.env,
      PATH: [dirname(python), process.env['PATH']].join(delimiter),
      JUPYTER_CONFIG_DIR: join(home, 'config'),
      JUPYTER_DATA_DIR: join(home, 'data'),
      JUPYTER_RUNTIME_DIR: join(home, 'runtime'),
      JUPYTERLAB_SETTINGS_DIR: join(home, 'settings'),
      JUPYTERLAB_WORKSPACES_DIR: join(home, 'workspaces'),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let log = ''
  child.stdout.on('data', (chunk: Buffer) => (log += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (log += chunk.toString()))
  const base = `http://127.0.0.1:${port}`
  try {
    await answers(`${base}/api?token=${token}`, child)
  } catch (error) {
    await stop(child)
    throw new Error(`JupyterLab did not start:\n${log}`, { cause: error })
  }
  return {
    url: (path) => `${base}/doc/tree/${path}?token=${token}&reset`,
    notebookUrl: (path) => `${base}/notebooks/${path}?token=${token}`,
    log: () => log,
    stop: () => stop(child),
  }
}

/** Writes a notebook for our kernel whose code cells have these texts. */
export function writeNotebook(path: string, sources: readonly string[]): void {
  const kernelspec = { name: 'shardbook', display_name: 'TypeScript (Shardbook)', language: 'typescript' }
  const cells = sources.map((source, i) => ({
    cell_type: 'code',
    id: `cell-${i}`,
    metadata: {},
    execution_count: null,
    outputs: [],
    source,
  }))
  writeFileSync(path, JSON.stringify({ nbformat: 4, nbformat_minor: 5, metadata: { kernelspec }, cells }))
}

/** Asks until the server answers; the test's own time limit ends it. */
async function answers(url: string, child: ChildProcess): Promise<void> {
  const until = Date.now() + 90_000
  for (;;) {
    if (child.exitCode !== null) throw new Error(`it ended with code ${child.exitCode}`)
    const reply = await fetch(url).catch((error: unknown) => error)
    if (reply instanceof Response && reply.ok) return
    if (Date.now() > until) throw new Error('no answer for 90 s', { cause: reply })
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
}

/** Ends the server as a terminal would; kernels end with it. */
async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), 20_000)
  await ended
  clearTimeout(timer)
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.on('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      const port = typeof address === 'object' && address !== null ? address.port : 0
      server.close(() => resolve(port))
    })
  })
}
