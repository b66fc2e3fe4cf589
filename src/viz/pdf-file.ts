/**
 * A PDF file of one page (ISO 32000-1): numbered objects, the table of where each begins, the trailer.
 */
import { deflateSync } from 'node:zlib'
import { isOpaque } from './png.js'

/** What the page is drawn with, by the names that its content gives them. */
export interface PageContent {
  readonly widthPt: number
  readonly heightPt: number
  readonly title: string
  /** Operators of the content stream. */
  readonly operators: string
  /** Opacities, `/G0` …: of filling and of strokes alike. */
  readonly opacities: readonly number[]
  /** Shadings, `/S0` …, as PDF dictionaries. */
  readonly shadings: readonly string[]
  /** Images, `/I0` …: 8 bits a channel of red, green, blue and alpha. */
  readonly images: readonly { readonly width: number; readonly height: number; readonly rgba: Uint8Array }[]
}

/** The bytes of the file. */
export function pdfFile({ widthPt, heightPt, title, operators, opacities, shadings, images }: PageContent): Buffer {
  const objects: Buffer[] = []
  const add = (body: string | Buffer): number => objects.push(Buffer.from(body))
  const stream = (entries: string, data: Buffer): Buffer => {
    const packed = deflateSync(data, { level: 9 })
    const head = `<< ${entries} /Filter /FlateDecode /Length ${packed.length} >>\nstream\n`
    return Buffer.concat([Buffer.from(head), packed, Buffer.from('\nendstream')])
  }
  // The first four are known before they are made.
  const [catalogue, pages, page, info] = [1, 2, 3, 4]
  add(`<< /Type /Catalog /Pages ${pages} 0 R /Lang (en) /ViewerPreferences << /DisplayDocTitle true >> >>`)
  add(`<< /Type /Pages /Kids [${page} 0 R] /Count 1 >>`)
  add('')
  add(`<< /Title <${hex(title)}> /Creator (Shardbook) >>`)
  const content = add(stream('', Buffer.from(operators, 'latin1')))
  const named = (prefix: string, numbers: readonly number[]): string =>
    numbers.map((number, i) => `/${prefix}${i} ${number} 0 R`).join(' ')
  const states = opacities.map((opacity) => add(`<< /Type /ExtGState /ca ${opacity} /CA ${opacity} >>`))
  const shades = shadings.map((shading) => add(shading))
  const pictures = images.map(({ width, height, rgba }) => {
    const picture = (space: string, channels: (i: number) => boolean): Buffer =>
      stream(
        `/Type /XObject /Subtype /Image /Width ${width} /Height ${height} /BitsPerComponent 8 /ColorSpace ${space}`,
        Buffer.from(rgba.filter((_, i) => channels(i % 4))),
      )
    const mask = isOpaque(rgba) ? '' : ` /SMask ${add(picture('/DeviceGray', (channel) => channel === 3))} 0 R`
    return add(picture(`/DeviceRGB${mask}`, (channel) => channel !== 3))
  })
  objects[page - 1] = Buffer.from(
    `<< /Type /Page /Parent ${pages} 0 R /MediaBox [0 0 ${widthPt} ${heightPt}] /Contents ${content} 0 R ` +
      `/Resources << /ExtGState << ${named('G', states)} >> /Shading << ${named('S', shades)} >> /XObject << ${named('I', pictures)} >> >> >>`,
  )
  return withTable(objects, catalogue, info)
}

function withTable(objects: readonly Buffer[], catalogue: number, info: number): Buffer {
  const parts = [Buffer.from('%PDF-1.4\n%\u00e2\u00e3\u00cf\u00d3\n', 'latin1')]
  const places: number[] = []
  let at = parts[0]!.length
  for (const [i, body] of objects.entries()) {
    places.push(at)
    const part = Buffer.concat([Buffer.from(`${i + 1} 0 obj\n`), body, Buffer.from('\nendobj\n')])
    parts.push(part)
    at += part.length
  }
  const table = places.map((place) => `${String(place).padStart(10, '0')} 00000 n \n`).join('')
  const size = objects.length + 1
  parts.push(
    Buffer.from(
      `xref\n0 ${size}\n0000000000 65535 f \n${table}trailer\n` +
        `<< /Size ${size} /Root ${catalogue} 0 R /Info ${info} 0 R >>\nstartxref\n${at}\n%%EOF\n`,
    ),
  )
  return Buffer.concat(parts)
}

/** Text as UTF-16 with its mark, in hexadecimal. */
function hex(text: string): string {
  return Buffer.from(`\ufeff${text}`, 'utf16le').swap16().toString('hex')
}
