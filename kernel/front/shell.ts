/**
 * Shells: queues of requests. A shell handles one request after the other; the main shell and its subshells
 * (https://github.com/jupyter/enhancement-proposals/pull/91) go on beside each other, so that a request in a subshell is
 * handled while a cell of the main shell awaits something.
 */
import { randomUUID } from 'node:crypto'
import type { Request } from './protocol/message.js'

export interface ShellTarget {
  handle(request: Request): Promise<void>
  /** Answers an execute request that will not be handled. */
  abort(request: Request): void
  /** Answers a request for a subshell that does not exist. */
  refuse(request: Request, id: string): void
}

interface Waiting {
  readonly request: Request
  isAborted: boolean
}

interface Shell {
  readonly waiting: Waiting[]
  isWorking: boolean
}

export class Shells {
  private readonly target: ShellTarget
  private readonly main: Shell = { waiting: [], isWorking: false }
  private readonly subshells = new Map<string, Shell>()
  private readonly quietWaiters: (() => void)[] = []

  constructor(target: ShellTarget) {
    this.target = target
  }

  /** Takes a request for the shell that its header names. */
  take(request: Request): void {
    const shell = this.shellOf(request)
    if (shell === undefined) return this.target.refuse(request, request.header.subshell_id ?? '')
    shell.waiting.push({ request, isAborted: false })
    if (!shell.isWorking) void this.work(shell)
  }

  /** Makes a subshell; returns its id. */
  create(): string {
    const id = randomUUID()
    this.subshells.set(id, { waiting: [], isWorking: false })
    return id
  }

  /** Ends a subshell: what waits in it is aborted. Returns false where there is none. */
  delete(id: string): boolean {
    const shell = this.subshells.get(id)
    if (shell !== undefined) abort(shell)
    return this.subshells.delete(id)
  }

  list(): string[] {
    return [...this.subshells.keys()]
  }

  /** Refuses the execute requests that wait in the shell of `request`, or in all. */
  abortWaiting(request?: Request): void {
    const shells = request === undefined ? [this.main, ...this.subshells.values()] : [this.shellOf(request)]
    for (const shell of shells) if (shell !== undefined) abort(shell)
  }

  /** Resolves when no shell has anything to do. */
  quiet(): Promise<void> {
    if (!this.isWorking()) return Promise.resolve()
    return new Promise((resolve) => this.quietWaiters.push(resolve))
  }

  private shellOf({ header }: Request): Shell | undefined {
    return header.subshell_id == null ? this.main : this.subshells.get(header.subshell_id)
  }

  private isWorking(): boolean {
    return this.main.isWorking || [...this.subshells.values()].some((shell) => shell.isWorking)
  }

  private async work(shell: Shell): Promise<void> {
    shell.isWorking = true
    for (let next = shell.waiting.shift(); next !== undefined; next = shell.waiting.shift()) {
      if (next.isAborted) this.target.abort(next.request)
      else await this.target.handle(next.request)
    }
    shell.isWorking = false
    if (!this.isWorking()) for (const tell of this.quietWaiters.splice(0)) tell()
  }
}

function abort({ waiting }: Shell): void {
  for (const one of waiting) one.isAborted = one.request.header.msg_type === 'execute_request'
}
