/**
 * The session's end of the debugger: V8's inspector of the main thread, driven from the control thread, so that it answers
 * while the main thread stands at a breakpoint. Messages are those of the Chrome DevTools Protocol, one JSON a line.
 *
 * The inspector is connected only while a debugger is attached. Node complains about one that is connected when a process
 * exits, so the main thread asks for its end before.
 */
import type { InspectorNotification } from 'node:inspector'
import { Session } from 'node:inspector'
import type { Socket } from 'node:net'
import { createInterface } from 'node:readline'
import type { DebugReply, DebugRequest } from '../channel.js'

/** Serves the front's debugger over `socket`; returns how to disconnect. */
export function serveDebugger(socket: Socket): () => void {
  let session: Session | undefined
  const send = (reply: DebugReply): void => void socket.write(`${JSON.stringify(reply)}\n`)

  const connect = (): Session => {
    const connected = new Session()
    connected.connectToMainThread()
    connected.on('inspectorNotification', (event) => {
      const { method, params } = event as InspectorNotification<Readonly<Record<string, unknown>>>
      // Of Node's own scripts the debugger needs to know nothing.
      if (method === 'Debugger.scriptParsed' && !/^(file:|\/)/.test(String(params['url']))) return
      send({ method, params })
    })
    return connected
  }

  const disconnect = (): void => {
    session?.disconnect()
    session = undefined
  }

  createInterface({ input: socket }).on('line', (line) => {
    const { id, method, params } = JSON.parse(line) as DebugRequest
    if (method === 'disconnect') {
      disconnect()
      return send({ id, result: {} })
    }
    session ??= connect()
    session.post(method, params, (error, result) => {
      send({ id, ...(error === null ? { result: result ?? {} } : { error: error.message }) })
    })
  })
  return disconnect
}
