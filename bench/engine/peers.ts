/** The Python frameworks as contestants, each at that of its thread settings which is fastest for the workload. */
import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { modelData } from '../../src/nn/model-data.js'
import { type Peer, benchFile, peerPython, startPeer } from '../harness/peer.js'
import type { Workload } from './workloads.js'

/** A framework's processes, one for each thread setting: threads are set for the life of a process. */
const settings = {
  keras: ['default', 'chains'],
  torch: ['default', 'serial'],
  jax: ['default', 'serial'],
} as const
export type Framework = keyof typeof settings

/** A workload loaded into the process with the best setting. */
export interface LoadedPeer {
  readonly name: string
  /** A step, measured when it was chosen. */
  readonly stepMs: number
  readonly ask: (question: string) => Promise<string>
}

export class Peers {
  readonly #folder = mkdtempSync(join(tmpdir(), 'shardbook-bench-'))
  readonly #python: string
  readonly #processes = new Map<string, Promise<Peer>>()

  private constructor(python: string) {
    this.#python = python
  }

  /** Peers with the packages of `bench/peers/NAME.txt`. */
  static async open(name: 'engine' | 'learning' = 'engine'): Promise<Peers> {
    return new Peers(await peerPython(name))
  }

  /** GFLOP/s of a matrix product on one core, or on all. */
  async sgemm(cores: 'one' | 'all'): Promise<number> {
    const peer = await this.#process('machine', cores === 'one' ? 'serial' : 'default')
    return numberOf('sgemm', await peer.ask('sgemm'))
  }

  /** Loads a workload under every setting, measures a moment, and keeps the fastest. */
  async load(framework: Framework, workload: Workload): Promise<LoadedPeer> {
    const folder = this.#write(workload)
    const loaded = []
    for (const setting of settings[framework]) {
      const peer = await this.#process(framework, setting)
      numberOf(`${framework} ${workload.name}`, await peer.ask(`load ${folder}`))
      const once = numberOf(framework, await peer.ask('train 3'))
      const steps = Math.max(3, Math.round(300 / once))
      const stepMs = numberOf(framework, await peer.ask(`train ${steps}`))
      loaded.push({
        name: `${labels[framework]} (threads: ${setting})`,
        stepMs,
        ask: async (question: string) => peer.ask(question),
      })
    }
    return loaded.reduce((best, one) => (one.stepMs < best.stepMs ? one : best))
  }

  async close(): Promise<void> {
    rmSync(this.#folder, { recursive: true })
    for (const peer of this.#processes.values()) await (await peer).close()
  }

  async #process(framework: string, setting: string): Promise<Peer> {
    const key = `${framework} ${setting}`
    const running =
      this.#processes.get(key) ?? startPeer(this.#python, [benchFile('peers/engine.py'), framework, setting])
    this.#processes.set(key, running)
    return running
  }

  /** Writes network, data and weights where the peers read them. */
  #write({ name, network, loss, batchRows, learningRate, x, y, weights }: Workload): string {
    const folder = join(this.#folder, name.replaceAll(' ', '-'))
    mkdirSync(folder, { recursive: true })
    const tensors = [x, y, ...weights]
    const { inputShape, layers } = modelData(network)
    const described = { inputShape, layers, loss: loss.kind, batchRows, learningRate }
    writeFileSync(
      join(folder, 'workload.json'),
      JSON.stringify({ ...described, tensors: tensors.map(({ dtype, shape }) => [dtype, shape]) }),
    )
    for (const [i, { values }] of tensors.entries()) {
      writeFileSync(join(folder, `${i}.bin`), new Uint8Array(values.buffer, values.byteOffset, values.byteLength))
    }
    return folder
  }
}

const labels = { keras: 'Keras', torch: 'PyTorch', jax: 'JAX' } as const

/** The number that an answer starts with. */
export function numberOf(question: string, answer: string): number {
  const value = Number(answer.split(' ')[0])
  if (Number.isFinite(value)) return value
  throw new Error(`${question}: expected a number, got ${answer}.`)
}
