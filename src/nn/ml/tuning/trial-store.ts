/**
 * Finished trials in a folder, so that a run that was ended half-way goes on where it was: a file a trial, written whole or not at
 * all, and one that says which run they belong to. Candidates may be added between runs; trials of another estimator, other
 * folds or other data are refused.
 */
import { join } from 'node:path'
import { ShardbookError } from '../../../core/errors.js'
import { digest, localStore } from '../../../store/index.js'
import type { Transformer } from '../stage.js'
import { describeValue } from './params.js'
import type { Trial, TrialResult } from './trial.js'

const format = 'shardbook-tuning'

interface SavedTrial {
  readonly params: Readonly<Record<string, unknown>>
  readonly fold: number
  readonly resource?: number
  readonly score: number | string
  readonly seconds: number
}

export class TrialStore {
  readonly folder: string
  readonly #keepsModels: boolean

  private constructor(folder: string, keepsModels: boolean) {
    this.folder = folder
    this.#keepsModels = keepsModels
  }

  /**
   * The store of a run in a folder, which is made if need be.
   *
   * @throws ShardbookError `state` when the folder holds trials of another run, `data` when it holds something else.
   */
  static async open(caller: string, folder: string, run: string, keepsModels: boolean): Promise<TrialStore> {
    const fingerprint = digest(run)
    const store = localStore()
    const path = join(folder, 'run.json')
    const known = await store.list(folder)
    if (!known.includes(path)) {
      await store.put(path, encode({ format, version: 1, fingerprint }))
    } else {
      const saved = decode(caller, path, await store.get(path)) as { format?: unknown; fingerprint?: unknown }
      if (saved.format !== format) {
        throw new ShardbookError('data', `${caller}: expected trials in ${folder}, got something else.`)
      }
      if (saved.fingerprint !== fingerprint) {
        throw new ShardbookError(
          'state',
          `${caller}: expected trials of this run in ${folder}, got those of another.`,
          {
            hint: 'The estimator, its options, the evaluator, the folds or the data differ. Take another folder.',
          },
        )
      }
    }
    return new TrialStore(folder, keepsModels)
  }

  /** The result of a trial that is done, with its model where models are kept. */
  async find(caller: string, trial: Trial): Promise<{ result: TrialResult; model?: Transformer } | undefined> {
    const path = this.#path(trial)
    const store = localStore()
    if (!(await store.list(path)).includes(path)) return undefined
    const { score, seconds } = decode(caller, path, await store.get(path)) as SavedTrial
    const result = { trial, score: Number(score), seconds }
    if (!this.#keepsModels) return { result }
    const { load } = await import('../load.js')
    return { result, model: await load(this.#modelPath(trial)) }
  }

  /** Keeps a result: the model first, so that a trial that is there is whole. */
  async keep({ trial, score, seconds }: TrialResult, model: Transformer): Promise<void> {
    if (this.#keepsModels) await model.save(this.#modelPath(trial))
    const { params, fold, resource } = trial
    const saved: SavedTrial = {
      params,
      fold,
      ...(resource === undefined ? {} : { resource }),
      score: Number.isFinite(score) ? score : String(score),
      seconds,
    }
    await localStore().put(this.#path(trial), encode(saved))
  }

  #path(trial: Trial): string {
    return join(this.folder, 'trials', `${keyOf(trial)}.json`)
  }

  #modelPath(trial: Trial): string {
    return join(this.folder, 'models', keyOf(trial))
  }
}

/** Values, fold and resource: what makes a trial another one. */
function keyOf({ params, fold, resource }: Trial): string {
  const values = Object.entries(params).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return digest(JSON.stringify([values, fold, resource ?? null], describeValue)).slice(0, 24)
}

function encode(value: unknown): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(value, describeValue, 2)}\n`)
}

function decode(caller: string, path: string, bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes)) as unknown
  } catch (cause) {
    throw new ShardbookError('data', `${caller}: expected ${path} to be JSON.`, { cause })
  }
}
