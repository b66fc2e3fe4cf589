/** The page's look: one column, quiet code, light or dark as the reader's system is. */

const palette = `
:root {
  color-scheme: light dark;
  --page: #ffffff; --ink: #1c2128; --soft: #5b6472; --line: #e3e7ec; --card: #f6f8fa; --paper: #ffffff;
  --accent: #2563c9; --bad: #b42318; --bad-soft: #fef3f2; --warn-soft: #fdf8e8;
  --keyword: #9a2f8f; --text: #1a6b3c; --number: #a04a00; --comment: #6a7380; --call: #1f4fa8; --type: #0b6a80;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #14171c; --ink: #dfe3e8; --soft: #98a2b0; --line: #2c323b; --card: #1c2128; --paper: #ffffff;
    --accent: #7fb0ff; --bad: #ff9a8d; --bad-soft: #2d1a1a; --warn-soft: #2a2517;
    --keyword: #e08ad6; --text: #86cf9d; --number: #f0b072; --comment: #8791a0; --call: #8cb8ff; --type: #74cbe0;
  }
}`

const fonts = `
  --sans: system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'Liberation Sans', sans-serif;
  --mono: ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', 'Liberation Mono', monospace;`

const tables = `
table { border-collapse: collapse; font-size: 13px; font-variant-numeric: tabular-nums; margin: 4px 0; }
th, td { padding: 4px 12px 4px 0; text-align: left; border-bottom: 1px solid var(--line); vertical-align: middle; }
th { font-weight: 600; color: var(--soft); }`

/** The style inside the frame of an HTML output. */
export const frameStyle = `${palette}
:root {${fonts} }
body { margin: 0; font: 14px/1.5 var(--sans); color: var(--ink); background: transparent; overflow: auto; }
${tables}
img { max-width: 100%; }`

/** ANSI colours 0-15, for both themes. */
const terminalColours = [
  ['#3b424c', '#b42318', '#1a7f37', '#8a6100', '#2563c9', '#9a2f8f', '#0b6a80', '#5b6472'],
  ['#6a7380', '#d1372a', '#24994a', '#a87800', '#3b7de0', '#b548a8', '#1487a0', '#8a93a0'],
]
  .flat()
  .map(
    (colour, i) =>
      `.t-fg-${i} { color: light-dark(${colour}, color-mix(in srgb, ${colour} 55%, white)); } .t-bg-${i} { background: ${colour}; color: #fff; }`,
  )
  .join('\n')

/** The style of the page. */
export const pageStyle = `${palette}
:root {${fonts} }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0; background: var(--page); color: var(--ink); font: 16px/1.6 var(--sans); }
main { max-width: 860px; margin: 0 auto; padding: 48px 24px 96px; }
section { margin: 0 0 20px; position: relative; }
.prose > :first-child { margin-top: 0; } .prose > :last-child { margin-bottom: 0; }
h1 { font-size: 30px; line-height: 1.2; letter-spacing: -0.02em; margin: 0 0 12px; }
h2 { font-size: 21px; line-height: 1.3; letter-spacing: -0.01em; margin: 44px 0 8px; }
h3 { font-size: 17px; margin: 28px 0 8px; }
section:has(> h2:first-child) { margin-top: 44px; }
p, ul, ol { margin: 8px 0; } a { color: var(--accent); }
blockquote { margin: 12px 0; padding: 2px 16px; border-left: 3px solid var(--line); color: var(--soft); }
code, pre { font-family: var(--mono); }
.prose code { font-size: 0.88em; background: var(--card); padding: 2px 5px; border-radius: 4px; }
.prose pre { background: var(--card); padding: 12px 14px; border-radius: 8px; overflow-x: auto; font-size: 13px; }
.prose pre code { background: none; padding: 0; font-size: inherit; }
img { max-width: 100%; }
.missing { color: var(--soft); border: 1px dashed var(--line); padding: 0 6px; border-radius: 4px; }
.count { position: absolute; right: 100%; top: 11px; margin-right: 10px; font: 12px/1.6 var(--mono); color: var(--soft); }
pre { margin: 0; font-size: 13px; line-height: 1.55; white-space: pre-wrap; overflow-wrap: anywhere; }
.source { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 10px 14px; white-space: pre; overflow-x: auto; }
.outputs { margin-top: 10px; display: grid; gap: 10px; grid-template-columns: minmax(0, 1fr); }
.stream, .value, .error, .raw { padding: 0 14px; max-height: 480px; overflow: auto; }
.stderr { background: var(--warn-soft); border-radius: 8px; padding: 8px 14px; }
.error { background: var(--bad-soft); border-left: 3px solid var(--bad); border-radius: 0 8px 8px 0; padding: 10px 14px; }
figure { margin: 0; padding: 0 14px; overflow-x: auto; }
figure.chart { background: var(--paper); color: #1c2128; color-scheme: light; border-radius: 8px; padding: 10px 14px; }
@media (prefers-color-scheme: light) { figure.chart { padding: 4px 14px; } }
figcaption { color: var(--bad); font-size: 13px; }
iframe { display: block; border: 0; width: calc(100% - 28px); margin: 0 14px; height: 160px; background: transparent; }
${tables}
.s-keyword { color: var(--keyword); } .s-text { color: var(--text); } .s-number { color: var(--number); }
.s-comment { color: var(--comment); font-style: italic; } .s-call { color: var(--call); } .s-type { color: var(--type); }
.t-bold { font-weight: 700; } .t-dim { opacity: 0.7; } .t-italic { font-style: italic; } .t-underline { text-decoration: underline; }
.t-fg-base { color: var(--page); } .t-bg-text { background: var(--ink); } .t-fg-text { color: var(--ink); } .t-bg-base { background: var(--page); }
${terminalColours}
@media (max-width: 760px) { main { padding: 24px 16px 64px; } .count { display: none; } }
@media print { main { max-width: none; padding: 0; } section { break-inside: avoid-page; } }`
