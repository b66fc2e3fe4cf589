/**
 * Markdown cells as HTML. The door to `marked`.
 *
 * Raw HTML in a notebook is not trusted: plain formatting tags pass without their attributes, everything else is shown as text.
 * Links keep only http, https, mailto and in-page targets; images only what lies in the notebook itself.
 */
import { escapeHtml } from '../../core/html.js'
import { isObject } from '../notebook/notebook.js'

const plainTag =
  /^<(\/?)(b|i|u|s|em|strong|del|ins|sub|sup|kbd|mark|small|code|pre|br|hr|p|div|span|details|summary|blockquote|ul|ol|li|dl|dt|dd|table|thead|tbody|tr|th|td)(?:[\s/][^>]*)?>$/i

/** A function that renders markdown; `attachments` are those of the cell. */
export async function markdownRenderer(): Promise<(source: string, attachments?: unknown) => string> {
  const { Marked } = await import('marked')
  return (source, attachments) => {
    const marked = new Marked({
      gfm: true,
      async: false,
      renderer: {
        html: ({ text }) => text.replace(/<!--[\s\S]*?-->|<[^>]*>?|[^<]+/g, (part) => rawHtml(part)),
        link({ href, tokens }) {
          const inner = this.parser.parseInline(tokens)
          return /^(?:https?:|mailto:|#)/i.test(href) ? `<a href="${escapeHtml(href)}">${inner}</a>` : inner
        },
        image: ({ href, text }) => {
          const data = attached(href, attachments)
          return data === undefined
            ? `<span class="missing">${escapeHtml(text || href)}</span>`
            : `<img src="${escapeHtml(data)}" alt="${escapeHtml(text)}">`
        },
        heading({ tokens, depth }) {
          const inner = this.parser.parseInline(tokens)
          return `<h${depth} id="${escapeHtml(anchor(inner))}">${inner}</h${depth}>\n`
        },
      },
    })
    return marked.parse(source) as string
  }
}

function rawHtml(part: string): string {
  if (part.startsWith('<!--')) return ''
  if (!part.startsWith('<')) return part
  return plainTag.test(part) ? part.replace(plainTag, '<$1$2>') : escapeHtml(part)
}

/** The data URL of an image that the notebook holds. */
function attached(href: string, attachments: unknown): string | undefined {
  if (/^data:image\//i.test(href)) return href
  if (!href.startsWith('attachment:') || !isObject(attachments)) return undefined
  const bundle = attachments[decodeURIComponent(href.slice('attachment:'.length))]
  const [mime, data] = Object.entries(isObject(bundle) ? bundle : {})[0] ?? []
  return mime?.startsWith('image/') === true && typeof data === 'string' ? `data:${mime};base64,${data}` : undefined
}

/** The name of a heading in links, as Jupyter builds it. */
function anchor(html: string): string {
  return html
    .replace(/<[^>]*>/g, '')
    .trim()
    .replaceAll(/\s+/g, '-')
}
