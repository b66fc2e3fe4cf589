/**
 * Turns a kernel's output messages into the outputs of a notebook, as a front end does.
 *
 * Only final states are kept: streams that follow each other become one, `update_display_data` rewrites every output that
 * was shown under its id, wherever in the notebook it lies. So a training that sent a thousand updates leaves one chart.
 */
import type { HeadlessMessage } from '../../../kernel/front/headless.js'
import { type CodeCell, type DataOutput, isObject, type Notebook } from './notebook.js'

/** A function that applies messages to the cells of `notebook` in place. */
export function collectOutputs(notebook: Notebook): (message: HeadlessMessage) => void {
  const shown = new Map<string, DataOutput[]>()
  const clearOnNext = new Set<CodeCell>()

  return ({ type, content, cell: index }) => {
    const cell = notebook.cells[index]
    if (cell?.cell_type !== 'code') return
    if (type === 'update_display_data') {
      for (const output of shown.get(displayId(content) ?? '') ?? []) {
        output.data = record(content['data'])
        output.metadata = record(content['metadata'])
      }
      return
    }
    if (type === 'clear_output') {
      if (content['wait'] === true) clearOnNext.add(cell)
      else cell.outputs = []
      return
    }
    if (clearOnNext.delete(cell)) cell.outputs = []
    if (type === 'stream') {
      const [name, text] = [String(content['name']), String(content['text'])]
      const last = cell.outputs.at(-1)
      if (last?.output_type === 'stream' && last.name === name) last.text += text
      else cell.outputs.push({ output_type: 'stream', name, text })
    } else if (type === 'error') {
      const traceback = Array.isArray(content['traceback']) ? content['traceback'].map(String) : []
      const [ename, evalue] = [String(content['ename']), String(content['evalue'])]
      cell.outputs.push({ output_type: 'error', ename, evalue, traceback })
    } else {
      const output: DataOutput = {
        output_type: type,
        data: record(content['data']),
        metadata: record(content['metadata']),
        ...(type === 'execute_result' ? { execution_count: Number(content['execution_count']) } : {}),
      }
      cell.outputs.push(output)
      const id = displayId(content)
      if (id !== undefined) shown.set(id, [...(shown.get(id) ?? []), output])
    }
  }
}

function displayId(content: Record<string, unknown>): string | undefined {
  const { transient } = content
  const id = isObject(transient) ? transient['display_id'] : undefined
  return typeof id === 'string' ? id : undefined
}

function record(value: unknown): Record<string, unknown> {
  return isObject(value) ? value : {}
}
