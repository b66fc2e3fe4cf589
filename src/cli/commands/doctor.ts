/**
 * `shardbook doctor`: what is here, what is missing, what to do about it. Nothing is taken for granted: the kernel runs a
 * cell, the engine is opened, other programs are asked for their version.
 */
import { existsSync } from 'node:fs'
import { availableParallelism, cpus, totalmem } from 'node:os'
import { cacheDir, dataDir } from '../../core/paths.js'
import { ShardbookError } from '../../core/errors.js'
import { findStock, listEngines, openEngine } from '../../engine/index.js'
import { startHeadless } from '../../../kernel/front/headless.js'
import { type Command, readArguments } from '../command.js'
import { environmentFolder, userFolder } from '../kernelspec-folders.js'
import { packageVersion } from '../package-version.js'
import { ask, findJupyterLab, findProgram, findPython } from '../programs.js'
import { howToGetJupyterLab } from './lab.js'

const help = `Usage: shardbook doctor [--json]

Says what is here, what is missing, and what to do about it. Exit code 1 when notebooks cannot run.
`

interface Finding {
  readonly name: string
  /** `needed` things that are not there stop notebooks; `useful` ones don't. */
  readonly state: 'ok' | 'useful' | 'needed'
  readonly detail: string
  readonly todo?: string
}

export const doctor: Command = {
  help,
  async run(args) {
    const { values } = readArguments(
      'doctor',
      args,
      { json: { type: 'boolean' } },
      { min: 0, max: 0, names: 'no argument' },
    )
    const findings: Finding[] = []
    for (const check of [
      checkNode,
      checkKernel,
      checkDevices,
      checkEngines,
      checkPython,
      checkJupyter,
      checkKernelspec,
      checkFolders,
    ]) {
      findings.push(...(await check()))
    }
    const ok = findings.every(({ state }) => state !== 'needed')
    if (values.json === true) {
      process.stdout.write(`${JSON.stringify({ version: packageVersion(), ok, findings }, null, 2)}\n`)
    } else {
      process.stdout.write(`Shardbook ${packageVersion()}\n${findings.map(line).join('')}`)
    }
    return ok ? 0 : 1
  },
}

/** Room for the longest name, `engine pjrt-cuda13`. */
const nameWidth = 20

function line({ name, state, detail, todo }: Finding): string {
  const mark = { ok: 'ok', useful: '-', needed: 'MISSING' }[state]
  const below = todo === undefined ? '' : `${' '.repeat(8 + nameWidth)}${todo}\n`
  return `${mark.padEnd(8)}${name.padEnd(nameWidth)}${detail}\n${below}`
}

async function checkNode(): Promise<Finding[]> {
  const detail = `${process.version}, ${process.platform} ${process.arch}`
  return Number(process.versions.node.split('.')[0]) >= 20
    ? [{ name: 'Node.js', state: 'ok', detail }]
    : [{ name: 'Node.js', state: 'needed', detail, todo: 'Use Node.js 20 or newer.' }]
}

/** Runs a cell, with its type check. */
async function checkKernel(): Promise<Finding[]> {
  const name = 'kernel'
  const started = performance.now()
  let answer: unknown
  try {
    const kernel = await startHeadless({ cwd: process.cwd(), onMessage: ({ content }) => (answer = content['data']) })
    try {
      const reply = await kernel.execute(0, 'const answer: number = 6 * 7\nanswer')
      const seconds = ((performance.now() - started) / 1000).toFixed(1)
      if (reply.status === 'ok' && JSON.stringify(answer).includes('42'))
        return [{ name, state: 'ok', detail: `ran a cell ${seconds} s after its start` }]
      return [
        {
          name,
          state: 'needed',
          detail: `a cell failed: ${reply.error?.evalue ?? `42 came out as ${JSON.stringify(answer)}`}`,
        },
      ]
    } finally {
      await kernel.close()
    }
  } catch (error) {
    return [{ name, state: 'needed', detail: reason(error), todo: 'Install the package again: npm ci' }]
  }
}

async function checkDevices(): Promise<Finding[]> {
  const model = cpus()[0]?.model.trim() ?? 'CPU'
  const memory = `${Math.round(totalmem() / 2 ** 30)} GiB memory`
  const detail = `${availableParallelism()} cores (${model}), ${memory}`
  return [{ name: 'devices', state: 'ok', detail }, ...(await checkGpus()), ...checkStockBinary()]
}

/** What CUDA 13 needs of the driver. */
const leastDriver = 580

async function checkGpus(): Promise<Finding[]> {
  const name = 'GPUs'
  const smi = findProgram('nvidia-smi')
  if (smi === undefined) return [{ name, state: 'ok', detail: 'none that an NVIDIA driver shows' }]
  try {
    const told = await ask(
      smi,
      '--query-gpu=index,name,memory.total,memory.used,driver_version',
      '--format=csv,noheader',
    )
    const gpus = told.split('\n').map((row) => row.split(',').map((cell) => cell.trim()))
    const driver = gpus[0]?.[4] ?? 'unknown'
    const list = gpus.map(([index, model, total, used]) => `${index}: ${model}, ${total}, ${used} in use`).join('; ')
    const detail = `driver ${driver}; ${list}`
    if (Number.parseInt(driver, 10) >= leastDriver) return [{ name, state: 'ok', detail }]
    const todo = `pjrt-cuda13 needs a driver of version ${leastDriver} or later: update it.`
    return [{ name, state: 'useful', detail, todo }]
  } catch (error) {
    return [{ name, state: 'useful', detail: reason(error), todo: 'The driver does not answer: see nvidia-smi.' }]
  }
}

