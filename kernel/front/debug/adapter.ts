/**
 * The debugger: the debug adapter protocol, as JupyterLab speaks it in `debug_request` messages, over V8's inspector.
 * https://jupyter-client.readthedocs.io/en/stable/messaging.html#debug-request
 *
 * There is one thread. A client's breakpoints and its wish to debug outlive a session; values and frames hold only until
 * the session goes on.
 */
import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import type { Duplex } from 'node:stream'
import { ShardbookError } from '../../../src/core/errors.js'
import { cellPath, hashSeed, pathPrefix, pathSuffix } from './cell-path.js'
import { bundle, evaluate, notebookNames } from './expressions.js'
import type { CallFrame } from './inspector.js'
import { Inspector } from './inspector.js'
import type { Script } from '../../compile/compile.js'
import { isModule } from './modules.js'
import { breakpointsOf } from './breakpoints.js'
import { Scripts } from './scripts.js'
import { Stopped } from './stopped.js'
import { Variables, textOf, typeOf } from './variables.js'

type Arguments = Readonly<Record<string, unknown>>
type Body = Readonly<Record<string, unknown>>

export interface AdapterTarget {
  event(event: Readonly<Record<string, unknown>>): void
  /** The debugger's pipe to the session, which is started if need be. */
  pipe(): Duplex
}

const threadId = 1
const steps = { next: 'stepOver', stepIn: 'stepInto', stepOut: 'stepOut' } as const

export class DebugAdapter {
  private readonly target: AdapterTarget
  private readonly scripts = new Scripts()
  /** Cells that clients told of, by path. */
  private readonly dumped = new Map<string, string>()
  private inspector: Inspector | undefined
  private isWanted = false
  private pauseOn: 'none' | 'all' = 'none'
  private stopped: Stopped | undefined
  /** Values of the notebook's names, for a client that looks at them between cells. */
  private idle: Variables | undefined
  private step: { readonly command: string; readonly line: number | undefined; readonly depth: number } | undefined
  private lastSeq = 0

  constructor(target: AdapterTarget) {
    this.target = target
  }

  /** Whether cells must tell of themselves before they run. */
  get isAttached(): boolean {
    return this.isWanted
  }

  /** Answers a request. A command that fails says so in its response. */
  async request(content: Arguments): Promise<Body> {
    const command = String(content['command'])
    const response = { seq: ++this.lastSeq, type: 'response', request_seq: content['seq'], command }
    try {
      const given = (content['arguments'] ?? {}) as Arguments
      const body = await this.answer(command, given)
      return { ...response, success: true, body }
    } catch (error) {
      return { ...response, success: false, message: error instanceof Error ? error.message : String(error), body: {} }
    }
  }

  /** A session has begun: one that is being debugged goes on being so. */
  sessionStarted(): void {
    if (this.isWanted) this.attach()
  }

  sessionEnded(): void {
    this.inspector = undefined
    this.idle = undefined
    this.scripts.forget()
    this.goneOn()
  }

  /** Takes a cell that V8 has before it runs; resolves when its breakpoints are set. */
  async loaded(script: Script): Promise<void> {
    if (this.inspector === undefined) return
    await this.inspector.post('Debugger.setSkipAllPauses', { skip: false })
    await this.scripts.add(this.inspector, script)
  }

  /** Lets the session go on, and stands nowhere before the next cell: an interrupt ends what runs, not what stands. */
  async release(): Promise<void> {
    this.step = undefined
    if (this.stopped === undefined) return
    this.goneOn()
    await this.inspector?.post('Debugger.setSkipAllPauses', { skip: true })
    await this.inspector?.post('Debugger.resume')
  }

  private async answer(command: string, given: Arguments): Promise<Body> {
    switch (command) {
      case 'initialize':
        return {
          supportsConfigurationDoneRequest: true,
          supportsConditionalBreakpoints: true,
          supportsLogPoints: true,
          supportsEvaluateForHovers: true,
          supportsTerminateRequest: true,
          exceptionBreakpointFilters: [{ filter: 'raised', label: 'Raised Exceptions', default: false }],
        }
      case 'attach':
        this.isWanted = true
        this.target.pipe()
        this.attach()
        await this.inspector?.post('Debugger.enable')
        this.event('initialized')
        return {}
      case 'configurationDone':
        return {}
      case 'disconnect':
      case 'terminate':
        return this.detach()
      case 'debugInfo':
        return this.info()
      case 'dumpCell': {
        const code = String(given['code'] ?? '')
        const sourcePath = cellPath(code)
        this.dumped.set(sourcePath, code)
        return { sourcePath }
      }
      case 'source': {
        const path = pathOf(given)
        const cell = this.dumped.get(path) ?? this.scripts.codeOf(path)
        if (cell === undefined && !isModule(path))
          throw new ShardbookError('argument', `source: expected the path of a cell or of a module, got ${path}.`)
        const content = cell ?? (await readFile(path, 'utf8'))
        return { content, mimeType: 'text/typescript' }
      }
      case 'setBreakpoints': {
        const wanted = breakpointsOf(given)
        const path = pathOf(given)
        const lines = await this.scripts.replace(this.inspector, path, wanted)
        const verified = path.startsWith(pathPrefix) || isModule(path)
        return { breakpoints: lines.map((line, id) => ({ id, verified, line, source: { path } })) }
      }
      case 'setExceptionBreakpoints':
        this.pauseOn =
          (given['filters'] as readonly unknown[] | undefined)?.includes('raised') === true ? 'all' : 'none'
        await this.connected().post('Debugger.setPauseOnExceptions', { state: this.pauseOn })
        return {}
      case 'threads':
        return { threads: [{ id: threadId, name: 'Session' }] }
      case 'modules':
        return this.modules()
      case 'stackTrace': {
        const stackFrames = this.stoppedOr(command).stack()
        return { stackFrames, totalFrames: stackFrames.length }
      }
      case 'scopes':
        return { scopes: await this.stoppedOr(command).scopes(frameOf(given), await notebookNames(this.connected())) }
      case 'variables':
        return {
          variables: (await (this.stopped?.variables ?? this.idle)?.of(Number(given['variablesReference']))) ?? [],
        }
      case 'inspectVariables': {
        const variables = (this.idle = new Variables(this.connected()))
        return { variables: await variables.of(variables.refer([await notebookNames(this.connected())])) }
      }
      case 'evaluate': {
        const value = await evaluate(this.connected(), this.stopped, String(given['expression']), frameOf(given))
        const variables = this.stopped?.variables ?? (this.idle ??= new Variables(this.connected()))
        const { variablesReference } = variables.variable('', value)
        return { result: textOf(value), type: typeOf(value), variablesReference }
      }
      case 'richInspectVariables':
        return {
          data: await bundle(this.connected(), this.stopped, String(given['variableName']), frameOf(given)),
          metadata: {},
        }
      case 'continue':
        await this.go('resume', undefined)
        return { allThreadsContinued: true }
      case 'next':
      case 'stepIn':
      case 'stepOut':
        await this.go(steps[command], this.stoppedOr(command))
        return {}
      case 'pause':
        await this.connected().post('Debugger.pause')
        return {}
      default:
        throw new ShardbookError(
          'argument',
          `debugger: expected a command that it knows, got ${JSON.stringify(command)}.`,
        )
    }
  }

