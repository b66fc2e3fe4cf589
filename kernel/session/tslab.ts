/** tslab's displays: its real package draws them, and this kernel publishes what comes out. */
import { createRequire } from 'node:module'
import { host } from '../../src/core/host.js'

/** What tslab hands over: the content of a Jupyter `display_data` message. */
interface DisplayContent {
  readonly data: Readonly<Record<string, unknown>>
  readonly transient?: { readonly display_id?: string }
}

interface TslabJupyter {
  lastWriteDisplayData: (content: DisplayContent, update: boolean) => void
}

/** Makes the tslab whose main file is `main` publish through this kernel. */
export function connect(main: string): void {
  const jupyter = createRequire(main)('./jupyter.js') as TslabJupyter
  jupyter.lastWriteDisplayData = ({ data, transient }, update) => {
    const id = transient?.display_id
    if (update && id !== undefined) host().update(id, data)
    else host().publish(data, id === undefined ? {} : { id })
  }
}