/** TensorFlow.js's own package for Node, where its library was downloaded. */
function checkStockBinary(): Finding[] {
  const stock = findStock()
  if (stock === undefined) return []
  const detail = 'has its library here: the engine native takes it where its own is not installed'
  return [{ name: stock.package.replace('@tensorflow/', ''), state: 'ok', detail }]
}

async function checkEngines(): Promise<Finding[]> {
  const listed = (await listEngines()).map((engine): Finding => {
    const { installed, detail } = engine
    const why = engine.reason === undefined || engine.reason === 'not installed' ? '' : ` (${engine.reason})`
    const name = `engine ${engine.name}`
    if (installed) return { name, state: 'ok', detail: `${detail}${why}` }
    if (engine.name.startsWith('pjrt')) return missingPjrt(name, engine.name, `not installed${why}`)
    return { name, state: 'useful', detail: `not installed${why}`, todo: `Several times faster: ${detail}` }
  })
  return [
    ...listed,
    await checkEngineInUse(listed.some(({ name, state }) => name === 'engine native' && state === 'ok')),
  ]
}

/** Only who has a GPU misses the engine for it. */
function missingPjrt(name: string, engine: string, detail: string): Finding {
  if (engine !== 'pjrt-cuda13' || findProgram('nvidia-smi') === undefined) return { name, state: 'ok', detail }
  return { name, state: 'useful', detail, todo: `To compute on the GPU: shardbook engine install ${engine}` }
}

/** What a notebook would get; an installed native engine that doesn't load is told, though notebooks then go on with wasm. */
async function checkEngineInUse(hasNative: boolean): Promise<Finding> {
  const name = 'in use'
  const wanted = process.env['SHARDBOOK_ENGINE'] || 'auto'
  try {
    if (hasNative && wanted === 'auto') await openEngine('native')
  } catch (error) {
    const todo = 'Notebooks use wasm. Install it again: shardbook engine remove native; shardbook engine install native'
    return { name, state: 'useful', detail: `native does not load: ${reason(error)}`, todo }
  }
  try {
    const engine = await openEngine('auto')
    const detail = `${engine.name}: ${engine.description}`
    if (wanted !== 'auto') return { name, state: 'ok', detail: `${detail} (SHARDBOOK_ENGINE=${wanted})` }
    if (engine.name === 'native' && findProgram('nvidia-smi') !== undefined && !engine.description.includes('GPU')) {
      const todo = 'To compute on the GPU: shardbook engine install native --gpu'
      return { name, state: 'useful', detail: `${detail}, no GPU`, todo }
    }
    return { name, state: 'ok', detail }
  } catch (error) {
    const todo = 'SHARDBOOK_ENGINE names the engine: auto, native, pjrt or wasm.'
    return { name, state: 'needed', detail: reason(error), todo }
  }
}

async function checkPython(): Promise<Finding[]> {
  const python = findPython()
  const [name, todo] = [
    'Python',
    'Only to install the native engine and JupyterLab. Debian: apt-get install python3-pip',
  ]
  if (python === undefined) return [{ name, state: 'useful', detail: 'not on PATH', todo }]
  const version = await ask(python, '--version').catch(reason)
  try {
    const pip = await ask(python, '-m', 'pip', '--version')
    return [
      { name, state: 'ok', detail: `${version.replace('Python ', '')}, pip ${pip.split(' ')[1] ?? ''} (${python})` },
    ]
  } catch (error) {
    return [{ name, state: 'useful', detail: `${version} without pip: ${reason(error)}`, todo }]
  }
}

async function checkJupyter(): Promise<Finding[]> {
  const name = 'JupyterLab'
  const found = await findJupyterLab()
  if (found === undefined) return [{ name, state: 'useful', detail: 'not on PATH', todo: howToGetJupyterLab }]
  return [{ name, state: 'ok', detail: `${found.version} (${[found.program, ...found.args].join(' ')})` }]
}

async function checkKernelspec(): Promise<Finding[]> {
  const name = 'kernelspec'
  const places = [userFolder(), ...(findPython() === undefined ? [] : [await environmentFolder()])]
  const found = places.find((folder) => existsSync(folder))
  if (found !== undefined) return [{ name, state: 'ok', detail: found }]
  const todo = 'For your own Jupyter: shardbook install (shardbook lab needs no install)'
  return [{ name, state: 'useful', detail: 'not installed', todo }]
}

async function checkFolders(): Promise<Finding[]> {
  const data = dataDir()
  return [
    { name: 'cache', state: 'ok', detail: cacheDir() },
    data === undefined || existsSync(data)
      ? {
          name: 'data',
          state: 'ok',
          detail: data ?? 'downloaded into the cache (SHARDBOOK_DATA names a folder to look in first)',
        }
      : { name: 'data', state: 'useful', detail: `${data} is not there`, todo: 'Correct or unset SHARDBOOK_DATA.' },
  ]
}

function reason(error: unknown): string {
  return error instanceof ShardbookError || error instanceof Error ? error.message : String(error)
}
