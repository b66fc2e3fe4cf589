import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { escapeJson } from '../../src/cli/page/escape.js'
import { highlight } from '../../src/cli/page/highlight.js'
import { markdownRenderer } from '../../src/cli/page/markdown.js'
import { plainText, terminalTextToHtml } from '../../src/cli/page/terminal-text.js'

/** What a browser would show of simple HTML. */
function textOf(html: string): string {
  const entities: Record<string, string> = { '&lt;': '<', '&gt;': '>', '&quot;': '"', '&#39;': "'", '&amp;': '&' }
  return html.replace(/<[^>]*>/g, '').replace(/&(?:lt|gt|quot|amp|#39);/g, (entity) => entities[entity]!)
}

const code = fc
  .array(
    fc.constantFrom(
      '`',
      '${',
      '}',
      '{',
      "'",
      '"',
      '\\',
      '//',
      '/*',
      '*/',
      '\n',
      'const',
      'x',
      '1.5e3',
      '<b>',
      '&',
      ' ',
      '.',
      '(',
      'π',
    ),
  )
  .map((parts) => parts.join(''))

describe('highlight', () => {
  test('never loses, adds or reorders a character', () => {
    fc.assert(
      fc.property(fc.oneof(code, fc.string({ unit: 'binary' })), (source) => {
        expect(textOf(highlight(source))).toBe(source)
      }),
    )
  })

  test('tells comments, texts, numbers, keywords, calls and types apart', () => {
    expect(highlight("const n: Map = f('a') // b")).toBe(
      '<span class="s-keyword">const</span> n: <span class="s-type">Map</span> = <span class="s-call">f</span>(<span class="s-text">&#39;a&#39;</span>) <span class="s-comment">// b</span>',
    )
    expect(highlight('a.type + 0xff')).toBe('a.type + <span class="s-number">0xff</span>')
  })

  test('sees code inside a template, templates inside that code, and where they end', () => {
    expect(highlight('`a${{ b: `c${1}` }}d` + 2')).toBe(
      '<span class="s-text">`a${</span>{ b: <span class="s-text">`c${</span><span class="s-number">1</span><span class="s-text">}`</span> }<span class="s-text">}d`</span> + <span class="s-number">2</span>',
    )
  })
})

describe('terminalTextToHtml', () => {
  test('shows what a terminal would, whatever the sequences', () => {
    const piece = fc.constantFrom(
      '\u001b[1m',
      '\u001b[31;42m',
      '\u001b[38;5;200m',
      '\u001b[38;2;1;2;3m',
      '\u001b[0m',
      '\u001b[2K',
      'a<',
      'é',
    )
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        expect(textOf(terminalTextToHtml(pieces.join('')))).toBe(
          pieces.filter((text) => !text.startsWith('\u001b')).join(''),
        )
      }),
    )
  })

  test('turns colours into classes and ends them', () => {
    expect(terminalTextToHtml('\u001b[1;31mno\u001b[0m yes')).toBe('<span class="t-bold t-fg-1">no</span> yes')
    expect(terminalTextToHtml('\u001b[38;5;196mred\u001b[39m')).toBe('<span style="color:#ff0000">red</span>')
  })

  test('keeps the last state of a line that was rewritten', () => {
    expect(terminalTextToHtml('10%\r50%\r100%\nok\r\nabc\b\bX')).toBe('100%\nok\naX')
    expect(plainText('\u001b[31mTypeError\u001b[39m: \u001b]8;;x\u0007no')).toBe('TypeError: no')
  })
})

describe('escapeJson', () => {
  test('is JSON of the same value and cannot end a script', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(JSON.parse(escapeJson(value))).toEqual(JSON.parse(JSON.stringify(value)))
      }),
    )
    expect(escapeJson({ a: '</script><!--' })).not.toMatch(/[<>]/)
  })
})

describe('markdown', () => {
  test('shows raw HTML as text, but for plain formatting without attributes', async () => {
    const render = await markdownRenderer()
    expect(render('a <b onclick="x()">b</b> <script>c</script>')).toBe(
      '<p>a <b>b</b> &lt;script&gt;c&lt;/script&gt;</p>\n',
    )
    expect(render('<iframe src="https://example.org"></iframe>')).not.toContain('<iframe')
    expect(render('<<script>alert(1)</script>')).not.toContain('<script')
  })

  test('keeps links that lead to pages, and only those', async () => {
    const render = await markdownRenderer()
    expect(render('[a](https://example.org) [b](javascript:alert(1))')).toBe(
      '<p><a href="https://example.org">a</a> b</p>\n',
    )
  })

  test('shows images that lie in the notebook and names those that do not', async () => {
    const render = await markdownRenderer()
    expect(render('![dot](attachment:a.png)', { 'a.png': { 'image/png': 'AAAA' } })).toContain(
      'src="data:image/png;base64,AAAA"',
    )
    expect(render('![a cat](https://example.org/cat.png)')).toBe('<p><span class="missing">a cat</span></p>\n')
  })
})
