/** The front's end of the session's inspector: Chrome DevTools Protocol over a pipe, one JSON a line. */
import { createInterface } from 'node:readline'
import type { Duplex } from 'node:stream'
import { ShardbookError } from '../../../src/core/errors.js'
import type { DebugReply } from '../../channel.js'

type Params = Readonly<Record<string, unknown>>

/** A value in the session, by reference. */
export interface RemoteObject {
  readonly type: string
  readonly subtype?: string
  readonly className?: string
  readonly value?: unknown
  readonly unserializableValue?: string
  readonly description?: string
  readonly objectId?: string
}

export interface Location {
  readonly scriptId: string
  readonly lineNumber: number
  readonly columnNumber?: number
}

export interface CallFrame {
  readonly callFrameId: string
  readonly functionName: string
  readonly location: Location
  readonly scopeChain: readonly { readonly type: string; readonly name?: string; readonly object: RemoteObject }[]
}

export interface Evaluated {
  readonly result: RemoteObject
  readonly exceptionDetails?: { readonly text: string; readonly exception?: RemoteObject }
}

export interface InspectorTarget {
  paused(frames: readonly CallFrame[], reason: string): void
  resumed(): void
  scriptParsed(url: string, scriptId: string): void
}

interface Waiting {
  resolve(result: unknown): void
  reject(error: Error): void
}

export class Inspector {
  private readonly pipe: Duplex
  private readonly waiting = new Map<number, Waiting>()
  private lastId = 0

  constructor(pipe: Duplex, target: InspectorTarget) {
    this.pipe = pipe
    createInterface({ input: pipe }).on('line', (line) => {
      const { id, method, params = {}, result, error } = JSON.parse(line) as DebugReply
      if (id !== undefined) this.settle(id, result, error)
      else if (method === 'Debugger.paused') {
        target.paused(params['callFrames'] as readonly CallFrame[], String(params['reason']))
      } else if (method === 'Debugger.resumed') target.resumed()
      else if (method === 'Debugger.scriptParsed')
        target.scriptParsed(String(params['url']), String(params['scriptId']))
    })
    pipe.on('close', () => {
      for (const id of this.waiting.keys()) this.settle(id, undefined, 'the session ended')
    })
  }

  /** @throws ShardbookError where the inspector refuses, or the session ends */
  post<T = unknown>(method: string, params: Params = {}): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const id = ++this.lastId
      this.waiting.set(id, { resolve, reject })
      if (this.pipe.destroyed) return this.settle(id, undefined, 'the session ended')
      this.pipe.write(`${JSON.stringify({ id, method, params })}\n`)
    })
  }

  private settle(id: number, result: unknown, error: string | undefined): void {
    const waiting = this.waiting.get(id)
    this.waiting.delete(id)
    if (error === undefined) waiting?.resolve(result)
    else waiting?.reject(new ShardbookError('state', `debugger: expected an answer of the inspector, got: ${error}.`))
  }
}