  private info(): Body {
    return {
      isStarted: this.isWanted,
      hashMethod: 'Murmur2',
      hashSeed,
      tmpFilePrefix: pathPrefix,
      tmpFileSuffix: pathSuffix,
      breakpoints: [...this.scripts.wanted].map(([source, breakpoints]) => ({ source, breakpoints })),
      stoppedThreads: this.stopped === undefined ? [] : [threadId],
      richRendering: true,
      exceptionPaths: [],
      copyToGlobals: false,
    }
  }

  private modules(): Body {
    const modules = this.scripts.loadedModules().map((path, id) => ({ id, name: basename(path), path }))
    return { modules, totalModules: modules.length }
  }

  private attach(): void {
    if (this.inspector !== undefined) return
    const inspector = (this.inspector = new Inspector(this.target.pipe(), {
      paused: (frames, reason) => this.paused(inspector, frames, reason),
      resumed: () => this.goneOn(),
      scriptParsed: (url, scriptId) => this.scripts.parsed(url, scriptId),
    }))
    const patterns = ['^node:', '/kernel/session/', '/kernel/[a-z-]+\\.js$', '/node_modules/']
    for (const [method, params] of [
      ['Debugger.enable', {}],
      ['Debugger.setBlackboxPatterns', { patterns }],
      ['Debugger.setPauseOnExceptions', { state: this.pauseOn }],
    ] as const) {
      // A session that ends over it tells so by its end.
      inspector.post(method, params).catch(() => {})
    }
  }

  private async detach(): Promise<Body> {
    this.isWanted = false
    await this.release()
    await this.inspector?.post('disconnect')
    this.inspector = undefined
    this.idle = undefined
    this.scripts.forget()
    this.scripts.wanted.clear()
    this.event('terminated')
    return {}
  }

  private paused(inspector: Inspector, frames: readonly CallFrame[], reason: string): void {
    const stopped = new Stopped(inspector, frames, this.scripts)
    const { step } = this
    // One line of the user's is several statements of the code that runs.
    const isSame =
      step !== undefined && (stopped.line === undefined || (stopped.line === step.line && frames.length === step.depth))
    if (isSame && reason !== 'exception') return void inspector.post(step.command).catch(() => {})
    this.step = undefined
    this.stopped = stopped
    const why =
      reason === 'exception' || reason === 'promiseRejection' ? 'exception' : step === undefined ? 'breakpoint' : 'step'
    this.event('stopped', { reason: why, threadId, allThreadsStopped: true })
  }

  private goneOn(): void {
    if (this.stopped === undefined) return
    this.stopped = undefined
    this.event('continued', { threadId, allThreadsContinued: true })
  }

  private async go(how: string, from: Stopped | undefined): Promise<void> {
    const command = `Debugger.${how}`
    this.step = from === undefined ? undefined : { command, line: from.line, depth: from.depth }
    // Told before it happens: what the cell prints then comes behind it.
    const inspector = this.connected()
    this.goneOn()
    await inspector.post(command)
  }

  private connected(): Inspector {
    if (this.inspector === undefined)
      throw new ShardbookError('state', 'debugger: expected to be attached, got a request.')
    return this.inspector
  }

  private stoppedOr(command: string): Stopped {
    if (this.stopped !== undefined) return this.stopped
    throw new ShardbookError('state', `${command}: expected a session that stands at a breakpoint, got one that runs.`)
  }

  private event(event: string, body: Body = {}): void {
    this.target.event({ seq: ++this.lastSeq, type: 'event', event, body })
  }
}

function pathOf(given: Arguments): string {
  return String((given['source'] as { path?: unknown } | undefined)?.path ?? '')
}

function frameOf(given: Arguments): number | undefined {
  return typeof given['frameId'] === 'number' ? given['frameId'] : undefined
}
