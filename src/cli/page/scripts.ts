/**
 * The page's own scripts, as text: they run in the reader's browser, not here. Each is inlined under its hash, so neither
 * may contain a closing script tag.
 */

/** Gives the frames of HTML outputs their height. */
export const frameScript = `
for (const frame of document.querySelectorAll('iframe')) {
  const fit = () => {
    const root = frame.contentDocument && frame.contentDocument.documentElement
    if (root) frame.style.height = Math.min(Math.ceil(root.getBoundingClientRect().height) + 1, 900) + 'px'
  }
  frame.addEventListener('load', fit)
  addEventListener('resize', fit)
  fit()
}
`

/** Draws every chart; where one cannot be drawn, its picture and the reason. */
export const chartScript = `
for (const figure of document.querySelectorAll('figure.chart')) {
  const spec = JSON.parse(figure.querySelector('script').textContent)
  const fail = (error) => {
    figure.innerHTML = figure.querySelector('noscript').textContent
    const note = document.createElement('figcaption')
    note.textContent = 'This chart could not be drawn: ' + error.message
    figure.append(note)
  }
  try {
    const compiled = figure.dataset.kind === 'vega-lite' ? vegaLite.compile(spec).spec : spec
    const canvas = document.createElement('div')
    figure.append(canvas)
    const view = new vega.View(vega.parse(compiled), { renderer: 'svg', hover: true, container: canvas, logLevel: vega.Error })
    view.runAsync().then(() => { figure.dataset.state = 'drawn' }, fail)
  } catch (error) {
    fail(error)
  }
}
`
