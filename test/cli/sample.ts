/** A notebook with one output of every kind, as a run would leave it. */
import type { CodeCell, Notebook, Output, TextCell } from '../../src/cli/notebook/notebook.js'

export function markdownCell(source: string, more: Partial<TextCell> = {}): TextCell {
  return { cell_type: 'markdown', metadata: {}, source, ...more }
}

export function codeCell(source: string, outputs: Output[] = [], metadata: Record<string, unknown> = {}): CodeCell {
  return { cell_type: 'code', metadata, source, outputs, execution_count: null }
}

export function notebookOf(cells: Notebook['cells'], metadata: Record<string, unknown> = {}): Notebook {
  return { nbformat: 4, nbformat_minor: 5, metadata, cells: cells.map((cell, i) => ({ id: `cell-${i}`, ...cell })) }
}

/** One black pixel. */
export const pixel = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=='

export const lineSpec = {
  $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
  width: 'container',
  height: 180,
  data: {
    values: Array.from({ length: 40 }, (_, step) => ({
      step,
      loss: 2.3 * Math.exp(-step / 9) + 0.05,
      note: '</script><b>',
    })),
  },
  mark: { type: 'line', tooltip: true },
  encoding: { x: { field: 'step', type: 'quantitative' }, y: { field: 'loss', type: 'quantitative' } },
}

export function displayData(data: Record<string, unknown>): Output {
  return { output_type: 'display_data', data, metadata: {} }
}

export function sampleNotebook(): Notebook {
  const cells = [
    markdownCell('# Digits\nA *notebook* with `code`, a [link](https://example.org) and a list:\n\n- one\n- two'),
    codeCell(
      `import { datasets, ml } from 'shardbook'\n// twelve digits\nconst digits = await datasets.mnist({ split: 'test' })\nclass Point<T> { x = 0x1f; y = \`\${digits.rows + \`\${1}\`} rows\` }\nconst half = 10 / 2 / 1`,
      [{ output_type: 'stream', name: 'stdout', text: 'epoch 1 \u001b[32mok\u001b[0m\nprogress 10%\rprogress 100%\n' }],
    ),
    markdownCell(
      '## A chart\nHover over it. <script>window.pwned = 1</script><img src=x onerror="window.pwned = 1"> <kbd>Ctrl</kbd>',
    ),
    codeCell('await draw(lossOf(training))', [
      displayData({ 'application/vnd.vegalite.v5+json': lineSpec, 'image/png': pixel, 'text/plain': 'a line' }),
    ]),
    codeCell('table', [
      displayData({
        'text/html':
          '<table><tr><th>label</th><th>n</th></tr><tr><td>seven</td><td>1028</td></tr></table><script>parent.pwned = 1</script><img src="https://example.org/x.png">',
      }),
      { output_type: 'stream', name: 'stderr', text: 'a warning\n' },
    ]),
    codeCell('null.x', [
      {
        output_type: 'error',
        ename: 'TypeError',
        evalue: 'no',
        traceback: ['\u001b[31mTypeError\u001b[39m: no', '    at cell 4:1:6'],
      },
    ]),
  ]
  return notebookOf(cells.map((cell, i) => (cell.cell_type === 'code' ? { ...cell, execution_count: i } : cell)))
}
