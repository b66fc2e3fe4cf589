/**
 * A contestant in a process of its own: a program that prints `READY ...` once, then answers each line of its input with one
 * line that starts with a number, and ends with its input.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { Contestant } from './contest.js'

/** The repository's folder. */
export const repositoryRoot = fileURLToPath(new URL('../../..', import.meta.url))

export interface Peer {
  /** What stood behind `READY`. */
  readonly ready: string
  ask(line: string): Promise<string>
  close(): Promise<void>
}

/** TensorFlow leaves oneDNN off on older x86 processors; the native engine does not, and its peers get the same kernels. */
const sameKernels = { TF_ENABLE_ONEDNN_OPTS: '1' }

/** Starts a peer and waits for its `READY`. Its stderr shows only when it fails. */
export async function startPeer(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Peer> {
  const child: ChildProcess = spawn(command, args, {
    cwd: repositoryRoot,
    env: { ...sameKernels, ...process.env, ...env },
  })
  let errors = ''
  child.stderr!.on('data', (data: Buffer) => (errors = (errors + data.toString()).slice(-4000)))
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]()
  const next = async (): Promise<string> => {
    const { value, done } = await lines.next()
    if (done === true) throw new Error(`${command} ${args.join(' ')} ended.\n${errors}`)
    return value
  }
  let line = await next()
  while (!line.startsWith('READY')) line = await next()
  return {
    ready: line.slice('READY'.length).trim(),
    async ask(question) {
      child.stdin!.write(`${question}\n`)
      return next()
    },
    async close() {
      if (child.exitCode !== null) return
      const ended = once(child, 'exit')
      child.stdin!.end()
      await ended
    },
  }
}

/** A peer as contestant: one question a round, the first number of its answer. */
export function peerContestant(name: string, peer: Peer, question: string): Contestant {
  return {
    name,
    measure: async () => Number((await peer.ask(question)).split(/\s/)[0]),
    close: () => peer.close(),
  }
}

/** The python of an environment with the packages of `bench/peers/NAME.txt`, made into the cache on the first run. */
export async function peerPython(name: string): Promise<string> {
  const tools = (await import(pathToFileURL(`${repositoryRoot}/tools/python-env.mjs`).href)) as {
    pythonEnv: (options: { requirements: string }) => Promise<string>
  }
  return tools.pythonEnv({ requirements: `${repositoryRoot}/bench/peers/${name}.txt` })
}

/** The path of a file of the repository's `bench` folder, which is not compiled. */
export function benchFile(path: string): string {
  return `${repositoryRoot}/bench/${path}`
}

/** A folder of the cache with npm packages, `name@version` each, installed on the first run; the path of its `node_modules`. */
export async function peerPackages(name: string, packages: readonly string[]): Promise<string> {
  const { cacheDir } = (await import(pathToFileURL(`${repositoryRoot}/tools/python-env.mjs`).href)) as {
    cacheDir: () => string
  }
  const folder = join(cacheDir(), `bench-${name}`)
  const marker = join(folder, '.complete')
  if (!existsSync(marker) || readFileSync(marker, 'utf8') !== packages.join(' ')) {
    console.log(`Installing ${packages.join(', ')} into ${folder} (once)`)
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'package.json'), '{ "private": true }')
    execFileSync('npm', ['install', '--no-audit', '--no-fund', '--save-exact', ...packages], {
      cwd: folder,
      stdio: 'ignore',
    })
    writeFileSync(marker, packages.join(' '))
  }
  return join(folder, 'node_modules')
}
